#pragma once

#include <memory>

#include "absl/time/time.h"
#include "gateway/base/loop.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace postrider {

// A Loop over one boost::asio::io_context: what waits for sockets, timers and tasks is one thread.
//
// Stopping: Stop(), then Run() returns, then whatever uses context() is destroyed, then the loop.
class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;  // Run() must have returned or never been called.
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  // The loop's life: runs tasks, timers and what waits in context() until Stop(). Called once, by
  // the thread that becomes the loop's.
  void Run();

  // Makes Run() return after the tasks that have been posted by now. Timers that are not due are
  // destroyed without being run. Thread-safe; more calls have no effect.
  void Stop();

  void Post(Task task) override;
  void After(absl::Duration delay, Task task) override;

  // For sockets and the like that live on this loop.
  boost::asio::io_context& context();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace postrider
