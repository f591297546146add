#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/store.h"

namespace postrider {

// Writes exceptions and readers: what positions and retries leave behind (R3, E1). Store thread, in
// a transaction.
class SqliteDeliveryWriter {
 public:
  // `database` outlives this.
  explicit SqliteDeliveryWriter(Database* database);

  absl::Status Put(const ExceptionRow& row);
  absl::Status Resolve(const ResolveException& write);
  absl::Status PutReader(const ReaderRow& row, ShardId shard);
  // If only parked exceptions of the key are left, the lowest waits for `now` from then on. Returns
  // whether.
  absl::StatusOr<bool> ReleaseIfNoneWaits(ShardId shard, SubscriptionNumber subscription,
                                          OrderingKey key, int64_t now);
  absl::Status EraseReader(SubscriptionNumber subscription, ShardId shard);

 private:
  Statement insert_exception_;
  Statement update_exception_;
  Statement delete_exception_;
  Statement release_exception_;
  Statement select_first_of_key_;
  Statement put_reader_;
  Statement delete_reader_;
};

}  // namespace postrider
