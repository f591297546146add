#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "gateway/model/ids.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// The rowid of an event or attempt: its shard, then its position there.
constexpr int64_t RowKey(ShardId shard, uint64_t position) {
  return static_cast<int64_t>(uint64_t{shard} << 48 | position);
}
constexpr uint64_t PositionOf(int64_t key) { return static_cast<uint64_t>(key) & kSeqMax; }
constexpr ShardId ShardOfKey(int64_t key) {
  return static_cast<ShardId>(static_cast<uint64_t>(key) >> 48);
}

// A shard's row, and its newest segment (L4). Times as stored.
struct SqliteShard {
  Seq head = 0;
  Seq first_seq = 1;  // Events below are deleted (C7).
  Seq cursor = 0;
  AttemptSeq attempt_head = 0;
  AttemptSeq attempt_floor = 0;
  int64_t last_accept_time = 0;
  Seq indexed_seq = 0;             // Events at or below are in the secondary indexes (L3).
  AttemptSeq indexed_attempt = 0;  // Likewise.
  Seq segment_first_seq = 0;       // 0: there is no segment yet.
  uint64_t segment_slot = 0;
  int64_t segment_time = 0;
  bool dirty = false;  // Differs from its row.

  uint64_t unindexed() const { return (head - indexed_seq) + (attempt_head - indexed_attempt); }
};

// The shards' rows in the memory of the store thread, so that an append need not read its head.
// Changes become durable by Flush() in the transaction, or are undone by Rollback().
class SqliteShards {
 public:
  explicit SqliteShards(Database* database);

  absl::Status Load();

  uint32_t count() const { return static_cast<uint32_t>(shards_.size()); }
  const SqliteShard& Get(ShardId shard) const { return shards_[shard]; }
  SqliteShard* Change(ShardId shard);

  // Writes the changed rows. In the transaction, last.
  absl::Status Flush();
  // What was flushed is committed.
  void Commit() { before_ = shards_; }
  // Back to the last Commit().
  void Rollback() { shards_ = before_; }

 private:
  Database* const database_;
  Statement update_;
  std::vector<SqliteShard> shards_;
  std::vector<SqliteShard> before_;
};

}  // namespace postrider
