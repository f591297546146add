// Goal: what a subscriber sees of the rules of delivery, one at a time.
// Method: the real dispatch and store in simulated time, with scripted subscribers; no thread, no
// socket.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<absl::Duration> kTwoRetries = {absl::ZeroDuration(), absl::Seconds(10),
                                                 absl::Seconds(20)};

TEST(Delivery, ReachesWhoAskedForIt) {
  World world({.seed = 1});
  FakeSubscriber& orders = world.Subscribe("order.*");
  FakeSubscriber& users = world.Subscribe("user.*");
  FakeSubscriber& all = world.Subscribe("");

  world.Publish("order.paid", R"({"order":1})");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(orders.ArrivalTypes(), ElementsAre("order.paid"));
  EXPECT_THAT(users.ArrivalTypes(), IsEmpty());
  EXPECT_THAT(all.ArrivalTypes(), ElementsAre("order.paid"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Delivery, AncestorsGetTheEventsOfTheirDescendants) {
  World world({.seed = 2});
  FakeSubscriber& above = world.Subscribe("", {.organization = "acme"});
  FakeSubscriber& self = world.Subscribe("", {.organization = "acme", .scope = Scope::kSelf});
  FakeSubscriber& beside = world.Subscribe("", {.organization = "globex"});

  world.Publish("order.paid", "{}", "acme/shop");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(above.arrivals(), SizeIs(1));
  EXPECT_THAT(self.arrivals(), IsEmpty());
  EXPECT_THAT(beside.arrivals(), IsEmpty());
}

TEST(Delivery, NothingBeforeTheSubscriptionIsOwed) {
  World world({.seed = 3});
  world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(1));
  FakeSubscriber& late = world.Subscribe("");

  world.Publish("order.sent", "{}");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(late.ArrivalTypes(), ElementsAre("order.sent"));
}

TEST(Retry, BacksOffThenGoesToDeadLetters) {
  World world({.seed = 4});
  FakeSubscriber& shop = world.Subscribe("order.*", {.schedule = kTwoRetries});
  shop.Answers({503, 503, 503});

  world.Publish("order.paid", R"({"order":1})");
  world.RunFor(absl::Hours(1));

  const std::vector<int64_t> seconds = shop.ArrivalSeconds();
  ASSERT_THAT(seconds, SizeIs(3));
  EXPECT_EQ(seconds[0], 0);
  EXPECT_THAT(seconds[1], testing::AllOf(testing::Ge(9), testing::Le(10)));
  EXPECT_THAT(seconds[2] - seconds[1], testing::AllOf(testing::Ge(17), testing::Le(20)));
  EXPECT_THAT(world.DeadLetters(), ElementsAre("order.paid after 3 attempts, 503"));
}

TEST(Retry, TheBuiltInScheduleIsTwelveAttemptsInADay) {
  World world({.seed = 5});
  FakeSubscriber& shop = world.Subscribe("");
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });

  world.Publish("order.paid", "{}");
  world.RunFor(absl::Hours(48));

  EXPECT_THAT(shop.arrivals(), SizeIs(12));
  EXPECT_LE(shop.arrivals().back().time, absl::Hours(25));
  EXPECT_THAT(world.DeadLetters(), ElementsAre("order.paid after 12 attempts, 500"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Retry, SurvivesACrash) {
  World world({.seed = 6});
  FakeSubscriber& shop = world.Subscribe("", {.schedule = kTwoRetries});
  shop.Answers({503});
  world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(1));

  world.Crash();
  world.RunFor(absl::Minutes(1));

  ASSERT_THAT(shop.arrivals(), SizeIs(2));
  EXPECT_EQ(shop.arrivals()[1].attempt_number, 2);
  EXPECT_GE(shop.arrivals()[1].time, absl::Seconds(9));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Retry, AStuckEndpointDelaysNobodyElse) {
  World world({.seed = 7});
  FakeSubscriber& stuck = world.Subscribe("order.*");
  FakeSubscriber& prompt = world.Subscribe("order.*");
  stuck.NeverAnswers();

  for (int i = 0; i < 100; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(prompt.arrivals(), SizeIs(100));
  EXPECT_THAT(stuck.arrivals(), SizeIs(1)) << "who has never answered gets one at a time";
}

TEST(Crash, WhatWasOnTheWireIsSentAgainAndNothingElse) {
  World world({.seed = 8});
  FakeSubscriber& shop = world.Subscribe("");
  world.Publish("order.first", "{}");
  world.RunFor(absl::Seconds(1));
  shop.NeverAnswers();
  world.Publish("order.second", "{}");
  world.RunFor(absl::Seconds(1));
  shop.Heals();

  world.Crash();
  world.RunFor(absl::Minutes(1));

  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.first", "order.second", "order.second"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Crash, AnAcceptedEventSurvivesIt) {
  World world({.seed = 9});
  FakeSubscriber& shop = world.Subscribe("");
  const Uuid id = world.Publish("order.paid", "{}");
  while (world.published().at(id).answer != Answer::kAccepted) world.RunSteps(1);

  world.Crash();
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.paid"));
}

TEST(Pause, KeepsWhatComesAndSendsItInOrderAfterwards) {
  World world({.seed = 10});
  FakeSubscriber& shop = world.Subscribe("", {.max_in_flight = 1});
  world.Pause(shop);
  for (const char* type : {"order.a", "order.b", "order.c"}) {
    world.Publish(type, "{}");
    world.RunFor(absl::Minutes(10));
  }
  EXPECT_THAT(shop.arrivals(), IsEmpty());
  world.Crash();

  world.Resume(shop);
  world.RunFor(absl::Seconds(10));

  EXPECT_THAT(shop.ArrivalTypes(), ElementsAre("order.a", "order.b", "order.c"));
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Publish, TheSameEventTwiceIsSentOnceAndAnotherUnderItsIdIsRefused) {
  World world({.seed = 11});
  FakeSubscriber& shop = world.Subscribe("");
  const Uuid id = world.Publish("order.paid", "{}");
  world.PublishAgain(id);
  world.RunFor(absl::Seconds(1));
  world.Crash();
  world.PublishAgain(id);

  EXPECT_EQ(world.PublishOther(id, R"({"other":1})"), Answer::kConflict);
  world.RunFor(absl::Seconds(1));

  EXPECT_EQ(world.published().at(id).answer, Answer::kDuplicate);
  EXPECT_THAT(shop.arrivals(), SizeIs(1));
  EXPECT_THAT(world.violations(), IsEmpty());
}

// Who takes nothing for an hour leaves the tail, reads by himself, and catches up when he is well.
TEST(Reader, CatchesUpAfterAnHourWithoutAnswers) {
  World world({.seed = 12});
  FakeSubscriber& shop = world.Subscribe("", {.max_in_flight = 100});
  shop.NeverAnswers();
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 200; ++j) world.Publish("order.paid", std::string(1000, 'x'));
    world.RunFor(absl::Minutes(10));
  }
  shop.Heals();
  world.RunFor(absl::Hours(48));

  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

