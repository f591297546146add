#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "postrider/v1/subscription_service.pb.h"

namespace postrider {

// The flags that SubscriptionFromFlags() and UpdateFromFlags() read.
std::vector<std::string> SubscriptionFlags();
std::vector<std::string> SubscriptionUpdateFlags();

// A wish for a subscription from a command's flags. INVALID_ARGUMENT for values that can't be read
// and for those that must be given and are not.
absl::StatusOr<v1::CreateSubscriptionRequest> SubscriptionFromFlags(const Arguments& arguments);

// A wish to change the subscription whose id is the only word: the fields whose flags are given, to
// the values given; `--header=` alone stands for no headers. INVALID_ARGUMENT likewise, and if no
// flag says what to change.
absl::StatusOr<v1::UpdateSubscriptionRequest> UpdateFromFlags(const Arguments& arguments);

}  // namespace postrider
