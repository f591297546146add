#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/model/suspect.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// Writes what earlier processes died of (E8). Store thread, in a transaction.
class SqliteSuspects {
 public:
  // `database` outlives this.
  explicit SqliteSuspects(Database* database);

  absl::Status Count(const CountDeaths& write);
  // False: there were no deaths to forget.
  absl::StatusOr<bool> Forget(const WorkItem& item);

 private:
  Database* const database_;
  Statement select_boots_;
  Statement insert_boot_;
  Statement delete_boot_;
  Statement count_death_;
  Statement forget_;
  Statement drop_old_;
};

// All of them. `select` is of sql::kSelectSuspects.
absl::StatusOr<std::vector<Suspect>> ReadSuspects(Statement* select);

}  // namespace postrider
