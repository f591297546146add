#include "gateway/health_board.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(HealthBoard, ShowsWhatWasToldLast) {
  HealthBoard board;
  EXPECT_FALSE(board.Find(1).has_value());
  SubscriptionHealth health;
  health.failures_in_a_row = 3;
  board.Put(1, health);
  health.failures_in_a_row = 4;
  board.Put(1, health);
  ASSERT_TRUE(board.Find(1).has_value());
  EXPECT_EQ(board.Find(1)->failures_in_a_row, 4);
  EXPECT_FALSE(board.Find(2).has_value());
  board.Erase(1);
  EXPECT_FALSE(board.Find(1).has_value());
}

}  // namespace
}  // namespace postrider
