#include "tests/simulation/sim_services.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace postrider {

// SplitMix64.
uint64_t SeededRandom::Next() {
  uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

bool SimLoop::CanRun() const { return !tasks_.empty() || next_timer() <= clock_->Monotonic(); }

void SimLoop::RunOne() {
  last_run_ = clock_->Monotonic();
  while (next_timer() <= clock_->Monotonic()) {
    tasks_.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  std::move(task)();
}

absl::Duration SimLoop::next_timer() const {
  return timers_.empty() ? absl::InfiniteDuration() : timers_.begin()->first;
}

void SimReads::RunOne(size_t index) {
  Read read = std::move(waiting_[index]);
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
  std::move(read)(*reader_);
}

void RecordedEvents::OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) {
  const auto [place, inserted] = health_.try_emplace(number, health);
  if (!inserted && place->second.breaker != Breaker::kClosed &&
      health.breaker == Breaker::kClosed) {
    recoveries_[number] = clock_->elapsed();
  }
  place->second = health;
}

void RecordedEvents::OnWarning(SubscriptionNumber number, int days) {
  texts_.push_back(absl::StrCat(number, " failing for ", days, " days"));
}

void RecordedEvents::OnMustDisable(SubscriptionNumber number, absl::string_view /*url*/,
                                   absl::string_view reason) {
  texts_.push_back(absl::StrCat(number, " disable: ", reason));
  to_disable_.insert(number);
}

void RecordedEvents::OnRecovered(SubscriptionNumber number, absl::Time /*since*/) {
  texts_.push_back(absl::StrCat(number, " recovered"));
}

absl::Duration RecordedEvents::recovery_time(SubscriptionNumber number) const {
  const auto recovery = recoveries_.find(number);
  return recovery == recoveries_.end() ? -absl::InfiniteDuration() : recovery->second;
}

void RecordedEvents::OnCrash() {
  health_.clear();
  to_disable_.clear();
  recoveries_.clear();
}

void RecordedEvents::OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) {
  dead_.insert({number, entry.event->id});
  texts_.push_back(
      absl::StrCat(number, " dead: ", entry.event->type, ", reason ", static_cast<int>(reason)));
}

void RecordedEvents::OnExpired(SubscriptionNumber number, absl::Time before) {
  expired_before_[number] = before;
}

std::vector<BatchResult> FaultyStore::Commit(absl::Span<const Batch> batches, absl::Time now) {
  if (down_ || (one_in_ > 0 && random_->OneIn(one_in_))) {
    BatchResult failed;
    failed.state = CommitState::kNotApplied;
    failed.error = "simulated";
    return std::vector<BatchResult>(batches.size(), failed);
  }
  return store_->Commit(batches, now);
}

}  // namespace postrider
