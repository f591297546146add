#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

namespace postrider {

// A loop and its clock, turned by hand: nothing runs and no time passes but by Run() and Advance().
class ManualLoop final : public Loop, public Clock {
 public:
  absl::Time Now() const override { return start_ + elapsed_; }
  absl::Duration Monotonic() const override { return absl::Hours(1) + elapsed_; }

  void Post(Task task) override { tasks_.push_back(std::move(task)); }

  void After(absl::Duration delay, Task task) override {
    timers_.push_back(Timer{elapsed_ + delay, next_order_++, std::move(task)});
  }

  // Runs what is to be run now.
  void Run() {
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      std::move(task)();
    }
  }

  // Lets `span` pass, with everything that is due in it, each at its own time.
  void Advance(absl::Duration span) {
    const absl::Duration end = elapsed_ + span;
    Run();
    while (!timers_.empty()) {
      const auto first = std::min_element(timers_.begin(), timers_.end(), Earlier);
      if (first->due > end) {
        break;
      }
      elapsed_ = std::max(elapsed_, first->due);
      Task task = std::move(first->task);
      timers_.erase(first);
      std::move(task)();
      Run();
    }
    elapsed_ = end;
  }

  // What Run() would run first.
  size_t task_count() const { return tasks_.size(); }
  size_t timer_count() const { return timers_.size(); }

 private:
  struct Timer {
    absl::Duration due;
    uint64_t order;
    Task task;
  };

  static bool Earlier(const Timer& a, const Timer& b) {
    return a.due != b.due ? a.due < b.due : a.order < b.order;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration elapsed_;
  std::deque<Task> tasks_;
  std::vector<Timer> timers_;
  uint64_t next_order_ = 0;
};

}  // namespace postrider
