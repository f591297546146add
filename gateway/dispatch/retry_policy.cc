#include "gateway/dispatch/retry_policy.h"

#include <algorithm>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

constexpr absl::Duration kMaxAgeMin = absl::Hours(1);
constexpr absl::Duration kRetryAfterHonouredMax = absl::Hours(24);
constexpr absl::Duration kThrottleMin = absl::Seconds(1);
constexpr int kThrottlesMax = 100;
constexpr int kStatusGone = 410;
constexpr double kJitter = 0.1;

}  // namespace

const std::vector<absl::Duration>& DefaultSchedule() {
  static const auto* const schedule = new std::vector<absl::Duration>{
      absl::ZeroDuration(), absl::Seconds(5),  absl::Seconds(30), absl::Minutes(2),
      absl::Minutes(5),     absl::Minutes(15), absl::Minutes(30), absl::Hours(1),
      absl::Hours(2),       absl::Hours(4),    absl::Hours(6),    absl::Hours(10)};
  return *schedule;
}

const std::vector<absl::Duration>& ScheduleOf(const Subscription& subscription,
                                              const std::vector<absl::Duration>& fallback) {
  if (!subscription.policy.schedule.empty()) {
    return subscription.policy.schedule;
  }
  return fallback.empty() ? DefaultSchedule() : fallback;
}

absl::Duration MaxAgeOf(const DeliveryPolicy& policy, const std::vector<absl::Duration>& schedule,
                        absl::Duration retention) {
  if (policy.max_age > absl::ZeroDuration()) {
    return policy.max_age;
  }
  absl::Duration total;
  for (const absl::Duration wait : schedule) {
    total += wait;
  }
  return std::clamp(2 * total, kMaxAgeMin,
                    std::clamp(retention - kRetentionMargin, kMaxAgeMin, kDeliveryAgeMax));
}

absl::Time ExpireTimeOf(const Event& event, absl::Time since, absl::Duration max_age,
                        const std::vector<Pause>& pauses) {
  return event.expire_time.value_or(EndOfAge(since, max_age, pauses));
}

bool AsksToWait(const PostResult& result, int throttled) {
  const bool may_ask = result.http_status == 429 || result.http_status == 502 ||
                       result.http_status == 503 || result.http_status == 504;
  return may_ask && result.retry_after.has_value() && throttled < kThrottlesMax;
}

absl::Time WaitEndOf(const PostResult& result, absl::Time now) {
  return now + std::clamp(result.retry_after.value_or(kThrottleMin), kThrottleMin,
                          kRetryAfterHonouredMax);
}

NextStep ThrottledStep(absl::Time until, absl::Time now, absl::Time expire_time) {
  return {.disposition = Disposition::kException,
          .due_time = std::min(until, std::max(expire_time, now)),
          .dead_reason = DeadReason::kNone,
          .charged = false};
}

NextStep DecideNextStep(const PostResult& result, int attempts, absl::Time now,
                        const std::vector<absl::Duration>& schedule, absl::Time expire_time,
                        double chance) {
  if (result.success()) {
    return {.disposition = Disposition::kDelivered, .due_time = {}, .dead_reason = {}};
  }
  const auto used = std::min(static_cast<size_t>(attempts), schedule.size());
  if (used == schedule.size() && result.http_status != kStatusGone) {
    return {
        .disposition = Disposition::kDead, .due_time = {}, .dead_reason = DeadReason::kExhausted};
  }
  const absl::Duration scheduled = used < schedule.size() ? schedule[used] : schedule.back();
  absl::Duration wait = scheduled * (1 - kJitter * chance);
  if (result.retry_after.has_value()) {
    wait = std::max(wait, std::min(*result.retry_after, kRetryAfterHonouredMax));
  }
  return {.disposition = Disposition::kException,
          .due_time = std::min(now + wait, std::max(expire_time, now)),
          .dead_reason = DeadReason::kNone};
}

}  // namespace postrider
