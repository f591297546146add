#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_shards.h"

namespace postrider {

// Brings the secondary indexes up to the log, a shard's stretch at a time and sorted: many rows to
// a page instead of a page a row (L3). Also takes away what deleted subscriptions left (C4). Store
// thread, in a transaction.
class SqliteIndexer {
 public:
  // Both outlive this.
  SqliteIndexer(Database* database, SqliteShards* shards);

  // Rows that the indexes are behind.
  uint64_t Lag() const;

  // Indexes some rows of the shard that is farthest behind.
  absl::Status IndexSlice();

  // Deletes some rows of a deleted subscription. False: there are none left.
  absl::StatusOr<bool> PurgeSlice();

 private:
  absl::Status IndexEvents(ShardId shard_id, SqliteShard* shard);
  absl::Status IndexAttempts(ShardId shard_id, SqliteShard* shard);
  // False: nothing is left in this shard.
  absl::StatusOr<bool> PurgeShard(SubscriptionNumber number, ShardId shard);

  SqliteShards* const shards_;
  Statement by_organization_;
  Statement by_type_;
  Statement by_event_;
  Statement by_subscription_;
  Statement drop_of_deleted_;
  Statement select_to_purge_;
  Statement select_purge_end_;
  Statement purge_exceptions_;
  Statement delete_reader_;
  Statement purge_replay_positions_;
  Statement purge_replays_;
  Statement set_purged_;
};

}  // namespace postrider
