#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/model/subscription.h"
#include "postrider/v1/subscription.pb.h"

namespace postrider {

// The subscription to create. Fields that the gateway sets are left out. INVALID_ARGUMENT, naming
// the field with `subscription.` before it, for what the engine could not see any more: unknown
// fields, unknown enum values, durations and times that are none, `secret` and `secrets` together,
// a `max_in_flight` below 1. `now` is the secrets' create time.
absl::StatusOr<Subscription> SubscriptionFromProto(const v1::Subscription& subscription,
                                                   Verification default_verification,
                                                   absl::Time now);

// `with_secrets`: whether the secrets' texts are shown, or only their times.
void SubscriptionToProto(const Subscription& subscription, bool with_secrets,
                         v1::Subscription* result);

}  // namespace postrider
