#include "gateway/dispatch/subscriber_health.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

constexpr int kFailuresInARowMax = 10;
constexpr int kWindowOutcomesMin = 20;
constexpr absl::Duration kBucketSpan = absl::Seconds(10);
constexpr absl::Duration kProbeDelayMin = absl::Seconds(5);
constexpr absl::Duration kProbeDelayMax = absl::Minutes(5);
constexpr double kProbeJitter = 0.1;
// A subscriber may ask to be left alone for a day.
constexpr absl::Duration kProbeWaitMax = absl::Hours(24);

// Between two failures that are further apart nobody watched.
constexpr absl::Duration kObservedGapMax = absl::Hours(6);
constexpr absl::Duration kStoreInterval = absl::Hours(1);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr int kDisableDays = 5;
constexpr int kDisableFailuresMin = 20;
constexpr int kWarningDays[] = {1, 3};

// Fewer failures are not worth a write.
constexpr int kStoredFailuresMin = 10;

constexpr int kStatusGone = 410;
constexpr int kStatusTooManyRequests = 429;

bool IsOverload(const PostResult& result) {
  return result.outcome == Outcome::kTimeout || result.http_status == kStatusTooManyRequests ||
         (result.http_status >= 500 && result.http_status <= 599);
}

std::string ErrorOf(const PostResult& result) {
  std::string text =
      result.error_text.empty() ? absl::StrCat("status ", result.http_status) : result.error_text;
  text.resize(std::min(text.size(), kErrorTextBytesMax));
  return text;
}

}  // namespace

SubscriberHealth::SubscriberHealth(const Subscription& subscription, int in_flight_default)
    : in_flight_default_(in_flight_default), disabled_(!subscription.disabled_reason.empty()) {
  Configure(subscription, absl::InfinitePast());
  changes_ = HealthChanges();
}

void SubscriberHealth::Configure(const Subscription& subscription, absl::Time now) {
  const DeliveryPolicy& policy = subscription.policy;
  const int max = policy.max_in_flight > 0 ? policy.max_in_flight
                                           : std::max(in_flight_default_, kInFlightAdaptiveMax);
  concurrency_.Configure(std::min(in_flight_default_, max), max);
  rate_.Configure(policy.rate);
  UpdateLimit();
  const bool was_disabled = std::exchange(disabled_, !subscription.disabled_reason.empty());
  disable_ = false;
  may_send_ = subscription.may_send();
  if (!may_send_) {
    last_failure_.reset();  // What passes from now on is not observed (E9).
  }
  const bool moved = std::exchange(url_, subscription.url) != subscription.url;
  if (moved || !may_send_) {
    throttled_since_.reset();
  }
  url_version_ += moved ? 1 : 0;
  if (was_disabled && !disabled_) {
    StartAnew(now);
    enabled_since_ = now;
  } else if (moved && state_.breaker != Breaker::kClosed) {
    StartAnew(now);
  } else if (moved) {
    state_.throttled_until.reset();
    state_.failures_in_a_row = 0;
    buckets_ = {};
    changes_.shown = true;
  }
}

void SubscriberHealth::StartAnew(absl::Time now) {
  state_ = SubscriptionHealth();
  buckets_ = {};
  failing_stored_ = false;
  state_.breaker = Breaker::kOpen;
  state_.open_since = now;
  state_.next_probe = now;
  probe_delay_ = absl::ZeroDuration();
  concurrency_.Restart();
  UpdateLimit();
  changes_.shown = true;
  changes_.stored = true;
}

void SubscriberHealth::Restore(const SubscriptionHealth& stored) {
  const int in_flight_max = state_.in_flight_max;
  state_ = stored;
  state_.in_flight_max = in_flight_max;
  state_.throttled_until.reset();
  if (state_.breaker == Breaker::kHalfOpen) {
    state_.breaker = Breaker::kOpen;  // Nobody knows what became of the probe.
  }
  if (!state_.next_probe.has_value()) {
    state_.next_probe = state_.open_since.value_or(absl::UnixEpoch());
  }
  failing_stored_ = state_.failing_since.has_value();
  changes_.shown = true;
}

// --- Before an exchange --------------------------------------------------------------------------

