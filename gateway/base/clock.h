#pragma once

#include "absl/time/time.h"

namespace postrider {

// The time, as an argument: no other file of the engine reads a clock. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall-clock time. May step in either direction.
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary moment. Never goes back; stands still for nothing but a stopped
  // machine.
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clocks. Never destroyed.
const Clock* SystemClock();

}  // namespace postrider
