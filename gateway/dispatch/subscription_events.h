#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/model/event.h"
#include "gateway/model/health.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"

namespace postrider {

// Hears what the engine finds out about subscriptions. Called on the loops where they live, several
// at a time; must not block, nor call back.
class SubscriptionEvents {
 public:
  virtual ~SubscriptionEvents() = default;

  // What is known of the subscriber has changed. What may be in flight alone: at most once a
  // second.
  virtual void OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) = 0;
  // It has been failing for so many days of observed time: 1, then 3 (E9).
  virtual void OnWarning(SubscriptionNumber number, int days) = 0;
  // Nothing more is sent; its record should say so, unless it has another URL than `url` by now.
  // `reason`: "gone" (410) or "failing" (E9). Said again if its record then changes without saying
  // so and the reason persists.
  virtual void OnMustDisable(SubscriptionNumber number, absl::string_view url,
                             absl::string_view reason) = 0;
  // An attempt has succeeded after a warning, or for the first time since it was enabled again.
  // `since`: when it began to fail, or was enabled.
  virtual void OnRecovered(SubscriptionNumber number, absl::Time since) = 0;
  // A delivery has become a dead letter, which is about to be committed.
  virtual void OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) = 0;
  // What was accepted before `before` is not kept any more, and something of it was still to be
  // sent (C7). Said again when that goes on.
  virtual void OnExpired(SubscriptionNumber number, absl::Time before) = 0;
  // It is deleted: the loop says nothing of it any more. Each loop calls it.
  virtual void OnRemoved(SubscriptionNumber number) = 0;
};

}  // namespace postrider
