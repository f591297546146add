// Goal: a loop that hangs is noticed by others.
#include "gateway/base/loop_watch.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/manual_loop.h"

namespace postrider {
namespace {

TEST(LoopWatch, CountsFromTheFirstUnansweredQuestion) {
  ManualLoop well;
  ManualLoop hangs;
  LoopWatch watch({&well, &hangs}, &well);
  EXPECT_EQ(watch.Silence(), absl::ZeroDuration()) << "nobody was asked";
  for (int i = 0; i < 20; ++i) {
    watch.Ask();
    well.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(watch.Silence(), absl::Seconds(20));
  EXPECT_EQ(hangs.task_count(), 1U) << "asked once";
  hangs.Run();
  EXPECT_EQ(watch.Silence(), absl::ZeroDuration());
}

TEST(LoopWatch, MayBeGoneBeforeTheAnswer) {
  ManualLoop loop;
  std::optional<LoopWatch> watch;
  watch.emplace(std::vector<Loop*>{&loop}, &loop);
  watch->Ask();
  watch.reset();
  loop.Run();
}

}  // namespace
}  // namespace postrider