// However many subscribers are stuck behind large events, what is read for them has a bound; and
// all of it arrives.
TEST(Reader, ManyStuckSubscribersShareABudget) {
  constexpr size_t kBudget = 16 << 20;
  constexpr size_t kSubscribers = 200;
  constexpr size_t kEvents = 25;
  constexpr size_t kBodyBytes = 200'000;
  World world({.seed = 14, .read_bytes_max = kBudget});
  std::vector<FakeSubscriber*> subscribers;
  for (size_t i = 0; i < kSubscribers; ++i) {
    subscribers.push_back(&world.Subscribe("", {.paused = true}));
    subscribers.back()->NeverAnswers();
  }
  for (size_t i = 0; i < kEvents; ++i) world.Publish("order.paid", std::string(kBodyBytes, 'x'));
  world.RunFor(absl::Seconds(10));
  for (FakeSubscriber* const subscriber : subscribers) world.Resume(*subscriber);

  size_t peak = 0;
  for (int i = 0; i < 300; ++i) {
    world.RunFor(absl::Seconds(1));
    peak = std::max(peak, world.read_bytes());
  }
  EXPECT_GE(peak, kBudget) << "it is used";
  // Beyond it each may hold what it needs to go on: one event of the log, one retry.
  EXPECT_LE(peak, kBudget + kSubscribers * 2 * (kBodyBytes + 2000));
  for (FakeSubscriber* const subscriber : subscribers) subscriber->Heals();
  world.RunFor(absl::Hours(48));

  world.CheckAllArrived();
  EXPECT_EQ(world.read_bytes(), 0U);
  EXPECT_THAT(world.violations(), IsEmpty());
}

// One that is held back by its own limit, and owes so little of the tail that it is not sent away
// for that, must not make the others go at its pace (R5).
TEST(Reader, ASlowOneThatOwesLittleHoldsUpNobody) {
  World world({.seed = 21, .shards = 1});
  FakeSubscriber& slow = world.Subscribe("slow.*", {.max_in_flight = 1});
  slow.AnswersBy([] { return FakeSubscriber::Answer{.delay = absl::Milliseconds(300)}; });
  FakeSubscriber& other = world.Subscribe("order.*");
  for (int i = 0; i < 8000; ++i) {
    world.Publish(i % 20 == 0 ? "slow.down" : "order.paid", "{}");
    world.RunFor(absl::Milliseconds(1));
  }
  world.RunFor(absl::Seconds(3));
  EXPECT_THAT(other.arrivals(), SizeIs(7600));
  EXPECT_LT(slow.arrivals().size(), 100U) << "three a second";
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Store, OutcomesOfFailingCommitsKeepTheirOrder) {
  World world({.seed = 13, .failing_commits = 3});
  FakeSubscriber& shop = world.Subscribe("", {.schedule = kTwoRetries});
  shop.Answers({503, 200, 503, 200, 503});
  for (int i = 0; i < 30; ++i) {
    const Uuid id = world.Publish("order.paid", "{}");
    world.RunFor(absl::Milliseconds(20));
    if (world.published().at(id).answer == Answer::kRefused) world.PublishAgain(id);
  }
  world.RunFor(absl::Hours(1));

  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

}  // namespace
}  // namespace postrider
