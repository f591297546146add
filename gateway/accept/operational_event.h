#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/accept/event_input.h"
#include "gateway/base/uuid.h"
#include "gateway/model/event.h"
#include "gateway/model/health.h"
#include "gateway/model/position.h"
#include "gateway/model/subscription.h"

// Events about subscriptions, which the gateway publishes through its own log: subscriptions of the
// organization get them if a pattern of theirs spells the prefix `postrider.`, but never the one
// that the event is about.
//
// Their ids follow from what they tell (UUID version 5), so that telling it again after a crash is
// a duplicate of the same event. All functions are pure.
namespace postrider {

// `postrider.subscription.failing`: it has been failing for `days` of observed time (E9).
EventInput SubscriptionFailing(const Subscription& subscription, const SubscriptionHealth& health,
                               int days, absl::Time now);

// `postrider.subscription.disabled`: `subscription` is as it is now, with its disabled_reason.
EventInput SubscriptionDisabled(const Subscription& subscription, absl::Time now);

// `postrider.subscription.recovered`: an attempt has succeeded after it was said to be failing, or
// it was enabled again.
EventInput SubscriptionRecovered(const Subscription& subscription, absl::Time failing_since,
                                 absl::Time now);

// `postrider.subscription.verified`: the URL has answered the challenge.
EventInput SubscriptionVerified(const Subscription& subscription, absl::Time now);

// `postrider.delivery.exhausted`, or `.expired`: the event is a dead letter of the subscription,
// for whatever reason.
EventInput DeliveryDead(const Subscription& subscription, const LogEntry& entry, DeadReason reason,
                        absl::Time now);

// `postrider.delivery.expired` without an event: what was accepted before `before` is not kept any
// more, and something of it was still to be sent to the subscription (C7). One a day.
EventInput DeliveriesExpired(const Subscription& subscription, absl::Time before, absl::Time now);

// UUID version 5 of `name` in the gateway's own namespace.
Uuid NameUuid(absl::string_view name);

}  // namespace postrider
