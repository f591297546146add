#pragma once

#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Whether an event is owed to a subscription, or the first reason why not.
enum class Match {
  kOwed,
  kNotStarted,    // The subscription has no start yet: it was never verified (C2).
  kBeforeStart,   // At or below its start in the shard; a purge without a filter moves that.
  kPurged,        // A purge mark covers the event (C4).
  kOrganization,  // Another organization's, outside of the subscription's scope.
  kType,          // None of its patterns matches.
  kTargets,       // The event names other subscriptions.
  kAbout,         // The event is about this very subscription.
};

// What the index of subscriptions does not judge: start, purges and targets. Pure.
Match MatchPosition(const Subscription& subscription, const LogEntry& entry);

// All of it. Pure.
Match MatchEvent(const Subscription& subscription, const LogEntry& entry);

}  // namespace postrider