void SubscriberHealth::OnTime(absl::Time now) {
  if (state_.throttled_until.has_value() && *state_.throttled_until <= now) {
    state_.throttled_until.reset();
    changes_.shown = true;
  }
  // A probe that is further away was stored while the wall clock was wrong.
  probe_due_ = state_.breaker == Breaker::kOpen &&
               (*state_.next_probe <= now || *state_.next_probe > now + kProbeWaitMax);
}

bool SubscriberHealth::waits() const {
  return disable_ || state_.throttled_until.has_value() || state_.breaker == Breaker::kHalfOpen ||
         (state_.breaker == Breaker::kOpen && !probe_due_);
}

absl::Time SubscriberHealth::waits_until() const {
  if (disable_) {
    return absl::InfiniteFuture();
  }
  if (state_.throttled_until.has_value()) {
    return *state_.throttled_until;
  }
  return state_.breaker == Breaker::kOpen ? *state_.next_probe : absl::InfiniteFuture();
}

bool SubscriberHealth::MayStart(int in_flight, absl::Duration monotonic) const {
  // A probe goes alone: what else is on the wire would be taken for it.
  const int limit = state_.breaker == Breaker::kClosed ? concurrency_.limit() : 1;
  return !waits() && in_flight < limit && rate_.MayStart(monotonic);
}

void SubscriberHealth::OnStart(absl::Duration monotonic) {
  rate_.OnStart(monotonic);
  if (state_.breaker == Breaker::kOpen) {
    state_.breaker = Breaker::kHalfOpen;
    probe_due_ = false;
    changes_.shown = true;
  }
}

// --- After it ------------------------------------------------------------------------------------

void SubscriberHealth::OnSuccess(const PostResult& result, int in_flight, const Moment& now) {
  throttled_since_.reset();
  ClearFailing();
  if (enabled_since_.has_value()) {
    changes_.recovered_since = std::exchange(enabled_since_, std::nullopt);
  }
  if (state_.breaker == Breaker::kOpen) {
    return;  // Began before it opened: the probe decides.
  }
  state_.failures_in_a_row = 0;
  if (state_.breaker == Breaker::kHalfOpen) {
    Close(now.monotonic);
    return;
  }
  Count(/*failed=*/false, now.monotonic);
  concurrency_.OnSuccess(result.latency, in_flight);
  UpdateLimit();
}

void SubscriberHealth::OnFailure(const PostResult& result, const Moment& now) {
  CountFailing(result, now);
  if (IsOverload(result)) {
    concurrency_.OnOverload();
    UpdateLimit();
  }
  switch (state_.breaker) {
    case Breaker::kOpen: break;  // Began before it opened.
    case Breaker::kHalfOpen:
      ++state_.failures_in_a_row;
      Open(now);
      break;
    case Breaker::kClosed:
      ++state_.failures_in_a_row;
      Count(/*failed=*/true, now.monotonic);
      if (state_.failures_in_a_row >= kFailuresInARowMax || TooManyFailures(now.monotonic)) {
        state_.open_since = now.wall;
        probe_delay_ = absl::ZeroDuration();
        changes_.stored = true;
        Open(now);
      }
      break;
  }
  if (result.http_status == kStatusGone) {
    Disable("gone");
  }
}

void SubscriberHealth::OnThrottled(const PostResult& result, absl::Time until,
                                   absl::Duration monotonic) {
  throttled_since_ = throttled_since_.value_or(monotonic);
  state_.throttled_until = std::max(until, state_.throttled_until.value_or(until));
  state_.last_error = ErrorOf(result);
  changes_.shown = true;
  concurrency_.OnOverload();
  UpdateLimit();
  if (state_.breaker == Breaker::kHalfOpen) {
    state_.breaker = Breaker::kOpen;
    state_.next_probe = state_.throttled_until;
    probe_due_ = false;
  }
}

void SubscriberHealth::OnOwnFault() {
  if (state_.breaker == Breaker::kHalfOpen) {
    state_.breaker = Breaker::kOpen;
    probe_due_ = true;  // Still.
  }
}

bool SubscriberHealth::good(absl::Duration monotonic) const {
  return rate_.AtRest(monotonic) && state_.breaker == Breaker::kClosed &&
         !state_.failing_since.has_value() && !state_.throttled_until.has_value() && !disable_;
}

