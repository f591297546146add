#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/dispatch/concurrency.h"
#include "gateway/dispatch/rate_limiter.h"
#include "gateway/model/health.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"

namespace postrider {

// What of a subscriber's health has changed, and what is to follow.
struct HealthChanges {
  bool shown = false;    // Worth showing at once.
  bool limit = false;    // What may be in flight has changed: worth showing now and then.
  bool stored = false;   // To be written.
  int warning_days = 0;  // It has been failing for so many days: 1 or 3; 0: no news.
  // A success after a warning, or the first since it was enabled again: since when it had failed,
  // or was enabled.
  std::optional<absl::Time> recovered_since;
  absl::string_view disable_reason;  // Not empty: to be disabled.
};

// What one subscriber's answers say about whether and how much may be sent to it: the breaker, what
// it asked for by `Retry-After`, how much may be in flight and how often, and whether it has been
// failing for so long that its subscription is to be disabled (docs/engine.md E6, E9, T4).
//
// A state machine: no I/O; clock values and chance are arguments. Wall clock where a time is shown
// or stored, monotonic where only its length counts. Of one loop.
class SubscriberHealth {
 public:
  // `in_flight_default`: how far slow start goes at first.
  SubscriberHealth(const Subscription& subscription, int in_flight_default);

  // The subscription has changed. Enabled again, its past is forgotten, and a probe is due at once;
  // with another URL likewise, without the probe if the breaker was closed.
  void Configure(const Subscription& subscription, absl::Time now);
  // What an earlier process knew.
  void Restore(const SubscriptionHealth& stored);

  // --- Before an exchange ---
  // Ends the waits that are over.
  void OnTime(absl::Time now);
  // Nothing may be sent, nor be made ready for it: the breaker is open and no probe is due, or is
  // on the wire; the subscriber asked to wait; it is to be disabled. As of the last OnTime().
  bool waits() const;
  // When that may be different; InfiniteFuture: after an answer or a change of configuration.
  // Only if waits().
  absl::Time waits_until() const;
  // Rises with each change of the URL: what a former one answers says nothing about this one.
  int url_version() const { return url_version_; }
  // Whether its pairs should hold up nobody and cost no memory: the breaker is not closed.
  bool away() const { return state_.breaker != Breaker::kClosed || disable_; }
  bool probing() const { return state_.breaker == Breaker::kOpen; }
  // Whether one more exchange may begin beside `in_flight` ones.
  bool MayStart(int in_flight, absl::Duration monotonic) const;
  // When the rate lets the next one begin, if it does not now.
  std::optional<absl::Duration> NextStart(absl::Duration monotonic) const {
    return rate_.NextStart(monotonic);
  }
  void OnStart(absl::Duration monotonic);

  // --- After it ---
  struct Moment {
    absl::Time wall;
    absl::Duration monotonic;
    double chance = 0;  // In [0, 1): sets the jitter of the next probe, up to a tenth earlier.
  };
  // `in_flight`: how many there were, this one among them.
  void OnSuccess(const PostResult& result, int in_flight, const Moment& now);
  void OnFailure(const PostResult& result, const Moment& now);
  // The subscriber asked to be left alone until `until`: that is no failure.
  void OnThrottled(const PostResult& result, absl::Time until, absl::Duration monotonic);
  // A fault of our own says nothing about the subscriber (E7).
  void OnOwnFault();

  const SubscriptionHealth& state() const { return state_; }
  // Monotonic: when it asked to be left alone for the first time since its last success.
  std::optional<absl::Duration> throttled_since() const { return throttled_since_; }
  // Nothing bad is known, and the rate holds nothing back: it may be forgotten.
  bool good(absl::Duration monotonic) const;
  // Since the last call.
  HealthChanges TakeChanges();

 private:
  // Outcomes of the last minute, in six stretches.
  static constexpr int kBuckets = 6;
  struct Bucket {
    int64_t number = -1;  // Of the stretch since the clock began.
    int outcomes = 0;
    int failures = 0;
  };

  void Count(bool failed, absl::Duration monotonic);
  bool TooManyFailures(absl::Duration monotonic) const;
  void Open(const Moment& now);
  void Close(absl::Duration monotonic);
  void CountFailing(const PostResult& result, const Moment& now);
  void ClearFailing();
  // Nothing is known of the subscriber any more; a probe is due at once.
  void StartAnew(absl::Time now);
  void Disable(absl::string_view reason);
  void UpdateLimit();

  SubscriptionHealth state_;
  ConcurrencyLimit concurrency_;
  RateLimiter rate_;
  const int in_flight_default_;
  std::array<Bucket, kBuckets> buckets_;
  absl::Duration probe_delay_;
  bool probe_due_ = false;
  bool disabled_ = false;  // As the subscription's record has it.
  bool disable_ = false;   // It should be; until the record says so, or has changed otherwise.
  bool may_send_ = true;
  std::string url_;
  int url_version_ = 0;
  std::optional<absl::Time> enabled_since_;  // Enabled again, and no success since then.
  // Monotonic: when it failed last, if the time since then is observed.
  std::optional<absl::Duration> last_failure_;
  std::optional<absl::Duration> throttled_since_;
  absl::Duration stored_at_;  // Monotonic: when failing was last written.
  bool failing_stored_ = false;
  HealthChanges changes_;
};

}  // namespace postrider
