#include "gateway/store/sqlite_log_writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_rows.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {
namespace {

// A segment, the unit in which old events will go, is closed by whichever comes first.
constexpr uint64_t kSegmentEvents = 1 << 18;
constexpr int64_t kSegmentMicros = 6LL * 3600 * 1'000'000;

absl::string_view HashBytes(const ContentHash& hash) {
  return absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size());
}

}  // namespace

SqliteLogWriter::SqliteLogWriter(Database* database, SqliteShards* shards)
    : database_(database),
      shards_(shards),
      insert_id_(database, sql::kInsertEventId),
      insert_event_(database, sql::kInsertEvent),
      select_known_(database, sql::kSelectKnownEvent),
      insert_segment_(database, sql::kInsertSegment),
      insert_attempt_(database, sql::kInsertAttempt),
      put_organization_(database, sql::kPutOrganization) {}

absl::StatusOr<Appended> SqliteLogWriter::Append(ShardId shard_id, const Event& event,
                                                 int64_t now) {
  const int64_t key = RowKey(shard_id, shards_->Get(shard_id).head + 1);
  {
    Query insert(&insert_id_);
    insert.Blob(event.id.bytes()).Text(event.organization).Int(key);
    RETURN_IF_ERROR(insert.Run());
    if (sqlite3_changes(database_->handle()) == 0) {
      return Known(event);
    }
  }
  SqliteShard* const shard = shards_->Change(shard_id);
  shard->last_accept_time = std::max(shard->last_accept_time, now);
  ++shard->head;
  RETURN_IF_ERROR(Insert(key, event, shard->last_accept_time));
  RETURN_IF_ERROR(ContinueSegment(shard_id, shard));
  Appended appended;
  appended.seq = shard->head;
  appended.accept_time = FromStoredTime(shard->last_accept_time);
  return appended;
}

absl::StatusOr<Appended> SqliteLogWriter::Known(const Event& event) {
  Query query(&select_known_);
  if (!query.Blob(event.id.bytes()).Text(event.organization).Row()) {
    RETURN_IF_ERROR(query.status());
    return absl::DataLossError("store: an event's id is known, but not the event");
  }
  Appended appended;
  appended.seq = PositionOf(query.NextInt());
  appended.accept_time = FromStoredTime(query.NextInt());
  const bool equal = query.NextBytes() == HashBytes(event.content_hash);
  appended.kind = equal ? Appended::Kind::kDuplicate : Appended::Kind::kConflict;
  return appended;
}

absl::Status SqliteLogWriter::Insert(int64_t key, const Event& event, int64_t accept_time) {
  // Both stay empty, and cost nothing, for most events.
  const std::string path = EncodePath(event);
  const std::string extra = EncodeExtra(event);
  Query query(&insert_event_);
  query.Int(key).Blob(event.id.bytes()).Text(event.organization).Text(event.type);
  query.Int(ToStoredTime(event.time)).Int(accept_time).Blob(HashBytes(event.content_hash));
  path.empty() ? query.Null() : query.Blob(path);
  extra.empty() ? query.Null() : query.Blob(extra);
  return query.Blob(event.body).Run();
}

absl::Status SqliteLogWriter::ContinueSegment(ShardId shard_id, SqliteShard* shard) {
  if (shard->segment_first_seq != 0 && shard->head - shard->segment_first_seq < kSegmentEvents &&
      shard->last_accept_time - shard->segment_time < kSegmentMicros) {
    return absl::OkStatus();
  }
  shard->segment_first_seq = shard->head;
  shard->segment_time = shard->last_accept_time;
  ++shard->segment_slot;
  Query query(&insert_segment_);
  query.Uint(shard_id).Uint(shard->segment_first_seq).Uint(shard->segment_slot);
  return query.Int(shard->segment_time).Run();
}

absl::Status SqliteLogWriter::Record(ShardId shard_id, const Attempt& attempt) {
  if (attempt.seq < shards_->Get(shard_id).first_seq) {
    return absl::OkStatus();  // It was on the wire when its event went (C7).
  }
  SqliteShard* const shard = shards_->Change(shard_id);
  Query query(&insert_attempt_);
  query.Int(RowKey(shard_id, ++shard->attempt_head)).Uint(attempt.subscription).Uint(attempt.seq);
  query.Uint(static_cast<uint64_t>(attempt.origin));
  query.Uint(static_cast<uint64_t>(attempt.disposition));
  query.Uint(static_cast<uint64_t>(attempt.outcome)).Int(attempt.number).Int(attempt.http_status);
  query.Int(ToStoredTime(attempt.time)).Int(absl::ToInt64Microseconds(attempt.latency));
  attempt.next_attempt_time.has_value() ? query.Int(ToStoredTime(*attempt.next_attempt_time))
                                        : query.Null();
  attempt.error_text.empty() ? query.Null() : query.Text(attempt.error_text);
  attempt.response.empty() ? query.Null() : query.Blob(attempt.response);
  return query.Run();
}

absl::Status SqliteLogWriter::PutPath(const PutOrganizationPath& write) {
  Encoder encoder;
  encoder.PutStrings(write.path);
  const std::string path = std::move(encoder).Take();
  Query query(&put_organization_);
  return query.Text(write.organization).Blob(path).Run();
}

}  // namespace postrider
