#include "gateway/store/sqlite_delivery_writer.h"

#include <sqlite3.h>

#include <string>

#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_letters_sql.h"
#include "gateway/store/sqlite_shards.h"
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
    : database_(database),
      insert_exception_(database, sql::kInsertException),
      update_exception_(database, sql::kUpdateException),
      delete_exception_(database, sql::kDeleteException),
      release_exception_(database, sql::kReleaseException),
      select_first_of_key_(database, sql::kSelectFirstOfKey),
      put_reader_(database, sql::kPutReader),
      delete_reader_(database, sql::kDeleteReader),
      redrive_exception_(database, sql::kRedriveException),
      select_purgeable_(database, sql::kSelectPurgeable),
      purge_exception_(database, sql::kPurgeException),
      insert_unmatched_(database, sql::kInsertUnmatched) {}

uint64_t SqliteDeliveryWriter::Changed() const {
  return static_cast<uint64_t>(sqlite3_changes(database_->handle()));
}

absl::Status SqliteDeliveryWriter::Put(const ExceptionRow& row) {
  return Insert(row, /*gone_time=*/std::nullopt);
}

absl::Status SqliteDeliveryWriter::PutGone(ExceptionRow row, int64_t now) {
  if (row.state != ExceptionState::kDead) {
    row.state = ExceptionState::kDead;
    row.dead_reason = DeadReason::kExpired;
  }
  return Insert(row, now);
}

absl::Status SqliteDeliveryWriter::Insert(const ExceptionRow& row,
                                          std::optional<int64_t> gone_time) {
  Query query(&insert_exception_);
  BindKey(row.key, &query);
  query.Uint(row.generation);
  BindProgress(row, &query);
  gone_time.has_value() ? query.Int(*gone_time) : query.Null();
  return query.Run();
}

absl::StatusOr<bool> SqliteDeliveryWriter::Resolve(const ResolveException& write) {
  Query query(write.next.has_value() ? &update_exception_ : &delete_exception_);
  if (write.next.has_value()) {
    BindProgress(*write.next, &query);
  }
  BindKey(write.key, &query);
  RETURN_IF_ERROR(query.Uint(write.generation).Run());
  return Changed() > 0;
}

absl::Status SqliteDeliveryWriter::Redrive(const RedriveException& write, int64_t now,
                                           ExceptionChanges* changes) {
  Query query(&redrive_exception_);
  query.Int(now);
  BindKey(write.key, &query);
  RETURN_IF_ERROR(query.Run());
  changes->rows += Changed();
  changes->waiting += static_cast<int64_t>(Changed());
  if (write.key.origin != kOriginLog && Changed() > 0) {
    changes->waiting_of_replays.emplace_back(write.key.origin, 1);
  }
  return absl::OkStatus();
}

void NoteGone(const GoneException& row, ExceptionChanges* changes) {
  ++changes->rows;
  if (row.state == ExceptionState::kWaiting) {
    --changes->waiting;
    if (row.place.second != kOriginLog) {
      changes->waiting_of_replays.emplace_back(row.place.second, -1);
    }
  }
  if (row.ordering_key != 0 && row.state != ExceptionState::kDead) {
    changes->ordered.emplace_back(row.place.first, row.ordering_key);
  }
}

absl::Status SqliteDeliveryWriter::Purge(const PurgeExceptions& write, ShardId shard,
                                         ExceptionChanges* changes) {
  ASSIGN_OR_RETURN(const std::vector<GoneException> purgeable,
                   FindPurgeable(write, shard, changes));
  for (const GoneException& row : purgeable) {
    Query query(&purge_exception_);
    BindKey({.shard = shard,
             .subscription = write.subscription,
             .seq = row.place.first,
             .origin = row.place.second},
            &query);
    RETURN_IF_ERROR(query.Run());
    NoteGone(row, changes);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<GoneException>> SqliteDeliveryWriter::FindPurgeable(
    const PurgeExceptions& write, ShardId shard, ExceptionChanges* changes) {
  std::vector<GoneException> result;
  Query query(&select_purgeable_);
  query.Uint(shard).Uint(write.subscription).Uint(write.after.first).Uint(write.after.second);
  query.Uint(write.through).Uint(write.limit);
  size_t seen = 0;
  while (query.Row()) {
    GoneException row;
    row.place.first = query.NextUint();
    row.place.second = query.NextUint();
    row.state = static_cast<ExceptionState>(query.NextInt());
    row.ordering_key = static_cast<OrderingKey>(query.NextInt());
    const std::string type(query.NextBytes());
    const absl::Time accept_time = FromStoredTime(query.NextInt());
    const bool state_wanted = !write.dead_only || row.state == ExceptionState::kDead;
    if (state_wanted && (write.filter.empty() || write.filter.Covers(type, accept_time))) {
      result.push_back(row);
    }
    if (++seen == write.limit) {
      changes->purged_to = row.place;
    }
  }
  RETURN_IF_ERROR(query.status());
  return result;
}

absl::Status SqliteDeliveryWriter::NoteUnmatched(const postrider::NoteUnmatched& write,
                                                 ShardId shard) {
  for (const Seq seq : write.seqs) {
    RETURN_IF_ERROR(Query(&insert_unmatched_).Int(RowKey(shard, seq)).Run());
  }
  return absl::OkStatus();
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
