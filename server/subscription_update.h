#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/gateway.h"
#include "gateway/model/subscription.h"
#include "postrider/v1/subscription_service.pb.h"

namespace postrider {

// Every name that SubscriptionUpdate::paths may hold.
inline constexpr const char* kUpdatablePaths[] = {"url",
                                                  "event_types",
                                                  "scope",
                                                  "description",
                                                  "headers",
                                                  "secrets",
                                                  "policy.order",
                                                  "policy.schedule",
                                                  "policy.timeout",
                                                  "policy.rate",
                                                  "policy.max_in_flight",
                                                  "policy.max_age",
                                                  "policy.max_body_bytes",
                                                  "verification"};

// What an update changes: `paths` has names of kUpdatablePaths, each once, in that order; the
// subscription holds their new values, a default where the request has none. A mask's names of what
// the gateway sets, and of `organization`, are left out, and `policy.order` where it has no value,
// for it can't be changed; `organization` and `id` are in the result
// as given, for the caller to compare.
//
// INVALID_ARGUMENT as SubscriptionFromProto(), for paths that do not exist, and for a mask that
// names secrets which are not given.
absl::StatusOr<SubscriptionUpdate> UpdateFromProto(const v1::UpdateSubscriptionRequest& request,
                                                   Verification default_verification,
                                                   absl::Time now);

}  // namespace postrider
