#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_letters.h"
#include "gateway/store/sqlite_list.h"
#include "gateway/store/sqlite_replay_rows.h"
#include "gateway/store/sqlite_timeline.h"
#include "gateway/store/store.h"

namespace postrider {

// One reading connection with its statements. One thread at a time; the calls are StoreReader's.
class SqliteReadConnection {
 public:
  SqliteReadConnection(std::unique_ptr<Database> database, uint32_t shard_count);

  absl::StatusOr<Configuration> ReadConfiguration();
  absl::StatusOr<ShardRecovery> ReadShard(ShardId shard);
  absl::StatusOr<std::vector<NextDue>> ReadNextDue();
  absl::StatusOr<std::vector<BlockedKey>> ReadBlockedKeys();
  absl::StatusOr<std::vector<LogEntry>> ReadLog(ShardId shard, Seq after, size_t events,
                                                size_t bytes);
  absl::StatusOr<std::vector<DueException>> ReadDue(SubscriptionNumber subscription, ShardId shard,
                                                    absl::Time until, size_t limit, size_t bytes);
  absl::StatusOr<LogEntry> ReadEvent(const Uuid& id, const std::string& organization);
  absl::StatusOr<std::vector<LogEntry>> ListEvents(const EventQuery& query);
  absl::StatusOr<EventPage> ListUnmatched(const EventQuery& query);
  absl::StatusOr<AttemptPage> ListAttempts(const AttemptQuery& query);
  absl::StatusOr<DeadLetterPage> ListDeadLetters(const DeadLetterQuery& query);
  absl::StatusOr<DeliveryRecord> ReadDelivery(const Uuid& id, const std::string& organization,
                                              SubscriptionNumber subscription);
  absl::StatusOr<SeqRange> FindRange(ShardId shard, absl::Time since,
                                     std::optional<absl::Time> until);
  absl::StatusOr<ReplayRecord> ReadReplay(const std::string& id);
  absl::StatusOr<std::vector<ReplayRecord>> ListReplays(SubscriptionNumber subscription);

 private:
  // Without readers and settled pairs.
  absl::StatusOr<ShardRecovery> ReadPosition(ShardId shard);
  absl::Status ReadSettled(ShardId shard, ShardRecovery* recovery);
  absl::Status ReadReaders(ShardId shard, ShardRecovery* recovery);
  absl::Status ReadNextDueOfShard(ShardId shard, std::vector<NextDue>* result);
  absl::Status CountReplayWaiting(NextDue* next);
  absl::StatusOr<bool> IsLive(SubscriptionNumber number);

  const std::unique_ptr<Database> database_;
  const uint32_t shard_count_;
  SqliteEventList event_list_;
  SqliteAttemptList attempt_list_;
  SqliteLetters letters_;
  SqliteTimeline timeline_;
  SqliteReplays replays_;
  Statement select_subscriptions_;
  Statement select_organizations_;
  Statement select_health_;
  Statement select_suspects_;
  Statement select_shard_;
  Statement select_readers_;
  Statement select_settled_;
  Statement select_parked_;
  Statement select_blocked_keys_;
  Statement select_next_due_;
  Statement count_waiting_;
  Statement count_replay_waiting_;
  Statement select_state_;
  Statement select_log_;
  Statement select_due_;
  Statement select_event_;
};

}  // namespace postrider
