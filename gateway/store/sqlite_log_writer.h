#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/model/attempt.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/store.h"

namespace postrider {

// Writes events and attempts: what grows at its end (L2, L3, L4). Store thread, in a transaction.
class SqliteLogWriter {
 public:
  // Both outlive this.
  SqliteLogWriter(Database* database, SqliteShards* shards);

  absl::StatusOr<Appended> Append(ShardId shard, const Event& event, int64_t now);
  absl::Status Record(ShardId shard, const Attempt& attempt);
  absl::Status PutPath(const PutOrganizationPath& write);

 private:
  absl::StatusOr<Appended> Known(const Event& event);
  absl::Status Insert(int64_t key, const Event& event, int64_t accept_time);
  absl::Status ContinueSegment(ShardId shard_id, SqliteShard* shard);

  Database* const database_;
  SqliteShards* const shards_;
  Statement insert_id_;
  Statement insert_event_;
  Statement select_known_;
  Statement insert_segment_;
  Statement insert_attempt_;
  Statement put_organization_;
};

}  // namespace postrider
