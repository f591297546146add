#include "gateway/dispatch/steady_time.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

// Both clocks, of which the wall clock can step.
class SteadyTimeTest : public testing::Test {
 protected:
  SteadyTimeTest() { time_.Update(wall_, monotonic_); }

  void Pass(absl::Duration span) {
    wall_ += span;
    monotonic_ += span;
  }
  absl::Duration Read() { return time_.Update(wall_, monotonic_); }
  absl::Duration Passed() {
    Read();
    return time_.now() - kStart;
  }

  absl::Time wall_ = kStart;
  absl::Duration monotonic_ = absl::Hours(3);
  SteadyTime time_;
};

TEST_F(SteadyTimeTest, GoesWithTheWallClock) {
  Pass(absl::Hours(5));
  EXPECT_EQ(Read(), absl::ZeroDuration());
  EXPECT_EQ(time_.now(), wall_);
  EXPECT_EQ(time_.wall_offset(), absl::ZeroDuration());
}

TEST_F(SteadyTimeTest, AStepIsToldOnceAndNotFollowed) {
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(2), absl::Hours(24 * 3650)}) {
    SCOPED_TRACE(absl::FormatDuration(step));
    const absl::Duration before = Passed();
    Pass(absl::Seconds(10));
    wall_ += step;
    EXPECT_EQ(Read(), step);
    EXPECT_EQ(Read(), absl::ZeroDuration());
    EXPECT_EQ(Passed() - before, absl::Seconds(10));
    EXPECT_EQ(time_.wall_offset(), wall_ - time_.now());
  }
}

TEST_F(SteadyTimeTest, ALongSleepBeforeAStepPaysForNoCorrection) {
  Pass(absl::Hours(24));
  wall_ += absl::Minutes(5);
  Read();
  EXPECT_EQ(Passed(), absl::Hours(24));
}

TEST_F(SteadyTimeTest, ASmallStepIsNotToldAndIsCorrectedLikeALargeOne) {
  wall_ += absl::Seconds(2);
  EXPECT_EQ(Read(), absl::ZeroDuration());
  EXPECT_EQ(Passed(), absl::ZeroDuration());
  Pass(absl::Seconds(1000));
  EXPECT_EQ(Passed(), absl::Seconds(1001));
}

TEST_F(SteadyTimeTest, AgreesWithTheWallClockAgainAfterAThousandTimesAsLong) {
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(1)}) {
    SCOPED_TRACE(absl::FormatDuration(step));
    wall_ += step;
    Read();
    for (int hour = 0; hour < 999; ++hour) {
      Pass(absl::Hours(1));
      Read();
      EXPECT_NE(time_.now(), wall_);
    }
    Pass(absl::Hours(1));
    Read();
    EXPECT_EQ(time_.now(), wall_);
  }
}

}  // namespace
}  // namespace postrider
