#pragma once

#include <vector>

#include "gateway/base/work_item.h"
#include "gateway/model/ids.h"

namespace postrider {

// What earlier processes worked on when they died of their own fault (E8).

// An item that did not get further since. `item.subscription` 0: the event as such, which the
// shard's tail was handing to those who want it.
struct Suspect {
  WorkItem item;
  int deaths = 0;

  friend bool operator==(const Suspect&, const Suspect&) = default;
};

// Counts the deaths of processes that have not been counted before; no item dies twice of one
// process. What is unknown, gone or of a deleted subscription is not kept.
struct CountDeaths {
  std::vector<Death> deaths;
};

// The item of the batch's shard has been worked on to its end: its deaths count no more.
struct ForgetSuspect {
  SubscriptionNumber subscription = 0;
  Seq seq = 0;
};

// What an item is called when it has the process die.
inline WorkItem ItemOf(SubscriptionNumber subscription, ShardId shard, Seq seq) {
  return {.shard = shard, .subscription = subscription, .seq = seq};
}

}  // namespace postrider
