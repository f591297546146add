#include "gateway/store/sqlite_suspects.h"

#include <sqlite3.h>

#include <cstdint>
#include <set>
#include <utility>

#include "gateway/base/status.h"
#include "gateway/store/sqlite_suspects_sql.h"

namespace postrider {

SqliteSuspects::SqliteSuspects(Database* database)
    : database_(database),
      select_boots_(database, sql::kSelectCountedBoots),
      insert_boot_(database, sql::kInsertCountedBoot),
      delete_boot_(database, sql::kDeleteCountedBoot),
      count_death_(database, sql::kCountDeath),
      forget_(database, sql::kForgetSuspect),
      drop_old_(database, sql::kDropOldSuspects) {}

absl::Status SqliteSuspects::Count(const CountDeaths& write) {
  std::set<uint64_t> counted;
  {
    Query query(&select_boots_);
    while (query.Row()) {
      counted.insert(query.NextUint());
    }
    RETURN_IF_ERROR(query.status());
  }
  std::set<std::pair<uint64_t, WorkItem>> deaths;
  std::set<uint64_t> boots;
  for (const Death& death : write.deaths) {
    boots.insert(death.boot);
    if (!counted.contains(death.boot)) {
      deaths.emplace(death.boot, death.item);
    }
  }
  for (const auto& [boot, item] : deaths) {
    Query query(&count_death_);
    RETURN_IF_ERROR(query.Uint(item.shard).Uint(item.subscription).Uint(item.seq).Run());
  }
  for (const uint64_t boot : boots) {
    RETURN_IF_ERROR(Query(&insert_boot_).Uint(boot).Run());
  }
  // The file that told of these has been emptied since.
  for (const uint64_t boot : counted) {
    if (!boots.contains(boot)) {
      RETURN_IF_ERROR(Query(&delete_boot_).Uint(boot).Run());
    }
  }
  return Query(&drop_old_).Run();
}

absl::StatusOr<bool> SqliteSuspects::Forget(const WorkItem& item) {
  Query query(&forget_);
  RETURN_IF_ERROR(query.Uint(item.shard).Uint(item.subscription).Uint(item.seq).Run());
  return sqlite3_changes(database_->handle()) > 0;
}

absl::StatusOr<std::vector<Suspect>> ReadSuspects(Statement* select) {
  std::vector<Suspect> suspects;
  Query query(select);
  while (query.Row()) {
    Suspect& suspect = suspects.emplace_back();
    suspect.item.shard = query.NextUint();
    suspect.item.subscription = query.NextUint();
    suspect.item.seq = query.NextUint();
    suspect.deaths = static_cast<int>(query.NextInt());
  }
  RETURN_IF_ERROR(query.status());
  return suspects;
}

}  // namespace postrider
