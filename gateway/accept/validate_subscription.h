#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Says whether `subscription` may be stored: id, organization, URL, patterns, secrets, headers,
// policy and description. What the store assigns, and where the URL leads (AddressGuard), isn't
// judged. `allow_http`: whether the URL may be http and not only https.
//
// INVALID_ARGUMENT for the first rule broken, with the field and the limit; secrets, credentials
// and the values of headers are never repeated. Pure.
absl::Status ValidateSubscription(const Subscription& subscription, bool allow_http);

// Whether no delivery by `policy` may take longer than events are kept, but for the margin (C7).
absl::Status ValidateForRetention(const DeliveryPolicy& policy, absl::Duration retention);

// The same of the patterns of a subscription or replay alone.
absl::Status ValidatePatterns(const std::vector<std::string>& patterns);

}  // namespace postrider
