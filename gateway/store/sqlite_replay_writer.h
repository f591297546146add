#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_replay_rows.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_timeline.h"
#include "gateway/store/store.h"

namespace postrider {

// Writes replays and their positions (C5), and takes away what canceled ones left. Store thread, in
// a transaction.
class SqliteReplayWriter {
 public:
  // All outlive this.
  SqliteReplayWriter(Database* database, const SqliteShards* shards, SqliteTimeline* timeline);

  // The outer status is the store's failure; the inner one the caller's. `subscription` is the live
  // one that the replay is of.
  absl::StatusOr<ReplayResult> Create(const CreateReplay& write, const Subscription& subscription,
                                      int64_t now);
  absl::StatusOr<ReplayResult> End(const EndReplay& write, int64_t now);

  absl::Status PutPosition(const ReplayPosition& position, ShardId shard);

  // Whether an exception of `origin` may be written: its replay has not been canceled.
  absl::StatusOr<bool> Accepts(OriginId origin);

  // Deletes some exceptions of a canceled replay. False: there are none left.
  absl::StatusOr<bool> PurgeSlice();

 private:
  absl::Status InsertPositions(const CreateReplay& write, const Subscription& subscription,
                               OriginId number);
  absl::Status DropOld(SubscriptionNumber subscription);
  // False: nothing is left in this shard.
  absl::StatusOr<bool> PurgeShard(OriginId number, SubscriptionNumber subscription, ShardId shard);

  Database* const database_;
  const SqliteShards* const shards_;
  SqliteTimeline* const timeline_;
  SqliteReplays replays_;
  Statement insert_;
  Statement count_unfinished_;
  Statement finish_;
  Statement cancel_;
  Statement select_state_;
  Statement select_to_drop_;
  Statement drop_positions_;
  Statement drop_;
  Statement insert_position_;
  Statement update_position_;
  Statement select_to_purge_;
  Statement select_purge_end_;
  Statement purge_exceptions_;
  Statement set_purged_;
};

}  // namespace postrider
