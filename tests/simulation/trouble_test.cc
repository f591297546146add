// Goal: what a failing or full store and a stepping wall clock mean for publishers and subscribers.
// Method: as in scenario_test.cc.
#include <algorithm>
#include <string>

#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Its first attempt fails at once; the second is due after 5 s, the third after 30 s more, each up
// to a tenth earlier.
class ClockStep : public testing::TestWithParam<absl::Duration> {
 protected:
  World world_{{.seed = 60}};
};

TEST_P(ClockStep, HurriesAndDelaysNoRetry) {
  FakeSubscriber& shop = world_.Subscribe("");
  shop.Answers({500, 500});
  world_.Publish("order.paid", "{}");
  world_.RunFor(absl::Seconds(1));
  world_.StepClock(GetParam());
  world_.RunFor(absl::Seconds(10));
  EXPECT_EQ(shop.arrivals().size(), 2U);  // Was loaded, or known to be next.
  world_.StepClock(-GetParam());
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(shop.arrivals().size(), 3U);
  EXPECT_THAT(world_.violations(), IsEmpty());
}

// What was stored by a clock that was wrong holds up nothing for ever.
TEST_P(ClockStep, IsOverAtTheNextStart) {
  if (GetParam() > absl::Hours(24)) return;  // It is too old then, by all that is known (E6).
  FakeSubscriber& shop = world_.Subscribe("");
  shop.Answers({500});
  world_.Publish("order.paid", "{}");
  world_.RunFor(absl::Seconds(1));
  world_.StepClock(GetParam());
  world_.Crash();
  const absl::Duration late = std::max(-GetParam(), absl::ZeroDuration());
  world_.RunFor(absl::Seconds(10) + (late > kScheduleStepMax ? absl::ZeroDuration() : late));
  EXPECT_EQ(shop.arrivals().size(), 2U);
  EXPECT_THAT(world_.violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Spans, ClockStep,
                         testing::Values(absl::Seconds(3), -absl::Seconds(3), absl::Hours(1),
                                         -absl::Hours(1), absl::Hours(24 * 3650),
                                         -absl::Hours(24 * 3650)));

TEST(StoreTrouble, AFullStoreTakesNoEventsAndLetsOutcomesThrough) {
  World world({.seed = 61});
  FakeSubscriber& shop = world.Subscribe("");
  shop.Answers({500});
  const Uuid before = world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(1));
  world.StoreIsFull(true);
  const Uuid refused = world.Publish("order.sent", "{}");
  world.RunFor(absl::Seconds(10));
  EXPECT_EQ(world.published().at(refused).answer, Answer::kRefused);
  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.paid", "order.paid"));
  world.StoreIsFull(false);
  world.PublishAgain(refused);
  world.RunFor(absl::Seconds(1));
  EXPECT_EQ(world.published().at(refused).answer, Answer::kAccepted);
  EXPECT_EQ(world.published().at(before).answer, Answer::kAccepted);
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(StoreTrouble, WhatAFailingStoreDoesNotTakeIsWrittenWhenItIsWell) {
  World world({.seed = 62});
  FakeSubscriber& shop = world.Subscribe("");
  shop.AnswersAfter(absl::Seconds(2));
  world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(1));
  world.StoreFails(true);
  const Uuid refused = world.Publish("order.sent", "{}");
  world.RunFor(absl::Minutes(10));
  EXPECT_EQ(world.published().at(refused).answer, Answer::kRefused);
  world.StoreFails(false);
  world.RunFor(absl::Seconds(10));
  world.CheckAllArrived();
  world.Crash();  // Its outcome was stored: nothing is sent again.
  world.RunFor(absl::Seconds(10));
  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.paid"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

}  // namespace
}  // namespace postrider
