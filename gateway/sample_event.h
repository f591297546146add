#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// The event that a test of `subscription` sends: of type `postrider.test`, with an id of its own
// made from `random`. The proto of TestSubscription shows its body. Pure.
absl::StatusOr<std::shared_ptr<const Event>> SampleEvent(const Subscription& subscription,
                                                         absl::Time now,
                                                         std::array<uint64_t, 2> random);

}  // namespace postrider
