#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gateway/model/health.h"

namespace postrider {

// Whether there is something bad in it that the next start must know.
bool IsKept(const SubscriptionHealth& health);

// What of a subscriber's health outlives the process, as bytes that begin with a version: not what
// may be in flight, nor a wait that the subscriber asked for.
std::string EncodeHealth(const SubscriptionHealth& health);

// False: the bytes are no record of a version that this program knows.
bool DecodeHealth(absl::string_view record, SubscriptionHealth* health);

}  // namespace postrider
