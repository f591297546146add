#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gateway/base/mutex.h"
#include "gateway/store/sqlite_read_connection.h"
#include "gateway/store/store.h"

namespace postrider {

// Reads over a few connections. Who finds them all in use waits for one; the mutex holds only the
// list of those that are free.
class SqliteReader final : public StoreReader {
 public:
  // At least one connection.
  explicit SqliteReader(std::vector<std::unique_ptr<SqliteReadConnection>> connections);

  absl::StatusOr<Configuration> ReadConfiguration() override;
  absl::StatusOr<ShardRecovery> ReadShard(ShardId shard) override;
  absl::StatusOr<std::vector<NextDue>> ReadNextDue() override;
  absl::StatusOr<std::vector<BlockedKey>> ReadBlockedKeys() override;
  absl::StatusOr<std::vector<LogEntry>> ReadLog(ShardId shard, Seq after, size_t events,
                                                size_t bytes) override;
  absl::StatusOr<std::vector<DueException>> ReadDue(SubscriptionNumber subscription, ShardId shard,
                                                    absl::Time until, size_t limit,
                                                    size_t bytes) override;
  absl::StatusOr<LogEntry> ReadEvent(const Uuid& id, const std::string& organization) override;
  absl::StatusOr<std::vector<LogEntry>> ListEvents(const EventQuery& query) override;
  absl::StatusOr<EventPage> ListUnmatched(const EventQuery& query) override;
  absl::StatusOr<AttemptPage> ListAttempts(const AttemptQuery& query) override;
  absl::StatusOr<DeadLetterPage> ListDeadLetters(const DeadLetterQuery& query) override;
  absl::StatusOr<DeliveryRecord> ReadDelivery(const Uuid& id, const std::string& organization,
                                              SubscriptionNumber subscription) override;
  absl::StatusOr<SeqRange> FindRange(ShardId shard, absl::Time since,
                                     std::optional<absl::Time> until) override;
  absl::StatusOr<ReplayRecord> ReadReplay(const std::string& id) override;
  absl::StatusOr<std::vector<ReplayRecord>> ListReplays(SubscriptionNumber subscription) override;

 private:
  class Lease;

  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<SqliteReadConnection>> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
