#include "gateway/dispatch/read_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider {
namespace {

using testing::Eq;
using testing::Optional;

TEST(ReadBudget, AddsUpWhatEachHolds) {
  ReadBudget budget(100);
  budget.SetHeld(1, 60);
  budget.SetHeld(2, 30);
  EXPECT_TRUE(budget.has_room());
  budget.SetHeld(1, 70);
  EXPECT_EQ(budget.used(), 100U);
  EXPECT_FALSE(budget.has_room());
  budget.SetHeld(2, 0);
  EXPECT_EQ(budget.used(), 70U);
  budget.Remove(1);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ReadBudget, WhoWaitsIsTakenInOrderOnceThereIsRoom) {
  ReadBudget budget(100);
  budget.SetHeld(9, 100);
  for (const SubscriptionNumber number : {3, 1, 2, 3}) {
    budget.Wait(number);
  }
  EXPECT_FALSE(budget.TakeWaiting().has_value());
  budget.SetHeld(9, 99);
  budget.StopWaiting(1);
  EXPECT_THAT(budget.TakeWaiting(), Optional(Eq(3U)));
  EXPECT_THAT(budget.TakeWaiting(), Optional(Eq(2U)));
  EXPECT_FALSE(budget.TakeWaiting().has_value());
}

TEST(ReadBudget, WhoIsGoneIsNotTaken) {
  ReadBudget budget(100);
  budget.Wait(1);
  budget.Remove(1);
  EXPECT_FALSE(budget.TakeWaiting().has_value());
}

TEST(ReadEntries, CountEachOnceUntilItIsDropped) {
  ReadEntries entries;
  entries.Add(0, 7, 10);
  entries.Add(1, 7, 5);
  entries.Add(0, 7, 10);
  EXPECT_EQ(entries.bytes(), 15U);
  entries.Drop(0, 7);
  entries.Drop(0, 8);
  EXPECT_EQ(entries.bytes(), 5U);
}

}  // namespace
}  // namespace postrider
