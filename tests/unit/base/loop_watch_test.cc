// Goal: a loop that hangs is noticed by others.
#include "gateway/base/loop_watch.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <utility>

namespace postrider {
namespace {

class StepClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + monotonic; }
  absl::Duration Monotonic() const override { return monotonic; }

  absl::Duration monotonic = absl::Hours(1);
};

class KeptTasks final : public Loop {
 public:
  void Post(Task task) override { tasks.push_back(std::move(task)); }
  void After(absl::Duration, Task) override {}
  void RunAll() {
    for (; !tasks.empty(); tasks.pop_front()) std::move(tasks.front())();
  }

  std::deque<Task> tasks;
};

TEST(LoopWatch, CountsFromTheFirstUnansweredQuestion) {
  StepClock clock;
  KeptTasks well;
  KeptTasks hangs;
  LoopWatch watch({&well, &hangs}, &clock);
  EXPECT_EQ(watch.Silence(), absl::ZeroDuration()) << "nobody was asked";
  for (int i = 0; i < 20; ++i) {
    watch.Ask();
    well.RunAll();
    clock.monotonic += absl::Seconds(1);
  }
  EXPECT_EQ(watch.Silence(), absl::Seconds(20));
  EXPECT_EQ(hangs.tasks.size(), 1U) << "asked once";
  hangs.RunAll();
  EXPECT_EQ(watch.Silence(), absl::ZeroDuration());
}

TEST(LoopWatch, MayBeGoneBeforeTheAnswer) {
  StepClock clock;
  KeptTasks loop;
  std::optional<LoopWatch> watch;
  watch.emplace(std::vector<Loop*>{&loop}, &clock);
  watch->Ask();
  watch.reset();
  loop.RunAll();
}

}  // namespace
}  // namespace postrider
