#include "gateway/store/sqlite_indexer.h"

#include <algorithm>

#include "gateway/base/status.h"
#include "gateway/store/sqlite_replay_sql.h"
#include "gateway/store/sqlite_retention_sql.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {
namespace {

// About 3 ms each.
constexpr uint64_t kRowsPerSlice = 1024;

}  // namespace

SqliteIndexer::SqliteIndexer(Database* database, SqliteShards* shards)
    : shards_(shards),
      by_organization_(database, sql::kIndexByOrganization),
      by_type_(database, sql::kIndexByType),
      by_event_(database, sql::kIndexByEvent),
      by_subscription_(database, sql::kIndexBySubscription),
      drop_of_deleted_(database, sql::kDropAttemptsOfDeleted),
      select_to_purge_(database, sql::kSelectToPurge),
      select_purge_end_(database, sql::kSelectPurgeEnd),
      purge_exceptions_(database, sql::kPurgeExceptions),
      delete_reader_(database, sql::kDeleteReader),
      purge_replay_positions_(database, sql::kPurgeReplayPositionsOf),
      purge_replays_(database, sql::kPurgeReplaysOf),
      set_purged_(database, sql::kSetPurged) {}

uint64_t SqliteIndexer::Lag() const {
  uint64_t lag = 0;
  for (ShardId shard = 0; shard < shards_->count(); ++shard) {
    lag += shards_->Get(shard).unindexed();
  }
  return lag;
}

absl::Status SqliteIndexer::IndexSlice() {
  ShardId worst = 0;
  for (ShardId shard = 1; shard < shards_->count(); ++shard) {
    if (shards_->Get(shard).unindexed() > shards_->Get(worst).unindexed()) {
      worst = shard;
    }
  }
  SqliteShard* const shard = shards_->Change(worst);
  if (shard->head - shard->indexed_seq >= shard->attempt_head - shard->indexed_attempt) {
    return IndexEvents(worst, shard);
  }
  return IndexAttempts(worst, shard);
}

absl::Status SqliteIndexer::IndexEvents(ShardId shard_id, SqliteShard* shard) {
  const Seq end = std::min(shard->head, shard->indexed_seq + kRowsPerSlice);
  for (Statement* statement : {&by_organization_, &by_type_}) {
    Query query(statement);
    query.Int(RowKey(shard_id, shard->indexed_seq)).Int(RowKey(shard_id, end));
    RETURN_IF_ERROR(query.Run());
  }
  shard->indexed_seq = end;
  return absl::OkStatus();
}

absl::Status SqliteIndexer::IndexAttempts(ShardId shard_id, SqliteShard* shard) {
  const AttemptSeq end = std::min(shard->attempt_head, shard->indexed_attempt + kRowsPerSlice);
  if (shard->first_seq > 1) {
    // The events of some may have gone before these were indexed: nothing else leads to them (C7).
    Query drop(&drop_of_deleted_);
    drop.Int(RowKey(shard_id, shard->indexed_attempt)).Int(RowKey(shard_id, end));
    RETURN_IF_ERROR(drop.Uint(shard->first_seq).Run());
  }
  for (Statement* statement : {&by_event_, &by_subscription_}) {
    Query query(statement);
    query.Int(RowKey(shard_id, shard->indexed_attempt)).Int(RowKey(shard_id, end));
    RETURN_IF_ERROR(query.Run());
  }
  shard->indexed_attempt = end;
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteIndexer::PurgeSlice() {
  SubscriptionNumber number = 0;
  {
    Query query(&select_to_purge_);
    if (!query.Row()) {
      RETURN_IF_ERROR(query.status());
      return false;
    }
    number = query.NextUint();
  }
  for (ShardId shard = 0; shard < shards_->count(); ++shard) {
    ASSIGN_OR_RETURN(const bool more, PurgeShard(number, shard));
    if (more) {
      return true;
    }
  }
  RETURN_IF_ERROR(Query(&purge_replay_positions_).Uint(number).Run());
  RETURN_IF_ERROR(Query(&purge_replays_).Uint(number).Run());
  RETURN_IF_ERROR(Query(&set_purged_).Uint(number).Run());
  return true;
}

absl::StatusOr<bool> SqliteIndexer::PurgeShard(SubscriptionNumber number, ShardId shard) {
  RETURN_IF_ERROR(Query(&delete_reader_).Uint(shard).Uint(number).Run());
  Seq end = kSeqMax;
  bool more = false;
  {
    Query query(&select_purge_end_);
    query.Uint(shard).Uint(number).Uint(kRowsPerSlice / 4);
    if (query.Row()) {
      more = true;
      // At least one seq's exceptions go, however many of them one seq has.
      end = query.NextUint() + 1;
    }
    RETURN_IF_ERROR(query.status());
  }
  RETURN_IF_ERROR(Query(&purge_exceptions_).Uint(shard).Uint(number).Uint(end).Run());
  return more;
}

}  // namespace postrider
