#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Whether a subscription's deliveries go out, as its subscriber's answers have it.
enum class Breaker : uint8_t {
  kClosed = 0,    // They do.
  kOpen = 1,      // They wait; one goes out as a probe when `next_probe` is reached.
  kHalfOpen = 2,  // A probe is on the wire.
};

// How a subscriber has been answering: what the loop of the subscription knows, and what others are
// shown. The default is a subscriber of which nothing bad is known.
struct SubscriptionHealth {
  Breaker breaker = Breaker::kClosed;
  std::optional<absl::Time> failing_since;    // First failed attempt after the last success (E9).
  absl::Duration failing_observed;            // Of the time since, what was observed.
  int failures = 0;                           // Failed attempts since `failing_since`.
  int failures_in_a_row = 0;                  // Since the last success or start of the breaker.
  std::optional<absl::Time> open_since;       // Of the breaker.
  std::optional<absl::Time> next_probe;       // Of an open breaker; past: as soon as there is one.
  std::optional<absl::Time> throttled_until;  // The subscriber asked to wait.
  std::string last_error;                     // Of the newest failed attempt, for the owner.
  int in_flight_max = 0;                      // What may be in flight now.
};

// What a subscription does now: DISABLED before UNVERIFIED before PAUSED before FAILING, which is a
// breaker that is not closed, before ACTIVE (C6). `health`: none if nothing is known.
inline SubscriptionState StateOf(const Subscription& subscription,
                                 const std::optional<SubscriptionHealth>& health) {
  const SubscriptionState state = subscription.state();
  const bool failing = health.has_value() && health->breaker != Breaker::kClosed;
  return state == SubscriptionState::kActive && failing ? SubscriptionState::kFailing : state;
}

}  // namespace postrider
