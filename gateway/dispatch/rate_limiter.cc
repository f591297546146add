#include "gateway/dispatch/rate_limiter.h"

#include <algorithm>

namespace postrider {
namespace {

constexpr absl::Duration kIntervalMax = absl::Hours(24);
constexpr double kBurstSeconds = 0.1;

}  // namespace

void RateLimiter::Configure(double rate) {
  if (rate == rate_) {
    return;
  }
  rate_ = rate;
  interval_ = absl::ZeroDuration();
  burst_ = absl::ZeroDuration();
  token_ = absl::ZeroDuration();
  if (rate > 0) {
    interval_ = std::min(absl::Seconds(1 / rate), kIntervalMax);
    burst_ = std::max(absl::Seconds(kBurstSeconds), interval_);
  }
}

void RateLimiter::StartRamp(absl::Duration now) {
  ramp_start_ = now;
  ramp_second_ = 0;
  ramp_started_ = 0;
}

int RateLimiter::RampSecond(absl::Duration now) const {
  if (!ramp_start_.has_value() || now >= *ramp_start_ + absl::Seconds(kRampSeconds)) {
    return kRampSeconds;
  }
  return static_cast<int>(absl::ToInt64Seconds(now - *ramp_start_));
}

std::optional<absl::Duration> RateLimiter::NextStart(absl::Duration now) const {
  std::optional<absl::Duration> next;
  const int second = RampSecond(now);
  if (second < kRampSeconds && second == ramp_second_ && ramp_started_ >= 1 << second) {
    next = *ramp_start_ + absl::Seconds(second + 1);
  }
  const absl::Duration token = token_ + interval_ - burst_;
  if (token > now) {
    next = std::max(next.value_or(token), token);
  }
  return next;
}

void RateLimiter::OnStart(absl::Duration now) {
  if (interval_ > absl::ZeroDuration()) {
    token_ = std::max(token_, now) + interval_;
  }
  const int second = RampSecond(now);
  if (second == kRampSeconds) {
    ramp_start_.reset();
    return;
  }
  if (second != ramp_second_) {
    ramp_second_ = second;
    ramp_started_ = 0;
  }
  ++ramp_started_;
}

}  // namespace postrider