HealthChanges SubscriberHealth::TakeChanges() { return std::exchange(changes_, HealthChanges()); }

// --- The breaker ---------------------------------------------------------------------------------

void SubscriberHealth::Count(bool failed, absl::Duration monotonic) {
  const int64_t number = monotonic / kBucketSpan;
  Bucket& bucket = buckets_[number % kBuckets];
  if (bucket.number != number) {
    bucket = {.number = number, .outcomes = 0, .failures = 0};
  }
  ++bucket.outcomes;
  bucket.failures += failed ? 1 : 0;
}

bool SubscriberHealth::TooManyFailures(absl::Duration monotonic) const {
  const int64_t oldest = monotonic / kBucketSpan - kBuckets + 1;
  int outcomes = 0;
  int failures = 0;
  for (const Bucket& bucket : buckets_) {
    outcomes += bucket.number >= oldest ? bucket.outcomes : 0;
    failures += bucket.number >= oldest ? bucket.failures : 0;
  }
  return outcomes >= kWindowOutcomesMin && 2 * failures >= outcomes;
}

void SubscriberHealth::Open(const Moment& now) {
  state_.breaker = Breaker::kOpen;
  probe_delay_ = std::clamp(2 * probe_delay_, kProbeDelayMin, kProbeDelayMax);
  state_.next_probe = now.wall + probe_delay_ * (1 - kProbeJitter * now.chance);
  probe_due_ = false;
  changes_.shown = true;
}

void SubscriberHealth::Close(absl::Duration monotonic) {
  state_.breaker = Breaker::kClosed;
  state_.open_since.reset();
  state_.next_probe.reset();
  buckets_ = {};
  concurrency_.Restart();
  rate_.StartRamp(monotonic);
  UpdateLimit();
  changes_.shown = true;
  changes_.stored = true;
}

// --- Failing for days (E9) -----------------------------------------------------------------------

void SubscriberHealth::CountFailing(const PostResult& result, const Moment& now) {
  if (!state_.failing_since.has_value()) {
    state_.failing_since = now.wall;
    last_failure_.reset();
    changes_.shown = true;
  }
  ++state_.failures;
  state_.last_error = ErrorOf(result);
  const absl::Duration before = state_.failing_observed;
  if (last_failure_.has_value() && now.monotonic - *last_failure_ <= kObservedGapMax) {
    state_.failing_observed += now.monotonic - *last_failure_;
  }
  if (may_send_) {
    last_failure_ = now.monotonic;
  }
  const bool worth_it = state_.failures >= kStoredFailuresMin;
  if (worth_it && (!failing_stored_ || now.monotonic >= stored_at_ + kStoreInterval)) {
    changes_.stored = true;
  }
  for (const int days : kWarningDays) {
    if (before < days * kDay && state_.failing_observed >= days * kDay) {
      changes_.warning_days = days;
      changes_.stored = true;
    }
  }
  if (changes_.stored) {
    failing_stored_ = true;
    stored_at_ = now.monotonic;
  }
  if (state_.failing_observed >= kDisableDays * kDay && state_.failures >= kDisableFailuresMin) {
    Disable("failing");
  }
}

void SubscriberHealth::ClearFailing() {
  if (!state_.failing_since.has_value()) {
    return;
  }
  if (state_.failing_observed >= kWarningDays[0] * kDay) {
    changes_.recovered_since = state_.failing_since;
  }
  state_.failing_since.reset();
  state_.failing_observed = absl::ZeroDuration();
  state_.failures = 0;
  last_failure_.reset();
  changes_.shown = true;
  changes_.stored = changes_.stored || failing_stored_;
  failing_stored_ = false;
}

void SubscriberHealth::Disable(absl::string_view reason) {
  if (!disable_ && !disabled_) {
    disable_ = true;
    changes_.disable_reason = reason;
    changes_.shown = true;
  }
}

void SubscriberHealth::UpdateLimit() {
  if (state_.in_flight_max != concurrency_.limit()) {
    state_.in_flight_max = concurrency_.limit();
    changes_.limit = true;
  }
}

}  // namespace postrider
