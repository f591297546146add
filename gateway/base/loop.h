#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace postrider {

// One thread's task queue: shards and subscriptions live on a loop and need no locks there.
//
// Tasks run one at a time. Those posted by one thread run in the order posted.
class Loop {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  virtual ~Loop() = default;

  // Runs `task` on the loop, after everything posted before it. Thread-safe, never waits. A task
  // posted after the loop has stopped is destroyed without being run.
  virtual void Post(Task task) = 0;

  // Runs `task` on the loop once `delay` has passed on the monotonic clock. Only from the loop's
  // own thread. Timers are not cancelled: a task asks whether it is still wanted.
  virtual void After(absl::Duration delay, Task task) = 0;
};

}  // namespace postrider
