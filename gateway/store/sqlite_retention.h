#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/retention.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_config_writer.h"
#include "gateway/store/sqlite_delivery_writer.h"
#include "gateway/store/sqlite_replay_writer.h"
#include "gateway/store/sqlite_shards.h"

namespace postrider {

// Deletes old events and what belongs to them, a step at a time (C7). Store thread, in a
// transaction.
//
// A step goes no further than it has found all attempts and exceptions of an event within its
// bounds, so an event that is there has all of its rows, or has lost only some of its oldest
// attempts and deliveries. Attempts that come later, or are not indexed yet, are the indexer's.
class SqliteRetention {
 public:
  // All outlive this.
  SqliteRetention(Database* database, SqliteShards* shards, SqliteDeliveryWriter* deliveries,
                  SqliteReplayWriter* replays, const SqliteConfigWriter* configuration);

  // `now` as stored.
  absl::StatusOr<DeletedEvents> Delete(const DeleteOldEvents& write, ShardId shard, int64_t now);

 private:
  struct OldEvent {
    Seq seq = 0;
    std::string id;  // As stored.
    std::string organization;
    std::string type;
    int64_t accept_time = 0;
  };
  struct OldException : GoneException {
    SubscriptionNumber subscription = 0;
  };

  // Those that may go now, at most `limit`.
  absl::StatusOr<std::vector<OldEvent>> FindEvents(const DeleteOldEvents& write, ShardId shard);
  // Each does what it can of events up to `last` and returns up to which one all is done.
  absl::StatusOr<Seq> DeleteAttempts(ShardId shard, Seq last, size_t limit);
  absl::StatusOr<Seq> EndExceptions(ShardId shard, Seq last, size_t limit, int64_t now,
                                    DeletedEvents* deleted);
  absl::StatusOr<std::vector<OldException>> FindExceptions(ShardId shard, Seq last, size_t limit);
  absl::Status EndException(ShardId shard, const OldException& old, int64_t now,
                            ExceptionChanges* changes);
  absl::Status Release(ShardId shard, int64_t now, DeletedEvents* deleted);
  absl::Status DeleteEvents(ShardId shard, const std::vector<OldEvent>& events);
  // How many.
  absl::StatusOr<size_t> DeleteLongGone(ShardId shard, int64_t before, size_t limit);
  absl::Status DeleteException(ShardId shard, SubscriptionNumber subscription,
                               const ExceptionPlace& place);
  absl::Status NoteOldest(ShardId shard, DeletedEvents* deleted);

  SqliteShards* const shards_;
  SqliteDeliveryWriter* const deliveries_;
  SqliteReplayWriter* const replays_;
  const SqliteConfigWriter* const configuration_;
  Statement select_events_;
  Statement select_attempts_;
  Statement select_exceptions_;
  Statement select_long_gone_;
  Statement select_accept_time_;
  Statement set_gone_;
  Statement delete_exception_;
  Statement delete_events_;
  Statement delete_id_;
  Statement delete_by_organization_;
  Statement delete_by_type_;
  Statement delete_unmatched_;
  Statement delete_attempt_;
  Statement delete_attempt_by_event_;
  Statement delete_attempt_by_subscription_;
  Statement delete_segments_;
};

}  // namespace postrider
