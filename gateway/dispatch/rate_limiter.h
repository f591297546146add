#pragma once

#include <optional>

#include "absl/time/time.h"

namespace postrider {

// When the next exchange with one subscriber may begin: at a rate that its owner has set, and by a
// ramp after it was down.
//
// The rate is a bucket of max(1, rate / 10) tokens, a tenth of a second's worth. The ramp lasts
// kRampSeconds: 1 exchange in its first second, then twice as many in each. Monotonic times; of
// one loop.
class RateLimiter {
 public:
  static constexpr int kRampSeconds = 10;

  // Exchanges a second; 0: no limit.
  void Configure(double rate);
  // Who was down until now gets little at first: what has piled up would bring it down again.
  void StartRamp(absl::Duration now);

  bool MayStart(absl::Duration now) const { return !NextStart(now).has_value(); }
  // When the next one may begin, if that is not now.
  std::optional<absl::Duration> NextStart(absl::Duration now) const;
  // Whether nothing is remembered that a new one would not know.
  bool AtRest(absl::Duration now) const {
    return token_ <= now && (!ramp_start_.has_value() || RampSecond(now) == kRampSeconds);
  }
  // One begins; also one that may not: it is counted all the same.
  void OnStart(absl::Duration now);

 private:
  // The second of the ramp that `now` is in; kRampSeconds: it is over.
  int RampSecond(absl::Duration now) const;

  double rate_ = 0;
  absl::Duration interval_;  // Between two tokens; zero: no limit.
  absl::Duration burst_;     // How long the tokens of a full bucket take to come.
  absl::Duration token_;     // When the bucket would be full again.
  std::optional<absl::Duration> ramp_start_;
  int ramp_second_ = 0;
  int ramp_started_ = 0;  // In that second.
};

}  // namespace postrider
