#include "gateway/store/sqlite_delivery_writer.h"

#include <string>

#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {
namespace {

void BindKey(const ExceptionKey& key, Query* query) {
  query->Uint(key.shard).Uint(key.subscription).Uint(key.seq).Uint(key.origin);
}

void BindProgress(const ExceptionRow& row, Query* query) {
  query->Uint(static_cast<uint64_t>(row.state)).Uint(static_cast<uint64_t>(row.dead_reason));
  query->Int(row.attempts).Int(row.throttled).Int(ToStoredTime(row.due_time));
  query->Int(ToStoredTime(row.first_attempt_time));
  query->Int(static_cast<int64_t>(row.ordering_key)).Int(row.redriven ? 1 : 0);
}

}  // namespace

SqliteDeliveryWriter::SqliteDeliveryWriter(Database* database)
    : insert_exception_(database, sql::kInsertException),
      update_exception_(database, sql::kUpdateException),
      delete_exception_(database, sql::kDeleteException),
      release_exception_(database, sql::kReleaseException),
      select_first_of_key_(database, sql::kSelectFirstOfKey),
      put_reader_(database, sql::kPutReader),
      delete_reader_(database, sql::kDeleteReader) {}

absl::Status SqliteDeliveryWriter::Put(const ExceptionRow& row) {
  Query query(&insert_exception_);
  BindKey(row.key, &query);
  query.Uint(row.generation);
  BindProgress(row, &query);
  return query.Run();
}

absl::Status SqliteDeliveryWriter::Resolve(const ResolveException& write) {
  Query query(write.next.has_value() ? &update_exception_ : &delete_exception_);
  if (write.next.has_value()) {
    BindProgress(*write.next, &query);
  }
  BindKey(write.key, &query);
  return query.Uint(write.generation).Run();
}

absl::StatusOr<bool> SqliteDeliveryWriter::ReleaseIfNoneWaits(ShardId shard,
                                                              SubscriptionNumber subscription,
                                                              OrderingKey key, int64_t now) {
  Seq seq = 0;
  {
    Query first(&select_first_of_key_);
    first.Uint(shard).Uint(subscription).Int(static_cast<int64_t>(key));
    if (!first.Row()) {
      RETURN_IF_ERROR(first.status());
      return false;
    }
    const auto state = static_cast<ExceptionState>(first.NextUint());
    seq = first.NextUint();
    if (state != ExceptionState::kParked) {
      return false;
    }
  }
  Query release(&release_exception_);
  RETURN_IF_ERROR(release.Int(now).Uint(shard).Uint(subscription).Uint(seq).Run());
  return true;
}

absl::Status SqliteDeliveryWriter::PutReader(const ReaderRow& row, ShardId shard) {
  const std::string settled = row.settled.ToBytes();
  Query query(&put_reader_);
  return query.Uint(shard).Uint(row.subscription).Uint(row.next_seq).Blob(settled).Run();
}

absl::Status SqliteDeliveryWriter::EraseReader(SubscriptionNumber subscription, ShardId shard) {
  Query query(&delete_reader_);
  return query.Uint(shard).Uint(subscription).Run();
}

}  // namespace postrider
