#include "gateway/dispatch/suspects.h"

#include "gateway/base/limits.h"

namespace postrider {

int Suspects::DeathsOf(const WorkItem& item) const {
  if (deaths_.empty()) {
    return 0;
  }
  const auto found = deaths_.find(item);
  return found == deaths_.end() ? 0 : found->second;
}

bool Suspects::RunsAlone(const WorkItem& item) const {
  const int deaths = DeathsOf(item);
  return deaths > 0 && deaths < kDeathsMax;
}

bool Suspects::Quarantined(const WorkItem& item) const { return DeathsOf(item) >= kDeathsMax; }

std::vector<WorkItem> Suspects::TakeEvents(ShardId shard, Seq through) {
  const auto begin = deaths_.lower_bound(ItemOf(/*subscription=*/0, shard, /*seq=*/0));
  const auto end = deaths_.upper_bound(ItemOf(/*subscription=*/0, shard, through));
  std::vector<WorkItem> taken;
  for (auto place = begin; place != end; ++place) {
    taken.push_back(place->first);
  }
  deaths_.erase(begin, end);
  return taken;
}

}  // namespace postrider
