#pragma once

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace postrider {

// A clock that stands still until it is moved. Thread-safe.
class ManualClock final : public Clock {
 public:
  absl::Time Now() const override {
    MutexLock lock(&mutex_);
    return start_ + passed_;
  }
  absl::Duration Monotonic() const override {
    MutexLock lock(&mutex_);
    return passed_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    passed_ += by;
  }

 private:
  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  mutable Mutex mutex_;
  absl::Duration passed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
