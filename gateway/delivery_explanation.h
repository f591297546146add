#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/dispatch/match.h"
#include "gateway/model/health.h"
#include "gateway/model/subscription.h"
#include "gateway/store/store.h"

namespace postrider {

// How one event stands with one subscription.
enum class DeliveryState {
  kNotMatching,   // It is not owed: `match` says why.
  kDelivered,     // The subscriber has it.
  kWaiting,       // Its first attempt has not been recorded yet.
  kWaitingRetry,  // An attempt failed, or a dead letter was redriven: the next one has a time.
  kParked,        // Another event of its ordering key must be settled first.
  kDead,          // It will not be tried again, unless it is redriven.
  kPassed,        // Settled without an attempt on record: it did not match when it was met.
};

struct DeliveryExplanation {
  DeliveryState state = DeliveryState::kWaiting;
  std::string text;            // The same for people, one sentence or two.
  Match match = Match::kOwed;  // As the subscription is now.
  SubscriptionState subscription_state = SubscriptionState::kActive;
  std::optional<ExceptionRow> exception;  // When kWaitingRetry, kParked or kDead.
  std::optional<Attempt> last_attempt;
  std::optional<Uuid> parked_behind;  // When kParked.
  uint64_t events_before = 0;  // When kWaiting: how many of the shard's come first, others' too.
};

// Explains what the store knows. `health` may be null: then nothing is known of it. Pure.
DeliveryExplanation Explain(const DeliveryRecord& record, const Subscription& subscription,
                            const SubscriptionHealth* health);

// The state in words, for errors: "delivered".
std::string NameOf(DeliveryState state);

}  // namespace postrider
