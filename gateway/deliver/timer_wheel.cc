#include "gateway/deliver/timer_wheel.h"

#include <algorithm>

#include "gateway/base/check.h"

namespace postrider {
namespace {

int64_t TickBefore(absl::Duration time) {
  return absl::Floor(time, TimerWheel::kTick) / TimerWheel::kTick;
}

int64_t TickAfter(absl::Duration time) {
  return absl::Ceil(time, TimerWheel::kTick) / TimerWheel::kTick;
}

}  // namespace

TimerWheel::Entry::~Entry() {
  if (wheel_ != nullptr) {
    wheel_->Unlink(this);
  }
}

TimerWheel::TimerWheel(Loop* loop, const Clock* clock) : loop_(loop), clock_(clock) {}

TimerWheel::~TimerWheel() { CHECK(linked_ == 0); }

void TimerWheel::Set(Entry* entry, absl::Duration deadline) {
  entry->deadline_ = deadline;
  if (entry->wheel_ != nullptr) {
    if (entry->visit_time_ <= deadline) {
      return;  // Looked at early enough, and put further then.
    }
    Unlink(entry);
  }
  if (deadline == absl::InfiniteDuration()) {
    return;
  }
  if (!waiting_) {
    turned_ = TickBefore(clock_->Monotonic());
  }
  Link(entry);
  if (!waiting_) {
    WaitForTick();
  }
}

void TimerWheel::Link(Entry* entry) {
  const int64_t furthest = turned_ + static_cast<int64_t>(kSlots) - 1;
  const int64_t tick = std::clamp(TickAfter(entry->deadline_), turned_ + 1, furthest);
  Node* const head = SlotOf(tick);
  entry->next = head;
  entry->previous = head->previous;
  head->previous->next = entry;
  head->previous = entry;
  entry->wheel_ = this;
  entry->visit_time_ = tick * kTick;
  ++linked_;
}

void TimerWheel::Unlink(Entry* entry) {
  entry->previous->next = entry->next;
  entry->next->previous = entry->previous;
  entry->previous = entry->next = entry;
  entry->wheel_ = nullptr;
  --linked_;
}

void TimerWheel::WaitForTick() {
  waiting_ = true;
  const absl::Duration delay = (turned_ + 1) * kTick - clock_->Monotonic();
  loop_->After(delay, [this, alive = std::weak_ptr<char>(alive_)]() {
    if (!alive.expired()) {
      Turn();
    }
  });
}

void TimerWheel::Turn() {
  const absl::Duration now = clock_->Monotonic();
  const int64_t end = TickBefore(now);
  // After a long pause one round visits everything.
  int64_t tick = std::max(turned_ + 1, end - static_cast<int64_t>(kSlots) + 1);
  for (; tick <= end; ++tick) {
    turned_ = tick;
    Visit(tick, now);
  }
  waiting_ = false;
  if (linked_ > 0) {
    WaitForTick();
  }
}

void TimerWheel::Visit(int64_t tick, absl::Duration now) {
  Node* const head = SlotOf(tick);
  if (head->next == head) {
    return;
  }
  // Moved to a list of its own: what OnDeadline() sets may be this slot's again, and what it
  // destroys may be in this list.
  Node due;
  due.next = head->next;
  due.previous = head->previous;
  due.next->previous = &due;
  due.previous->next = &due;
  head->next = head->previous = head;
  while (due.next != &due) {
    auto* const entry = static_cast<Entry*>(due.next);
    Unlink(entry);
    if (entry->deadline_ <= now) {
      entry->deadline_ = absl::InfiniteDuration();
      entry->OnDeadline();
    } else if (entry->deadline_ != absl::InfiniteDuration()) {
      Link(entry);
    }
  }
}

}  // namespace postrider
