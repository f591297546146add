#pragma once

#include <cstdint>

#include "gateway/accept/event_input.h"
#include "gateway/accept/organization_directory.h"
#include "gateway/base/clock.h"
#include "gateway/store/group_commit.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// Publishes operational events (gateway/accept/operational_event.h) through the log, if anybody
// would get them.
//
// They are news and no record: one is lost if the process dies or the store refuses right then.
// What it tells can be read: the state of a subscription, its dead letters. Thread-safe; what it is
// given outlives it.
class Announcer {
 public:
  Announcer(const Clock* clock, GroupCommit* commits, const OrganizationDirectory* organizations,
            const SubscriptionRegistry* registry, uint32_t shard_count)
      : clock_(clock),
        commits_(commits),
        organizations_(organizations),
        registry_(registry),
        shard_count_(shard_count) {}

  // Never waits. A repeat has the same id and is stored once.
  void Announce(const EventInput& event);

 private:
  const Clock* const clock_;
  GroupCommit* const commits_;
  const OrganizationDirectory* const organizations_;
  const SubscriptionRegistry* const registry_;
  const uint32_t shard_count_;
};

}  // namespace postrider
