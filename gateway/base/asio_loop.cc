#include "gateway/base/asio_loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace postrider {
namespace {

namespace asio = boost::asio;

// Asio's timers take no other clock, so the loop's time is the machine's.
absl::Duration MonotonicNow() { return SystemClock()->Monotonic(); }

asio::steady_timer::time_point ToTimePoint(absl::Duration since_epoch) {
  return asio::steady_timer::time_point(absl::ToChronoNanoseconds(since_epoch));
}

}  // namespace

class AsioLoop::Impl {
 public:
  Impl() : context_(1), work_(context_.get_executor()), timer_(context_) {}

  ~Impl() { Discard(); }

  void Run() {
    context_.run();
    Discard();
  }

  void Stop() {
    Post([this]() { context_.stop(); });
  }

  void Post(Task task) {
    {
      MutexLock lock(&mutex_);
      if (stopped_) {
        return;
      }
      inbox_.push_back(std::move(task));
      if (inbox_.size() > 1) {
        return;  // A wake-up is under way.
      }
    }
    asio::post(context_, [this]() { RunInbox(); });
  }

  void After(absl::Duration delay, Task task) {
    const absl::Duration due = MonotonicNow() + std::max(delay, absl::ZeroDuration());
    timers_.push_back(Timer{due, next_order_++, std::move(task)});
    std::push_heap(timers_.begin(), timers_.end(), Later);
    if (due < armed_) {
      Arm(due);
    }
  }

  asio::io_context& context() { return context_; }

 private:
  struct Timer {
    absl::Duration due;
    uint64_t order;  // Equal times fire in the order asked for.
    Task task;
  };

  static bool Later(const Timer& a, const Timer& b) {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }

  // Refuses tasks from now on and destroys those that wait: not under the lock, as they may own
  // anything.
  void Discard() {
    std::vector<Task> unwanted;
    {
      MutexLock lock(&mutex_);
      stopped_ = true;
      unwanted.swap(inbox_);
    }
    const std::vector<Timer> timers = std::exchange(timers_, {});
  }

  void RunInbox() {
    std::vector<Task> tasks;
    tasks.swap(spare_);
    {
      MutexLock lock(&mutex_);
      tasks.swap(inbox_);
    }
    for (Task& task : tasks) {
      std::move(task)();
      task = nullptr;  // What it owns goes when it is done, not when all are.
    }
    tasks.clear();
    spare_.swap(tasks);
  }

  void Arm(absl::Duration due) {
    armed_ = due;
    timer_.expires_at(ToTimePoint(due));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        RunTimers();
      }
    });
  }

  void RunTimers() {
    armed_ = absl::InfiniteDuration();
    const absl::Duration now = MonotonicNow();
    // Those that tasks add from here on wait for the next round, even if due at once.
    const uint64_t end = next_order_;
    while (!timers_.empty() && timers_.front().due <= now && timers_.front().order < end) {
      std::pop_heap(timers_.begin(), timers_.end(), Later);
      Task task = std::move(timers_.back().task);
      timers_.pop_back();
      std::move(task)();
    }
    if (!timers_.empty() && timers_.front().due < armed_) {
      Arm(timers_.front().due);
    }
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;

  // Only on the loop's thread.
  asio::steady_timer timer_;
  absl::Duration armed_ = absl::InfiniteDuration();  // What timer_ waits for.
  std::vector<Timer> timers_;                        // A heap, the earliest first.
  uint64_t next_order_ = 0;
  std::vector<Task> spare_;  // An emptied inbox, for its capacity.

  // The hand-off from other threads.
  Mutex mutex_;
  std::vector<Task> inbox_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}

AsioLoop::~AsioLoop() = default;

void AsioLoop::Run() { impl_->Run(); }

void AsioLoop::Stop() { impl_->Stop(); }

void AsioLoop::Post(Task task) { impl_->Post(std::move(task)); }

void AsioLoop::After(absl::Duration delay, Task task) { impl_->After(delay, std::move(task)); }

boost::asio::io_context& AsioLoop::context() { return impl_->context(); }

}  // namespace postrider
