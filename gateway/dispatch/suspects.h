#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "gateway/model/suspect.h"

namespace postrider {

// What of a loop's work earlier processes died of, and how often (E8). Mostly there is nothing, and
// asking costs a look at that. Lives on one loop.
class Suspects {
 public:
  void Add(const Suspect& suspect) { deaths_[suspect.item] = suspect.deaths; }
  // Former deaths of it count no more. False: there were none.
  bool Forget(const WorkItem& item) { return deaths_.erase(item) > 0; }

  // It may be sent, but with nothing else on the wire of the loop, so that a death is its own.
  bool RunsAlone(const WorkItem& item) const;
  // It is given up: it is never worked on again.
  bool Quarantined(const WorkItem& item) const;

  // Takes the events of a shard up to `through` that are no one's (subscription 0).
  std::vector<WorkItem> TakeEvents(ShardId shard, Seq through);

  bool empty() const { return deaths_.empty(); }
  size_t size() const { return deaths_.size(); }

 private:
  int DeathsOf(const WorkItem& item) const;

  std::map<WorkItem, int> deaths_;
};

}  // namespace postrider
