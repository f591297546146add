#include "gateway/store/sqlite_shards.h"

#include "gateway/base/check.h"
#include "gateway/base/status.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {

SqliteShards::SqliteShards(Database* database)
    : database_(database), update_(database, sql::kUpdateShard) {}

absl::Status SqliteShards::Load() {
  Statement select(database_, sql::kSelectShards);
  Query query(&select);
  while (query.Row()) {
    if (query.NextUint() != shards_.size()) {
      return absl::DataLossError("store: a shard's row is missing");
    }
    SqliteShard shard;
    shard.head = query.NextUint();
    shard.cursor = query.NextUint();
    shard.attempt_head = query.NextUint();
    shard.attempt_floor = query.NextUint();
    shard.last_accept_time = query.NextInt();
    shard.indexed_seq = query.NextUint();
    shard.indexed_attempt = query.NextUint();
    shard.first_seq = query.NextUint();
    shards_.push_back(shard);
  }
  RETURN_IF_ERROR(query.status());
  Statement last_segment(database_, sql::kSelectLastSegment);
  for (size_t i = 0; i < shards_.size(); ++i) {
    Query segment(&last_segment);
    if (segment.Uint(i).Row()) {
      shards_[i].segment_first_seq = segment.NextUint();
      shards_[i].segment_slot = segment.NextUint();
      shards_[i].segment_time = segment.NextInt();
    }
    RETURN_IF_ERROR(segment.status());
  }
  before_ = shards_;
  return absl::OkStatus();
}

SqliteShard* SqliteShards::Change(ShardId shard) {
  CHECK(shard < shards_.size());
  shards_[shard].dirty = true;
  return &shards_[shard];
}

absl::Status SqliteShards::Flush() {
  for (size_t i = 0; i < shards_.size(); ++i) {
    SqliteShard& shard = shards_[i];
    if (!shard.dirty) {
      continue;
    }
    Query query(&update_);
    query.Uint(shard.head).Uint(shard.cursor).Uint(shard.attempt_head).Uint(shard.attempt_floor);
    query.Int(shard.last_accept_time).Uint(shard.indexed_seq).Uint(shard.indexed_attempt);
    RETURN_IF_ERROR(query.Uint(shard.first_seq).Uint(i).Run());
    shard.dirty = false;
  }
  return absl::OkStatus();
}

}  // namespace postrider
