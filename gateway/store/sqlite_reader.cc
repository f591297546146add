#include "gateway/store/sqlite_reader.h"

#include <utility>

#include "gateway/base/check.h"

namespace postrider {

// A connection for the length of a read.
class SqliteReader::Lease {
 public:
  explicit Lease(SqliteReader* reader) : reader_(reader) {
    MutexLock lock(&reader_->mutex_);
    while (reader_->free_.empty()) {
      reader_->returned_.Wait(&reader_->mutex_);
    }
    connection_ = std::move(reader_->free_.back());
    reader_->free_.pop_back();
  }
  ~Lease() {
    MutexLock lock(&reader_->mutex_);
    reader_->free_.push_back(std::move(connection_));
    reader_->returned_.NotifyOne();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  SqliteReadConnection* operator->() const { return connection_.get(); }

 private:
  SqliteReader* const reader_;
  std::unique_ptr<SqliteReadConnection> connection_;
};

SqliteReader::SqliteReader(std::vector<std::unique_ptr<SqliteReadConnection>> connections)
    : free_(std::move(connections)) {
  MutexLock lock(&mutex_);
  CHECK(!free_.empty());
}

absl::StatusOr<Configuration> SqliteReader::ReadConfiguration() {
  return Lease(this)->ReadConfiguration();
}

absl::StatusOr<ShardRecovery> SqliteReader::ReadShard(ShardId shard) {
  return Lease(this)->ReadShard(shard);
}

absl::StatusOr<std::vector<NextDue>> SqliteReader::ReadNextDue() {
  return Lease(this)->ReadNextDue();
}

absl::StatusOr<std::vector<BlockedKey>> SqliteReader::ReadBlockedKeys() {
  return Lease(this)->ReadBlockedKeys();
}

absl::StatusOr<std::vector<LogEntry>> SqliteReader::ReadLog(ShardId shard, Seq after, size_t events,
                                                            size_t bytes) {
  return Lease(this)->ReadLog(shard, after, events, bytes);
}

absl::StatusOr<std::vector<DueException>> SqliteReader::ReadDue(SubscriptionNumber subscription,
                                                                ShardId shard, absl::Time until,
                                                                size_t limit, size_t bytes) {
  return Lease(this)->ReadDue(subscription, shard, until, limit, bytes);
}

absl::StatusOr<LogEntry> SqliteReader::ReadEvent(const Uuid& id, const std::string& organization) {
  return Lease(this)->ReadEvent(id, organization);
}

absl::StatusOr<std::vector<LogEntry>> SqliteReader::ListEvents(const EventQuery& query) {
  return Lease(this)->ListEvents(query);
}

absl::StatusOr<EventPage> SqliteReader::ListUnmatched(const EventQuery& query) {
  return Lease(this)->ListUnmatched(query);
}

absl::StatusOr<DeadLetterPage> SqliteReader::ListDeadLetters(const DeadLetterQuery& query) {
  return Lease(this)->ListDeadLetters(query);
}

absl::StatusOr<DeliveryRecord> SqliteReader::ReadDelivery(const Uuid& id,
                                                          const std::string& organization,
                                                          SubscriptionNumber subscription) {
  return Lease(this)->ReadDelivery(id, organization, subscription);
}

absl::StatusOr<AttemptPage> SqliteReader::ListAttempts(const AttemptQuery& query) {
  return Lease(this)->ListAttempts(query);
}

absl::StatusOr<SeqRange> SqliteReader::FindRange(ShardId shard, absl::Time since,
                                                 std::optional<absl::Time> until) {
  return Lease(this)->FindRange(shard, since, until);
}

absl::StatusOr<ReplayRecord> SqliteReader::ReadReplay(const std::string& id) {
  return Lease(this)->ReadReplay(id);
}

absl::StatusOr<std::vector<ReplayRecord>> SqliteReader::ListReplays(
    SubscriptionNumber subscription) {
  return Lease(this)->ListReplays(subscription);
}

}  // namespace postrider
