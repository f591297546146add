#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

namespace postrider {

// Whether loops still run: each is to answer now and then, by a task. A loop that hangs tells
// nothing of itself, so it is others that must notice.
class LoopWatch {
 public:
  // Loops and clock outlive it; it may be gone before its last tasks run.
  LoopWatch(std::vector<Loop*> loops, const Clock* clock);

  // Asks each loop that has answered the last time. On one thread.
  void Ask();

  // For how long a loop has owed an answer, at the longest; zero: all have answered. Thread-safe.
  absl::Duration Silence() const;

 private:
  // When each was asked, in nanoseconds of the monotonic clock; kAnswered: it has answered.
  using Asked = std::vector<std::atomic<int64_t>>;

  const std::vector<Loop*> loops_;
  const Clock* const clock_;
  const std::shared_ptr<Asked> asked_;
};

}  // namespace postrider
