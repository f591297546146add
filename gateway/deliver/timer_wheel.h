#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

namespace postrider {

// Deadlines by the ten thousand, most of which never come: putting one off costs an assignment.
//
// Coarse: a deadline is told at most one tick late and never early. Lives on a loop, on which it
// has one timer while any deadline is set.
class TimerWheel {
 private:
  // A place in a circular list; alone at first.
  struct Node {
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    Node* previous = this;
    Node* next = this;
  };

 public:
  static constexpr absl::Duration kTick = absl::Milliseconds(20);

  // Something that has a deadline, or none. It may be destroyed at any time before the wheel.
  class Entry : private Node {
   protected:
    Entry() = default;
    virtual ~Entry();

    // The deadline has passed, and there is none until another one is set.
    virtual void OnDeadline() = 0;

   private:
    friend class TimerWheel;

    TimerWheel* wheel_ = nullptr;  // Null: not linked.
    absl::Duration deadline_ = absl::InfiniteDuration();
    absl::Duration visit_time_;  // When the wheel looks at it next, if linked.
  };

  // `loop` and `clock` outlive it.
  TimerWheel(Loop* loop, const Clock* clock);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Sets `entry`'s deadline on clock->Monotonic(), in place of the one before; InfiniteDuration:
  // none.
  void Set(Entry* entry, absl::Duration deadline);

 private:
  static constexpr size_t kSlots = 1024;

  Node* SlotOf(int64_t tick) { return &slots_[static_cast<size_t>(tick) % kSlots]; }

  void Link(Entry* entry);
  void Unlink(Entry* entry);
  void WaitForTick();
  void Turn();
  void Visit(int64_t tick, absl::Duration now);

  Loop* const loop_;
  const Clock* const clock_;
  std::array<Node, kSlots> slots_;
  size_t linked_ = 0;
  int64_t turned_ = 0;    // The last tick visited.
  bool waiting_ = false;  // For a tick; if not, turned_ stands still.
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // Asked by the timer's task.
};

}  // namespace postrider
