#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/store.h"

namespace postrider {

// An exception that a purge takes away, or that loses its event.
struct GoneException {
  ExceptionPlace place;
  ExceptionState state = ExceptionState::kWaiting;  // Until then.
  OrderingKey ordering_key = 0;
};

// Adds to `changes` what that means for its queue.
void NoteGone(const GoneException& row, ExceptionChanges* changes);

// Writes exceptions and readers: what positions and retries leave behind (R3, E1). Store thread, in
// a transaction.
class SqliteDeliveryWriter {
 public:
  // `database` outlives this.
  explicit SqliteDeliveryWriter(Database* database);

  absl::Status Put(const ExceptionRow& row);
  // The same where its event is not kept any more: as a dead letter (C7). `now` as stored.
  absl::Status PutGone(ExceptionRow row, int64_t now);
  // False: the row is not there any more, or of another generation.
  absl::StatusOr<bool> Resolve(const ResolveException& write);
  // Both add up what they do in `changes`. `now` as stored.
  absl::Status Redrive(const RedriveException& write, int64_t now, ExceptionChanges* changes);
  absl::Status Purge(const PurgeExceptions& write, ShardId shard, ExceptionChanges* changes);
  absl::Status NoteUnmatched(const postrider::NoteUnmatched& write, ShardId shard);
  absl::Status PutReader(const ReaderRow& row, ShardId shard);
  // If only parked exceptions of the key are left, the lowest waits for `now` from then on. Returns
  // whether.
  absl::StatusOr<bool> ReleaseIfNoneWaits(ShardId shard, SubscriptionNumber subscription,
                                          OrderingKey key, int64_t now);
  absl::Status EraseReader(SubscriptionNumber subscription, ShardId shard);

 private:
  absl::StatusOr<std::vector<GoneException>> FindPurgeable(const PurgeExceptions& write,
                                                           ShardId shard,
                                                           ExceptionChanges* changes);
  absl::Status Insert(const ExceptionRow& row, std::optional<int64_t> gone_time);
  uint64_t Changed() const;  // Rows, by the last statement.

  Database* const database_;
  Statement insert_exception_;
  Statement update_exception_;
  Statement delete_exception_;
  Statement release_exception_;
  Statement select_first_of_key_;
  Statement put_reader_;
  Statement delete_reader_;
  Statement redrive_exception_;
  Statement select_purgeable_;
  Statement purge_exception_;
  Statement insert_unmatched_;
};

}  // namespace postrider
