// Goal: what is older than events are kept goes, and whoever did not get it is told.
// Method: as scenario_test.cc.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kKept = absl::Hours(2);
const std::vector<absl::Duration> kShort = {absl::ZeroDuration(), absl::Seconds(10)};

void Publish(World& world, int count, const std::string& type = "order.n",
             const std::string& key = "") {
  for (int i = 0; i < count; ++i) {
    world.Publish(type, absl::StrCat("{\"n\":", i, "}"), absl::StrCat("acme/shop", i % 5), key);
  }
  world.RunFor(absl::Seconds(5));
}

// An attempt every half hour.
std::vector<absl::Duration> HalfHours() {
  std::vector<absl::Duration> schedule(64, absl::Minutes(30));
  schedule.front() = absl::ZeroDuration();
  return schedule;
}

size_t AcceptedCount(const World& world) {
  size_t count = 0;
  for (const auto& [id, published] : world.published()) count += published.seq > 0 ? 1 : 0;
  return count;
}

size_t GoneCount(World& world) {
  size_t count = 0;
  for (const auto& [id, published] : world.published()) count += world.IsGone(published) ? 1 : 0;
  return count;
}

std::vector<std::string> ViolationsAtTheEnd(World& world) {
  world.CheckAllArrived();
  return world.violations();
}

TEST(Retention, WhatIsOldGoesAndTheRestIsThere) {
  World world({.seed = 1, .retention = kKept});
  FakeSubscriber& shop = world.Subscribe("order.*");
  Publish(world, 20);
  world.RunFor(absl::Hours(1));
  Publish(world, 10);
  world.RunFor(absl::Minutes(55));
  EXPECT_EQ(GoneCount(world), 0U);
  world.RunFor(absl::Minutes(10));
  EXPECT_EQ(GoneCount(world), 20U);
  Publish(world, 5);
  EXPECT_THAT(shop.arrivals(), SizeIs(35));
  EXPECT_THAT(world.news().expired_before(), IsEmpty()) << "nobody has missed anything";
  world.Crash();
  world.RunFor(absl::Minutes(5));
  EXPECT_THAT(shop.arrivals(), SizeIs(35));
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty());
}

TEST(Retention, WhoIsPausedForLongerGetsWhatIsLeftAndIsTold) {
  World world({.seed = 2, .retention = kKept});
  FakeSubscriber& well = world.Subscribe("order.*");
  FakeSubscriber& paused = world.Subscribe("order.*", {.paused = true});
  Publish(world, 600);
  world.RunFor(absl::Hours(2) + absl::Minutes(30));
  Publish(world, 20);
  EXPECT_EQ(GoneCount(world), 600U);
  EXPECT_THAT(world.news().expired_before(), SizeIs(1));
  world.Resume(paused);
  world.RunFor(absl::Minutes(1));
  EXPECT_THAT(paused.arrivals(), SizeIs(20));
  EXPECT_THAT(well.arrivals(), SizeIs(620));
  Publish(world, 5);
  EXPECT_THAT(paused.arrivals(), SizeIs(25)) << "it has caught up";
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty());
}

TEST(Retention, WhoComesBackToAnEmptyLogFollowsTheTailAgain) {
  World world({.seed = 3, .retention = kKept});
  FakeSubscriber& paused = world.Subscribe("order.*", {.paused = true});
  Publish(world, 30);
  world.RunFor(absl::Hours(3));
  EXPECT_EQ(GoneCount(world), 30U);
  world.Resume(paused);
  world.RunFor(absl::Minutes(5));
  EXPECT_THAT(paused.arrivals(), IsEmpty());
  Publish(world, 3);
  EXPECT_THAT(paused.arrivals(), SizeIs(3));
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty());
}

TEST(Retention, ADeadSubscribersDeliveriesBecomeDeadLettersAndThoseGoTooInTheEnd) {
  World world({.seed = 4, .retention = kKept});
  FakeSubscriber& dead =
      world.Subscribe("order.*", {.schedule = HalfHours(), .max_age = absl::Hours(24)});
  dead.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });
  Publish(world, 40);
  world.RunFor(absl::Hours(1));
  EXPECT_EQ(world.DeadLetterCount(dead), 0U);
  world.RunFor(absl::Hours(2));
  EXPECT_EQ(GoneCount(world), 40U);
  const size_t letters = world.DeadLetterCount(dead);
  EXPECT_GT(letters, 0U) << "those that were tried; the others were still in the log";
  EXPECT_THAT(world.news().expired_before(), SizeIs(1));
  dead.Heals();
  world.RunFor(absl::Minutes(20));
  Publish(world, 5);
  world.RunFor(absl::Minutes(10));
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty()) << "also: no exception waits";
  world.Crash();
  EXPECT_EQ(world.DeadLetterCount(dead), letters);
  world.RunFor(absl::Hours(30));
  EXPECT_EQ(world.DeadLetterCount(dead), 0U);
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty());
}

