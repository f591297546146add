#include "gateway/base/clock.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"

namespace postrider {
namespace {

TEST(ClockTest, MonotonicNeverGoesBack) {
  absl::Duration last = SystemClock()->Monotonic();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Duration now = SystemClock()->Monotonic();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(ClockTest, MonotonicMoves) {
  const absl::Duration begin = SystemClock()->Monotonic();
  int looks = 0;
  while (SystemClock()->Monotonic() == begin && looks < 1'000'000) {
    ++looks;
  }
  EXPECT_GT(SystemClock()->Monotonic(), begin);
}

TEST(ClockTest, NowIsAPlausibleDate) {
  EXPECT_GT(SystemClock()->Now(), absl::FromUnixSeconds(1'700'000'000));
}

}  // namespace
}  // namespace postrider
