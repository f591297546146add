#pragma once

#include <optional>

#include "absl/time/time.h"

namespace postrider {

// Wall-clock time for waits: without the steps of the wall clock (docs/engine.md T5).
//
// Starts with the wall clock and goes with the monotonic one. While it differs from the wall clock
// it goes a thousandth faster or slower, until they agree again: a wait changes by no more than
// that. A state machine; clock values are arguments. Of one loop.
class SteadyTime {
 public:
  // Reads both clocks, at each turn; `monotonic` never goes back. By how much the wall clock has
  // stepped since the last reading; zero if that is 2 s or less.
  absl::Duration Update(absl::Time wall, absl::Duration monotonic);

  // As of the last reading, of which there must have been one.
  absl::Time now() const { return *now_; }
  // How far the wall clock is ahead of now(); negative: behind.
  absl::Duration wall_offset() const { return wall_ - *now_; }

 private:
  std::optional<absl::Time> now_;
  absl::Time wall_;  // Of the last reading, as the next one.
  absl::Duration monotonic_;
};

}  // namespace postrider
