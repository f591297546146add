#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/model/health.h"
#include "gateway/model/subscription.h"
#include "postrider/v1/subscription.pb.h"

namespace postrider {

// The subscription to create. Fields that the gateway sets are left out. INVALID_ARGUMENT, naming
// the field with `subscription.` before it, for what the engine could not see any more: unknown
// fields, unknown enum values, durations and times that are none, `secret` and `secrets` together,
// limits that are given as 0, which to the engine is none. `now` is the secrets' create time.
absl::StatusOr<Subscription> SubscriptionFromProto(const v1::Subscription& subscription,
                                                   Verification default_verification,
                                                   absl::Time now);

// `health`: none if nothing is known. `with_secrets`: whether the secrets' texts are shown, or only
// their times.
void SubscriptionToProto(const Subscription& subscription,
                         const std::optional<SubscriptionHealth>& health, bool with_secrets,
                         v1::Subscription* result);

// With its text.
void SecretToProto(const Secret& secret, v1::Secret* result);

}  // namespace postrider
