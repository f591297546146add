// Goal: no more exchanges begin than a subscription's rate, or the ramp after an outage, allows.
#include "gateway/dispatch/rate_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace postrider {
namespace {

using testing::ElementsAre;

class RateLimiterTest : public testing::Test {
 protected:
  // Starts all that it may until `span` later, as soon as it may; how many in each second.
  std::vector<int> StartsInSeconds(int seconds, int most = 100'000) {
    std::vector<int> starts(seconds);
    const absl::Duration begin = now_;
    const absl::Duration end = now_ + absl::Seconds(seconds);
    while (now_ < end && most-- > 0) {
      if (const auto next = limiter_.NextStart(now_); next.has_value()) {
        EXPECT_GT(*next, now_);
        now_ = *next;
        continue;
      }
      limiter_.OnStart(now_);
      ++starts[absl::ToInt64Seconds(now_ - begin)];
    }
    now_ = end;
    return starts;
  }

  RateLimiter limiter_;
  absl::Duration now_ = absl::Seconds(1000);
};

TEST_F(RateLimiterTest, WithoutARateAllMayStart) { EXPECT_TRUE(limiter_.MayStart(now_)); }

TEST_F(RateLimiterTest, KeepsTheRateAfterABurstOfATenth) {
  limiter_.Configure(100);
  EXPECT_THAT(StartsInSeconds(2), ElementsAre(109, 100));
}

TEST_F(RateLimiterTest, ALowRateStartsOneAtATime) {
  limiter_.Configure(0.5);
  EXPECT_THAT(StartsInSeconds(5), ElementsAre(1, 0, 1, 0, 1));
}

TEST_F(RateLimiterTest, ARestSavesNoMoreThanTheBurst) {
  limiter_.Configure(100);
  now_ += absl::Hours(1);
  EXPECT_THAT(StartsInSeconds(1), ElementsAre(109));
}

TEST_F(RateLimiterTest, AChangedRateCountsFromNowOn) {
  limiter_.Configure(0.001);
  limiter_.OnStart(now_);
  EXPECT_FALSE(limiter_.MayStart(now_));
  limiter_.Configure(10);
  EXPECT_TRUE(limiter_.MayStart(now_));
}

TEST_F(RateLimiterTest, TheRampDoublesEachSecondAndEnds) {
  limiter_.StartRamp(now_);
  EXPECT_THAT(StartsInSeconds(10), ElementsAre(1, 2, 4, 8, 16, 32, 64, 128, 256, 512));
  EXPECT_THAT(StartsInSeconds(1, 5000), ElementsAre(5000));
}

TEST_F(RateLimiterTest, TheRampDoesNotReplaceTheRate) {
  limiter_.Configure(4);
  limiter_.StartRamp(now_);
  EXPECT_THAT(StartsInSeconds(5), ElementsAre(1, 2, 4, 4, 4));
}

}  // namespace
}  // namespace postrider