TEST(Retention, ACrashBetweenStepsLosesNothingThatIsKept) {
  for (uint64_t seed = 10; seed < 14; ++seed) {
    World world({.seed = seed, .failing_commits = 7, .retention = kKept});
    world.Subscribe("order.*");
    FakeSubscriber& paused = world.Subscribe("order.*", {.paused = true});
    FakeSubscriber& slow = world.Subscribe("order.*", {.schedule = kShort, .max_in_flight = 1});
    slow.AnswersAfter(absl::Seconds(9));
    Publish(world, 1500);
    const size_t old = AcceptedCount(world);
    world.RunFor(absl::Hours(1));
    Publish(world, 50);
    const size_t kept = AcceptedCount(world) - old;
    world.RunFor(absl::Minutes(59) + absl::Seconds(48));
    while (GoneCount(world) < old) {
      world.RunFor(absl::Milliseconds(20 + world.random().Below(100)));
      if (world.random().OneIn(3)) world.Crash();
      ASSERT_LT(world.now(), absl::Hours(3));
    }
    world.Resume(paused);
    slow.Heals();
    world.RunFor(absl::Minutes(10));
    EXPECT_THAT(paused.arrivals(), SizeIs(testing::Ge(kept)));
    EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty()) << "seed " << seed;
  }
}

TEST(Retention, TheNextOfAKeyFollowsOneThatHasGone) {
  World world({.seed = 5, .retention = kKept});
  FakeSubscriber& ordered = world.Subscribe(
      "order.*", {.schedule = HalfHours(), .order = OrderMode::kByKey, .max_age = absl::Hours(24)});
  ordered.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });
  Publish(world, 5, "order.first", "key");
  world.RunFor(absl::Minutes(30));
  world.Pause(ordered);
  Publish(world, 5, "order.second", "key");
  world.RunFor(absl::Minutes(100));
  EXPECT_EQ(GoneCount(world), 5U);
  ordered.Heals();
  const size_t before = ordered.arrivals().size();
  world.Resume(ordered);
  world.RunFor(absl::Minutes(10));
  EXPECT_EQ(ordered.arrivals().size() - before, 5U);
  EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty());
}

TEST(Retention, WhatIsOnTheWireWhenItsEventGoesIsADeadLetterIfItFails) {
  for (const OrderMode order : {OrderMode::kUnordered, OrderMode::kByKey, OrderMode::kStrict}) {
    World world({.seed = 7, .retention = kKept});
    FakeSubscriber& shop = world.Subscribe("order.*", {.paused = true, .order = order});
    for (int i = 0; i < 5; ++i) world.Publish("order.old", "{}", "acme", "key");
    world.RunFor(absl::Minutes(119) + absl::Seconds(30));
    shop.AnswersBy(
        [] { return FakeSubscriber::Answer{.http_status = 500, .delay = absl::Seconds(15)}; });
    world.Resume(shop);
    world.RunFor(absl::Hours(1));
    EXPECT_EQ(GoneCount(world), 5U);
    EXPECT_GE(shop.arrivals().size(), 1U);
    EXPECT_GE(world.DeadLetterCount(shop), 1U);
    shop.Heals();
    world.Publish("order.new", "{}", "acme", "key");
    world.RunFor(absl::Minutes(10));
    EXPECT_EQ(shop.arrivals().back().type, "order.new");
    EXPECT_THAT(ViolationsAtTheEnd(world), IsEmpty()) << static_cast<int>(order);
  }
}

TEST(Retention, AReplayWhoseEventsHaveGoneIsDone) {
  World world({.seed = 6, .retention = kKept});
  FakeSubscriber& shop = world.Subscribe("order.*");
  Publish(world, 20);
  world.Pause(shop);
  const std::string id = world.Replay(shop, absl::ZeroDuration());
  world.RunFor(absl::Hours(3));
  world.Resume(shop);
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(world.ReplayOf(id).replay->state, ReplayState::kDone);
  EXPECT_THAT(shop.arrivals(), SizeIs(20));
}

}  // namespace
}  // namespace postrider
