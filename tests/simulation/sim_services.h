#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/random.h"
#include "gateway/dispatch/subscription_events.h"
#include "gateway/store/read_executor.h"
#include "gateway/store/store.h"

namespace postrider {

// A clock that stands still until it is told to go on, and whose wall clock steps when it is told.
class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return start_ + elapsed_; }
  absl::Duration Monotonic() const override { return kMonotonicStart + elapsed_; }

  absl::Duration elapsed() const { return elapsed_; }
  void Advance(absl::Duration span) { elapsed_ += span; }
  void Step(absl::Duration span) { start_ += span; }

 private:
  static constexpr absl::Duration kMonotonicStart = absl::Hours(1);
  absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration elapsed_;
};

// Chance that comes out the same for the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() override;

  // Uniform below `end`, which is at least 1.
  size_t Below(size_t end) { return Next() % end; }
  bool OneIn(size_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

// A loop in simulated time: a task runs when RunOne() is called, a timer when it is due besides.
class SimLoop final : public Loop {
 public:
  explicit SimLoop(const Clock* clock) : clock_(clock) {}

  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void After(absl::Duration delay, Task task) override {
    timers_.emplace(clock_->Monotonic() + delay, std::move(task));
  }

  bool CanRun() const;
  // One task. Only if CanRun().
  void RunOne();
  // Monotonic; infinite if there is no timer.
  absl::Duration next_timer() const;
  // Monotonic: when it ran last; zero: never.
  absl::Duration last_run() const { return last_run_; }

 private:
  const Clock* const clock_;
  absl::Duration last_run_;
  std::deque<Task> tasks_;
  std::multimap<absl::Duration, Task> timers_;
};

// Reader threads in simulated time: reads wait until they are run, in any order.
class SimReads final : public ReadExecutor {
 public:
  explicit SimReads(StoreReader* reader) : reader_(reader) {}

  void Run(Read read) override { waiting_.push_back(std::move(read)); }

  size_t waiting() const { return waiting_.size(); }
  void RunOne(size_t index);

 private:
  StoreReader* const reader_;
  std::vector<Read> waiting_;
};

// Keeps what the engine finds out about subscriptions, as short texts by number: "1 disable: gone".
class RecordedEvents final : public SubscriptionEvents {
 public:
  explicit RecordedEvents(const FakeClock* clock) : clock_(clock) {}

  void OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) override;
  void OnWarning(SubscriptionNumber number, int days) override;
  void OnMustDisable(SubscriptionNumber number, absl::string_view url,
                     absl::string_view reason) override;
  void OnRecovered(SubscriptionNumber number, absl::Time since) override;
  void OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) override;
  void OnExpired(SubscriptionNumber number, absl::Time before) override;
  void OnRemoved(SubscriptionNumber number) override { health_.erase(number); }

  const std::vector<std::string>& texts() const { return texts_; }
  const std::map<SubscriptionNumber, SubscriptionHealth>& health() const { return health_; }
  // Since the loop said so, in this life, until its record changes.
  bool MustBeDisabled(SubscriptionNumber number) const { return to_disable_.contains(number); }
  // When its breaker closed last; in the past without end: never.
  absl::Duration recovery_time(SubscriptionNumber number) const;

  // Before when what it was not sent was last said to have expired with its events (C7).
  const std::map<SubscriptionNumber, absl::Time>& expired_before() const { return expired_before_; }

  bool Died(SubscriptionNumber number, const Uuid& event) const {
    return dead_.contains({number, event});
  }

  // Its record has changed: from then on the loop judges anew.
  void OnConfigured(SubscriptionNumber number) { to_disable_.erase(number); }
  // What a loop knew is gone.
  void OnCrash();

 private:
  const FakeClock* const clock_;
  std::set<SubscriptionNumber> to_disable_;
  std::map<SubscriptionNumber, absl::Duration> recoveries_;  // Since the clock's start.
  std::vector<std::string> texts_;
  std::set<std::pair<SubscriptionNumber, Uuid>> dead_;
  std::map<SubscriptionNumber, absl::Time> expired_before_;
  std::map<SubscriptionNumber, SubscriptionHealth> health_;
};

// A store that now and then does not apply anything that it is given (S2).
class FaultyStore final : public Store {
 public:
  // Both outlive this. One commit in `one_in` fails; 0: none.
  FaultyStore(Store* store, SeededRandom* random, size_t one_in)
      : store_(store), random_(random), one_in_(one_in) {}

  std::vector<BatchResult> Commit(absl::Span<const Batch> batches, absl::Time now) override;
  bool Maintain() override { return store_->Maintain(); }
  bool AcceptsAppends(absl::Time now) override { return !full_ && store_->AcceptsAppends(now); }

  void set_down(bool down) { down_ = down; }
  void set_full(bool full) { full_ = full; }

 private:
  bool down_ = false;
  bool full_ = false;
  Store* const store_;
  SeededRandom* const random_;
  const size_t one_in_;
};

}  // namespace postrider
