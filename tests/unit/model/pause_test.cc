#include "gateway/model/pause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

absl::Time At(int64_t hours) { return absl::UnixEpoch() + absl::Hours(hours); }

TEST(Pause, IsNotedOnceWithItsBeginAndItsEnd) {
  std::vector<Pause> pauses;
  NotePause(false, At(1), &pauses);
  NotePause(true, At(2), &pauses);
  NotePause(true, At(3), &pauses);
  EXPECT_THAT(pauses, ElementsAre(Pause{At(2), {}}));
  NotePause(false, At(4), &pauses);
  NotePause(false, At(5), &pauses);
  NotePause(true, At(6), &pauses);
  EXPECT_THAT(pauses, ElementsAre(Pause{At(2), At(4)}, Pause{At(6), {}}));
}

TEST(Pause, StaysInOrderWhenTheClockStepsBack) {
  std::vector<Pause> pauses;
  NotePause(true, At(5), &pauses);
  NotePause(false, At(3), &pauses);
  NotePause(true, At(4), &pauses);
  EXPECT_THAT(pauses, ElementsAre(Pause{At(5), At(5)}, Pause{At(5), {}}));
}

TEST(Pause, TheOldestBecomeOne) {
  std::vector<Pause> pauses;
  for (size_t i = 0; i <= kPausesMax; ++i) {
    NotePause(true, At(static_cast<int64_t>(4 * i)), &pauses);
    NotePause(false, At(static_cast<int64_t>(4 * i + 1)), &pauses);
  }
  EXPECT_THAT(pauses, SizeIs(kPausesMax));
  EXPECT_EQ(pauses[0], (Pause{At(0), At(5)}));
  EXPECT_EQ(pauses[1], (Pause{At(8), At(9)}));
}

TEST(Pause, WithoutOneTheAgeIsTheTimeSince) {
  EXPECT_EQ(EndOfAge(At(0), absl::Hours(2), {}), At(2));
}

TEST(Pause, MovesTheEndByWhatFallsInto) {
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(11), At(13)}}), At(16));
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(8), At(11)}}), At(15)) << "began before";
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(8), At(10)}}), At(14)) << "was over";
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(14), At(20)}}), At(14)) << "came too late";
}

TEST(Pause, MayMoveTheEndIntoTheNext) {
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(11), At(13)}, {At(15), At(18)}}), At(19));
}

TEST(Pause, NothingEndsWhileOneLasts) {
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(13), {}}}), absl::InfiniteFuture());
  EXPECT_EQ(EndOfAge(At(10), absl::Hours(4), {{At(14), {}}}), At(14));
}

}  // namespace
}  // namespace postrider
