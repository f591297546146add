#pragma once

#include "absl/status/status.h"
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
  absl::Status EraseReader(SubscriptionNumber subscription, ShardId shard);

 private:
  absl::Status Release(const ResolveException& write);

  Database* const database_;
  Statement insert_exception_;
  Statement update_exception_;
  Statement delete_exception_;
  Statement release_exception_;
  Statement put_reader_;
  Statement delete_reader_;
};

}  // namespace postrider
