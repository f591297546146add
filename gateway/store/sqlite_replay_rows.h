#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/model/replay.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// What of a replay has no column of its own, as bytes that begin with a version.
std::string EncodeReplay(const Replay& replay);

// Takes the columns of a replay's row, as sqlite_replay_sql.h lists them. DATA_LOSS: they can't be
// understood.
absl::StatusOr<Replay> DecodeReplayRow(Query* row);

// Reads replays with their positions. One thread at a time, as the connection.
class SqliteReplays {
 public:
  // `database` outlives this.
  explicit SqliteReplays(Database* database);

  // NOT_FOUND if there is none.
  absl::StatusOr<ReplayRecord> Get(OriginId number);
  absl::StatusOr<ReplayRecord> Get(const std::string& id);
  // Those of a subscription, newest first: at most `limit`.
  absl::StatusOr<std::vector<ReplayRecord>> List(SubscriptionNumber subscription, size_t limit);
  // Its running ones, oldest first.
  absl::StatusOr<std::vector<ReplayRecord>> Running(SubscriptionNumber subscription);

 private:
  absl::StatusOr<ReplayRecord> One(Query* query);
  absl::StatusOr<std::vector<ReplayRecord>> All(Query* query);
  absl::Status ReadPositions(ReplayRecord* record);

  Statement select_;
  Statement select_by_id_;
  Statement select_of_;
  Statement select_running_;
  Statement select_positions_;
};

}  // namespace postrider
