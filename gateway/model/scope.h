#pragma once

#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Whether the event is of the subscription's organization or, by its scope, of one below it. What
// is not must never reach it, whatever else is known or asked for. Pure.
bool InScope(const Subscription& subscription, const Event& event);

// Whether the event is for everybody or names the subscription among its targets. Pure.
bool IsTarget(const Subscription& subscription, const Event& event);

}  // namespace postrider
