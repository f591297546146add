// Goal: what may be in flight follows from what the subscriber bears.
#include "gateway/dispatch/concurrency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace postrider {
namespace {

using testing::ElementsAre;

constexpr absl::Duration kQuick = absl::Milliseconds(10);

class ConcurrencyTest : public testing::Test {
 protected:
  ConcurrencyTest() { limit_.Configure(10, 64); }

  // A whole window of successes; the limit after it.
  int Window(absl::Duration latency = kQuick) {
    for (int left = limit_.limit(); left > 0; --left) limit_.OnSuccess(latency, limit_.limit());
    return limit_.limit();
  }
  std::vector<int> Windows(int count) {
    std::vector<int> limits;
    for (int i = 0; i < count; ++i) limits.push_back(Window());
    return limits;
  }

  ConcurrencyLimit limit_;
};

TEST_F(ConcurrencyTest, DoublesAtFirstAndThenGrowsByOne) {
  EXPECT_EQ(limit_.limit(), 1);
  EXPECT_THAT(Windows(6), ElementsAre(2, 4, 8, 10, 11, 12));
  for (int i = 0; i < 100; ++i) Window();
  EXPECT_EQ(limit_.limit(), 64);
}

TEST_F(ConcurrencyTest, ALowLimitOfTheOwnersIsTheEnd) {
  limit_.Configure(3, 3);
  EXPECT_THAT(Windows(4), ElementsAre(2, 3, 3, 3));
  limit_.Configure(2, 2);
  EXPECT_EQ(limit_.limit(), 2);
}

TEST_F(ConcurrencyTest, DoesNotGrowWhileAnswersTakeThreeTimesAsLong) {
  Windows(5);
  EXPECT_EQ(Window(3 * kQuick), 11);
  EXPECT_EQ(Window(2 * kQuick), 12);
}

TEST_F(ConcurrencyTest, WhoHasBecomeSlowerForGoodIsMeasuredAnew) {
  Windows(5);
  for (int i = 0; i < 20; ++i) Window(3 * kQuick);
  EXPECT_GT(limit_.limit(), 11);
}

TEST_F(ConcurrencyTest, HalvesOnceAWindow) {
  Windows(4);
  for (int i = 0; i < 5; ++i) limit_.OnOverload();
  EXPECT_EQ(limit_.limit(), 5);
  limit_.OnOverload();
  EXPECT_EQ(limit_.limit(), 2);
  for (int i = 0; i < 10; ++i) limit_.OnOverload();
  EXPECT_EQ(limit_.limit(), 1);
}

TEST_F(ConcurrencyTest, AfterAHalvingItGrowsByOne) {
  Windows(4);
  limit_.OnOverload();
  EXPECT_THAT(Windows(2), ElementsAre(6, 7));
  limit_.Restart();
  EXPECT_THAT(Windows(4), ElementsAre(2, 4, 8, 10));
}

TEST_F(ConcurrencyTest, WhatIsNotUsedIsNotProven) {
  for (int i = 0; i < 1000; ++i) limit_.OnSuccess(kQuick, 1);
  EXPECT_EQ(limit_.limit(), 4);
}

}  // namespace
}  // namespace postrider
