#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "client/commands.h"
#include "postrider/v1/event.pb.h"
#include "postrider/v1/subscription_service.pb.h"

namespace postrider {

// The flags that EventFromFlags() and SubscriptionFromFlags() read.
std::vector<std::string> EventFlags();
std::vector<std::string> SubscriptionFlags();

// An event from a command's flags. INVALID_ARGUMENT for values that can't be read, NOT_FOUND for
// files that can't.
absl::StatusOr<v1::Event> EventFromFlags(const Arguments& arguments, const CommandWorld& world);

// A wish for a subscription from a command's flags, likewise.
absl::StatusOr<v1::CreateSubscriptionRequest> SubscriptionFromFlags(const Arguments& arguments);

// An event from a line of JSON, as grpcurl takes it.
absl::StatusOr<v1::Event> EventFromJson(const std::string& line);

}  // namespace postrider
