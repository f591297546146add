#include "gateway/dispatch/concurrency.h"

#include <algorithm>

namespace postrider {
namespace {

// A window is stable if its mean is at most this many times the best one.
constexpr int kStableTimes = 2;
// The best mean is worse by this part with each window: a subscriber that has become slower for
// good is measured by what it is now.
constexpr int kForgetOneIn = 16;

}  // namespace

void ConcurrencyLimit::Configure(int slow_start_max, int max) {
  if (slow_start_max == slow_start_max_ && max == max_) {
    return;
  }
  slow_start_max_ = slow_start_max;
  max_ = max;
  threshold_ = std::min(slow_start_max, max);
  limit_ = std::min(limit_, max);
}

void ConcurrencyLimit::OnSuccess(absl::Duration latency, int in_flight) {
  ++since_halved_;
  may_halve_ = may_halve_ || since_halved_ >= limit_;
  if (2 * in_flight < limit_) {
    return;
  }
  latencies_ += latency;
  if (++window_ >= limit_) {
    EndWindow();
  }
}

void ConcurrencyLimit::EndWindow() {
  const absl::Duration mean = latencies_ / window_;
  const bool stable = best_ == absl::InfiniteDuration() || mean <= kStableTimes * best_;
  best_ = std::min(mean, best_ + best_ / kForgetOneIn);
  window_ = 0;
  latencies_ = absl::ZeroDuration();
  if (limit_ < threshold_) {
    limit_ = std::min(2 * limit_, threshold_);
  } else if (stable) {
    limit_ = std::min(limit_ + 1, max_);
  }
}

void ConcurrencyLimit::OnOverload() {
  ++since_halved_;
  may_halve_ = may_halve_ || since_halved_ >= limit_;
  window_ = 0;
  latencies_ = absl::ZeroDuration();
  if (!may_halve_) {
    return;
  }
  limit_ = std::max(limit_ / 2, 1);
  threshold_ = limit_;
  may_halve_ = false;
  since_halved_ = 0;
}

void ConcurrencyLimit::Restart() {
  limit_ = 1;
  threshold_ = std::min(slow_start_max_, max_);
  window_ = 0;
  latencies_ = absl::ZeroDuration();
  best_ = absl::InfiniteDuration();
  may_halve_ = true;
  since_halved_ = 0;
}

}  // namespace postrider
