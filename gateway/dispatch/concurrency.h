#pragma once

#include "absl/time/time.h"

namespace postrider {

// How many exchanges with one subscriber may be in flight, as its answers have it (T4).
//
// Starts at 1. Slow start doubles it with each window (as many successes as the limit is) up to
// `slow_start_max`; then it grows by 1 a window up to `max`, as long as the window's mean latency
// is at most twice the best one's. Successes while less than half of it is in use prove nothing and
// do not count. It halves when the subscriber is overloaded, at most once a
// window. Pure; of one loop.
class ConcurrencyLimit {
 public:
  // Both at least 1. What is already in flight above a lower limit ends by itself.
  void Configure(int slow_start_max, int max);

  int limit() const { return limit_; }

  // `in_flight`: how many there were, this one among them.
  void OnSuccess(absl::Duration latency, int in_flight);
  // A timeout, a 429, a 5xx.
  void OnOverload();
  // Back to 1, and slow start again.
  void Restart();

 private:
  void EndWindow();

  int slow_start_max_ = 1;
  int max_ = 1;
  int limit_ = 1;
  int threshold_ = 1;         // Slow start ends here.
  int window_ = 0;            // Successes in the window.
  int since_halved_ = 0;      // Outcomes since then; enough of them at the beginning.
  bool may_halve_ = true;     // Not twice in one window.
  absl::Duration latencies_;  // Of the window, added up.
  absl::Duration best_ = absl::InfiniteDuration();  // The best window's mean, slowly forgotten.
};

}  // namespace postrider
