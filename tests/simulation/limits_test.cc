// Goal: what a policy's longest age and longest body mean for a subscriber.
// Method: as in scenario_test.cc.
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Limits, ABodyThatIsTooLargeIsADeadLetterAndTheNextGoesOn) {
  World world({.seed = 40});
  FakeSubscriber& shop = world.Subscribe("", {.order = OrderMode::kStrict, .max_body_bytes = 256});
  FakeSubscriber& other = world.Subscribe("");

  world.Publish("order.paid", std::string(300, 'x'));
  world.Publish("order.sent", "{}");
  world.RunFor(absl::Seconds(10));

  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.sent"));
  EXPECT_THAT(other.ArrivalTypes(), ElementsAre("order.paid", "order.sent"));
  EXPECT_THAT(world.DeadLetters(), ElementsAre("order.paid after 1 attempts, 0"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Limits, WhatGetsTooOldIsTriedNoMore) {
  World world({.seed = 41});
  FakeSubscriber& shop = world.Subscribe("", {.max_age = absl::Minutes(1)});
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });

  world.Publish("order.paid", "{}");
  world.RunFor(absl::Hours(1));

  EXPECT_THAT(shop.arrivals(), testing::SizeIs(3));
  EXPECT_THAT(world.DeadLetters(), ElementsAre("order.paid after 4 attempts, 0"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Limits, WhatWaitsWhileItIsPausedGetsNoOlder) {
  World world({.seed = 42});
  FakeSubscriber& shop = world.Subscribe("", {.max_age = absl::Minutes(1)});
  world.Pause(shop);
  world.RunFor(absl::Seconds(1));

  world.Publish("order.paid", "{}");
  world.RunFor(absl::Hours(1));
  world.Crash();
  world.RunFor(absl::Hours(1));
  world.Resume(shop);
  world.RunFor(absl::Seconds(10));

  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.paid"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

}  // namespace
}  // namespace postrider
