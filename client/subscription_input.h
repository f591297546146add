#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "postrider/v1/subscription_service.pb.h"

namespace postrider {

// The flags that SubscriptionFromFlags() reads.
std::vector<std::string> SubscriptionFlags();

// A wish for a subscription from a command's flags. INVALID_ARGUMENT for values that can't be read
// and for those that must be given and are not.
absl::StatusOr<v1::CreateSubscriptionRequest> SubscriptionFromFlags(const Arguments& arguments);

}  // namespace postrider
