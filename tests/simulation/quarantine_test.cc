// Goal: what kills the process by our own fault is given up after its third time, and holds up
// nothing else; being killed counts for nothing (docs/engine.md E8).
// Method: the real dispatch and store in simulated time; the process dies when it is about to send
// a certain event to a certain subscriber, and is started anew.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kPoison[] = "order.poison";
constexpr char kItsDeath[] = "order.poison after 1 attempts, 0";

void PublishAround(World& world, const std::string& key = "") {
  for (int i = 0; i < 5; ++i) world.Publish("order.paid", "{}", "acme", key);
  world.Publish(kPoison, "{}", "acme", key);
  for (int i = 0; i < 5; ++i) world.Publish("order.sent", "{}", "acme", key);
}

// A commit that fails refuses its events.
void PublishRefused(World& world) {
  for (const auto& [id, published] : world.published()) {
    if (published.answer == Answer::kRefused) world.PublishAgain(id);
  }
}

size_t CountOf(const FakeSubscriber& subscriber, const std::string& type) {
  const std::vector<std::string> types = subscriber.ArrivalTypes();
  return std::count(types.begin(), types.end(), type);
}

class QuarantineInOrder : public testing::TestWithParam<OrderMode> {};

TEST_P(QuarantineInOrder, TheThirdDeathIsTheLastAndTheOthersFlow) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World world({.seed = seed, .failing_commits = seed % 2 == 0 ? 10U : 0U, .stalls = true});
    FakeSubscriber& shop = world.Subscribe("order.*", {.order = GetParam()});
    FakeSubscriber& other = world.Subscribe("order.*", {.order = GetParam()});
    shop.IsDeadlyFor(kPoison);
    PublishAround(world, "basket");
    world.RunFor(absl::Minutes(5));
    PublishRefused(world);
    world.RunFor(absl::Minutes(5));

    EXPECT_EQ(world.OwnDeaths(), 3);
    EXPECT_THAT(world.DeadLetters(), ElementsAre(kItsDeath));
    EXPECT_THAT(world.news().texts(), Contains("1 dead: order.poison, reason 4"));
    EXPECT_GE(CountOf(shop, "order.sent"), 5U);
    EXPECT_EQ(CountOf(shop, kPoison), 0U);
    EXPECT_GE(CountOf(other, kPoison), 1U);
    world.CheckAllArrived();
    EXPECT_THAT(world.violations(), IsEmpty());

    world.Crash();
    world.RunFor(absl::Minutes(1));
    EXPECT_EQ(world.OwnDeaths(), 3) << "it stays dead";
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, QuarantineInOrder,
                         testing::Values(OrderMode::kUnordered, OrderMode::kByKey,
                                         OrderMode::kStrict));

TEST(Quarantine, NoNumberOfKillsQuarantinesAnything) {
  World world({.seed = 31});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.AnswersAfter(absl::Seconds(1));
  PublishAround(world);
  world.RunFor(absl::Milliseconds(100));
  for (int i = 0; i < 12; ++i) {
    EXPECT_GT(shop.in_flight(), 0);
    world.Crash();
    world.RunFor(absl::Milliseconds(100));
  }
  shop.Heals();
  world.RunFor(absl::Minutes(5));
  EXPECT_THAT(world.DeadLetters(), IsEmpty());
  EXPECT_EQ(world.OwnDeaths(), 0);
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Quarantine, WhatWasWorkedOnToItsEndIsNoSuspectAnyMore) {
  World world({.seed = 32});
  FakeSubscriber& shop = world.Subscribe("order.*");
  for (int round = 0; round < 4; ++round) {
    shop.IsDeadlyFor(kPoison);
    world.Publish(kPoison, "{}");
    while (world.OwnDeaths() <= 2 * round + 1) world.RunSteps(1);  // Two deaths of each.
    shop.IsDeadlyFor("");
    world.RunFor(absl::Minutes(1));
    EXPECT_EQ(CountOf(shop, kPoison), round + 1U);
  }
  world.CheckAllArrived();
  EXPECT_THAT(world.DeadLetters(), IsEmpty());
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Quarantine, WhoReadsByHimselfGivesUpToo) {
  World world({.seed = 33});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.IsDeadlyFor(kPoison);
  world.Pause(shop);
  for (int i = 0; i < 10; ++i) PublishAround(world);
  world.RunFor(absl::Minutes(1));
  world.Resume(shop);
  world.RunFor(absl::Minutes(10));
  EXPECT_THAT(world.DeadLetters(), SizeIs(10));
  EXPECT_EQ(world.OwnDeaths(), 30);
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Quarantine, OneThatIsRedrivenHasAllItsTries) {
  World world({.seed = 34});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.IsDeadlyFor(kPoison);
  PublishAround(world);
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(world.OwnDeaths(), 3);

  while (world.Redrive(shop) == 0) continue;
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(world.OwnDeaths(), 6) << "it is still deadly";

  shop.IsDeadlyFor("");
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(CountOf(shop, kPoison), 0U);
  while (world.Redrive(shop) == 0) continue;
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(CountOf(shop, kPoison), 1U);
  EXPECT_EQ(world.OwnDeaths(), 6);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Quarantine, AReplayDoesNotTryItAgain) {
  World world({.seed = 35});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.IsDeadlyFor(kPoison);
  PublishAround(world);
  world.RunFor(absl::Minutes(5));
  const size_t before = CountOf(shop, "order.sent");
  const std::string replay = world.Replay(shop, absl::ZeroDuration());
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(world.OwnDeaths(), 3);
  EXPECT_EQ(world.ReplayOf(replay).replay->state, ReplayState::kDone);
  EXPECT_EQ(CountOf(shop, "order.sent"), before + 5);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Quarantine, ASuspectIsAloneOnTheWireOfItsLoop) {
  World world({.seed = 36, .loops = 1});
  FakeSubscriber& shop = world.Subscribe("poison");
  FakeSubscriber& other = world.Subscribe("order.*", {.max_in_flight = 64});
  other.AnswersAfter(absl::Milliseconds(300));
  for (int i = 0; i < 200; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Milliseconds(950));
  EXPECT_GT(other.in_flight(), 0);
  shop.IsDeadlyFor("poison");
  world.Publish("poison", "{}");
  while (world.OwnDeaths() == 0) world.RunSteps(1);
  shop.IsDeadlyFor("");

  std::vector<int> beside;
  shop.AnswersBy([&] {
    beside.push_back(other.in_flight());
    return FakeSubscriber::Answer{.delay = absl::Seconds(1)};
  });
  world.RunFor(absl::Minutes(2));
  EXPECT_THAT(beside, ElementsAre(0));
  const Arrival& alone = shop.arrivals().at(0);
  for (const Arrival& arrival : other.arrivals()) {
    EXPECT_FALSE(arrival.time >= alone.time && arrival.time < alone.answer_time);
  }
  world.CheckAllArrived();
  EXPECT_EQ(world.OwnDeaths(), 1);
  EXPECT_THAT(world.violations(), IsEmpty());
}

}  // namespace
}  // namespace postrider
