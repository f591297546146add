#include "gateway/death_count.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"
#include "gateway/base/work_item.h"

namespace postrider {
namespace {

// The first that finds the disk full has the store give its ballast up (S5).
constexpr int kTries = 2;
constexpr uint64_t kBootMax = (uint64_t{1} << 63) - 1;

std::string NameOf(const WorkItem& item) {
  return absl::StrCat("event ", item.seq, " of shard ", item.shard,
                      item.subscription == 0
                          ? std::string()
                          : absl::StrCat(" for subscription ", item.subscription));
}

void WarnUnless(const absl::Status& status) {
  if (!status.ok()) {
    LogWarning(absl::StrCat("deaths of its own fault: ", status.message()));
  }
}

// False: the store did not take it.
bool Count(std::vector<Death> deaths, Store* store, const Clock* clock) {
  Batch batch;
  batch.writes.emplace_back(CountDeaths{std::move(deaths)});
  std::string error;
  for (int i = 0; i < kTries; ++i) {
    const BatchResult result = store->Commit({&batch, 1}, clock->Now())[0];
    if (result.state == CommitState::kCommitted) {
      return true;
    }
    error = result.error;
  }
  LogError(absl::StrCat("deaths of earlier processes could not be counted: ", error));
  return false;
}

}  // namespace

void CountEarlierDeaths(const std::string& path, Store* store, const Clock* clock, Random* random) {
  const absl::StatusOr<std::vector<Death>> deaths = ReadDeaths(path);
  WarnUnless(deaths.status());
  for (const Death& death : deaths.ok() ? *deaths : std::vector<Death>()) {
    LogError(absl::StrCat("a process before this one died of its own fault while it worked on ",
                          NameOf(death.item)));
  }
  if (deaths.ok() && (deaths->empty() || Count(*deaths, store, clock))) {
    // Should it not be emptied, or not for good, the store knows that it has counted these. Half a
    // record goes too: what follows it could not be read.
    WarnUnless(ForgetDeaths(path));
  }
  WarnUnless(RecordDeaths(path, std::max<uint64_t>(1, random->Next() & kBootMax)));
}

}  // namespace postrider
