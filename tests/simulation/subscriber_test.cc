// Goal: what the rules make of a subscriber that fails, asks to wait, is slow or has too much, and
// that no other one suffers from it.
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

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

const std::vector<absl::Duration> kTwoRetries = {absl::ZeroDuration(), absl::Seconds(10),
                                                 absl::Seconds(20)};

// --- How the subscriber does ---

// The arrivals from `begin` up to `end`.
size_t ArrivalsBetween(const FakeSubscriber& subscriber, absl::Duration begin, absl::Duration end) {
  const std::vector<Arrival>& arrivals = subscriber.arrivals();
  return std::count_if(arrivals.begin(), arrivals.end(), [begin, end](const Arrival& arrival) {
    return arrival.time >= begin && arrival.time < end;
  });
}

TEST(Breaker, WhoIsDownGetsProbesAndThenEverythingByAndBy) {
  World world({.seed = 14});
  FakeSubscriber& shop = world.Subscribe("order.*", {.max_in_flight = 64});
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });
  for (int i = 0; i < 1200; ++i) {
    world.Publish("order.paid", "{}");
    world.RunFor(absl::Seconds(3));
  }
  const size_t probes = shop.arrivals().size();
  EXPECT_LE(probes, 10U + 6 + 13) << "ten until it opens, six while they double, one in 5 minutes";
  EXPECT_GE(probes, 20U);

  shop.Heals();
  while (shop.arrivals().size() == probes) world.RunSteps(1);
  const absl::Duration back = shop.arrivals().back().time;
  world.RunFor(absl::Seconds(15));
  EXPECT_LE(ArrivalsBetween(shop, back, back + absl::Seconds(1)), 2U);
  EXPECT_LE(ArrivalsBetween(shop, back, back + absl::Seconds(2)), 4U);
  EXPECT_GE(ArrivalsBetween(shop, back, back + absl::Seconds(15)), 1000U);

  world.RunFor(absl::Hours(30));
  world.CheckAllArrived();
  EXPECT_THAT(world.DeadLetters(), IsEmpty());
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Breaker, StaysOpenThroughACrash) {
  World world({.seed = 15});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });
  for (int i = 0; i < 200; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(2));
  EXPECT_THAT(shop.arrivals(), SizeIs(10));

  world.Crash();
  world.RunFor(absl::Seconds(2));
  EXPECT_THAT(shop.arrivals(), SizeIs(10));
  shop.Heals();
  world.RunFor(absl::Hours(1));
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Breaker, OthersHearOfIt) {
  World world({.seed = 17});
  FakeSubscriber& shop = world.Subscribe("order.*", {.schedule = {absl::ZeroDuration()}});
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 500}; });
  for (int i = 0; i < 10; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Seconds(2));
  EXPECT_EQ(world.news().health().at(1).breaker, Breaker::kOpen);
  EXPECT_EQ(world.news().health().at(1).failures, 10);
  EXPECT_THAT(world.news().texts(), Each("1 dead: order.paid, reason 1"));

  shop.Heals();
  world.Publish("order.sent", "{}");
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(world.news().health().at(1).breaker, Breaker::kClosed);
  world.Delete(shop);
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(world.news().health(), IsEmpty());
}

TEST(Disable, AfterA410NothingIsSentUntilItIsEnabled) {
  World world({.seed = 18});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 410}; });
  for (int i = 0; i < 5; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Hours(1));
  EXPECT_THAT(shop.arrivals(), SizeIs(1));
  EXPECT_THAT(world.news().texts(), ElementsAre("1 disable: gone"));

  world.Disable(shop, "gone");
  world.Crash();
  shop.Heals();
  world.RunFor(absl::Hours(1));
  EXPECT_THAT(shop.arrivals(), SizeIs(1));

  world.Disable(shop, "");
  world.RunFor(absl::Minutes(1));
  EXPECT_THAT(shop.arrivals(), SizeIs(6));
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Disable, FiveDaysOfFailures) {
  World world({.seed = 19});
  FakeSubscriber& shop = world.Subscribe("order.*");
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 404}; });
  for (int hour = 0; hour < 6 * 24; ++hour) {
    world.Publish("order.paid", "{}");
    world.RunFor(absl::Hours(1));
    if (hour == 50) world.Crash();
  }
  std::vector<std::string> texts = world.news().texts();
  texts.erase(std::remove(texts.begin(), texts.end(), "1 dead: order.paid, reason 1"), texts.end());
  EXPECT_THAT(texts,
              ElementsAre("1 failing for 1 days", "1 failing for 3 days", "1 disable: failing"));
  EXPECT_EQ(shop.arrivals().back().answer_time / absl::Hours(24), 5);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Throttle, NothingComesBeforeTheTimeAndNoAttemptIsUsedUp) {
  World world({.seed = 16});
  FakeSubscriber& shop = world.Subscribe("order.*", {.schedule = kTwoRetries});
  int answers = 0;
  shop.AnswersBy([&answers] {
    if (++answers > 5) return FakeSubscriber::Answer{};
    return FakeSubscriber::Answer{.http_status = 429, .retry_after = absl::Minutes(7)};
  });
  for (int i = 0; i < 20; ++i) {
    world.Publish("order.paid", "{}");
    world.RunFor(absl::Minutes(1));
  }
  EXPECT_THAT(shop.arrivals(), SizeIs(3)) << "one each seven minutes: its limit is one";
  world.RunFor(absl::Hours(1));

  EXPECT_THAT(shop.arrivals(), SizeIs(25));
  EXPECT_THAT(world.DeadLetters(), IsEmpty());
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

// --- Fairness (T4) ---

std::vector<absl::Duration> DelaysOf(const FakeSubscriber& subscriber, absl::Duration published) {
  std::vector<absl::Duration> delays;
  for (const Arrival& arrival : subscriber.arrivals()) delays.push_back(arrival.time - published);
  return delays;
}

TEST(Fairness, ABurstOfOneOrganizationDelaysNoOther) {
  World world({.seed = 20, .loops = 1, .caps = {.in_flight = 64, .in_flight_per_origin = 64}});
  FakeSubscriber& burdened = world.Subscribe("", {.organization = "big", .max_in_flight = 64});
  FakeSubscriber& prompt = world.Subscribe("", {.organization = "small"});
  burdened.AnswersAfter(absl::Seconds(2));
  for (int i = 0; i < 5000; ++i) world.Publish("order.paid", std::string(500, 'x'), "big");
  world.RunFor(absl::Seconds(110));  // Its limit grows to what its subscription allows.
  const absl::Duration published = world.now();
  for (int i = 0; i < 50; ++i) world.Publish("order.paid", "{}", "small");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(DelaysOf(prompt, published), AllOf(SizeIs(50), Each(Lt(absl::Milliseconds(100)))));
  EXPECT_EQ(burdened.in_flight(), 48) << "three quarters of what may be in flight";
  world.RunFor(absl::Minutes(10));
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

// All answer quickly; there are only more of them than may be in flight.
TEST(Fairness, ManySubscriptionsOfOneOrganizationHaveNoMoreThanItsTurns) {
  World world({.seed = 23, .loops = 1, .caps = {.in_flight = 64, .in_flight_per_origin = 64}});
  for (int i = 0; i < 40; ++i) {
    world.Subscribe("", {.organization = "big"}).AnswersAfter(absl::Milliseconds(100));
  }
  FakeSubscriber& small = world.Subscribe("", {.organization = "small"});
  for (int i = 0; i < 200; ++i) world.Publish("order.paid", std::string(500, 'x'), "big");
  world.RunFor(absl::Seconds(1));
  const absl::Duration published = world.now();
  for (int i = 0; i < 50; ++i) world.Publish("order.paid", "{}", "small");
  world.RunFor(absl::Seconds(1));

  EXPECT_THAT(DelaysOf(small, published), AllOf(SizeIs(50), Each(Lt(absl::Milliseconds(600)))));
  world.RunFor(absl::Minutes(1));
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Fairness, WhoNeverAnswersDoesNotHoldUpTheOthers) {
  World world({.seed = 21, .loops = 1, .caps = {.in_flight = 64, .in_flight_per_origin = 64}});
  std::vector<FakeSubscriber*> healthy;
  for (int i = 0; i < 200; ++i) {
    FakeSubscriber& subscriber = world.Subscribe("", {.schedule = kTwoRetries});
    if (i % 10 == 0) {
      subscriber.NeverAnswers();
    } else {
      healthy.push_back(&subscriber);
    }
  }
  for (size_t round = 1; round <= 3; ++round) {
    const absl::Duration published = world.now();
    for (int i = 0; i < 10; ++i) world.Publish("order.paid", "{}");
    world.RunFor(absl::Seconds(1));
    for (const FakeSubscriber* subscriber : healthy) {
      ASSERT_EQ(subscriber->arrivals().size(), 10 * round) << subscriber->url();
      EXPECT_LT(subscriber->arrivals().back().time - published, absl::Milliseconds(500));
    }
  }
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Fairness, AnOriginHasNoMoreInFlightThanItsCap) {
  World world({.seed = 22, .loops = 2, .caps = {.in_flight = 64, .in_flight_per_origin = 5}});
  std::vector<FakeSubscriber*> shared;
  for (int i = 0; i < 20; ++i) {
    shared.push_back(&world.Subscribe("", {.host = "shared"}));
    shared.back()->AnswersAfter(absl::Milliseconds(100));
  }
  FakeSubscriber& other = world.Subscribe("");
  for (int i = 0; i < 10; ++i) world.Publish("order.paid", "{}");
  world.RunFor(absl::Milliseconds(90));

  int in_flight = 0;
  for (const FakeSubscriber* subscriber : shared) in_flight += subscriber->in_flight();
  EXPECT_EQ(in_flight, 5);
  EXPECT_THAT(other.arrivals(), SizeIs(10));
  world.RunFor(absl::Minutes(1));
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

// The lane that nobody looks at is the one in which deliveries wait unseen.
TEST(Throttle, ShowsForHowLongItHasHeldBackWhatIsOwed) {
  World world({.seed = 46});
  FakeSubscriber& shop = world.Subscribe("");
  world.Subscribe("");
  shop.AnswersBy(
      [] { return FakeSubscriber::Answer{.http_status = 429, .retry_after = absl::Minutes(7)}; });
  world.RunFor(absl::Hours(1));
  EXPECT_EQ(world.throttled_age(), absl::ZeroDuration()) << "nothing is owed";
  world.Publish("order.paid", "{}");
  world.RunFor(absl::Hours(1));
  EXPECT_GT(world.throttled_age(), absl::Minutes(59));
  shop.Heals();
  world.RunFor(absl::Minutes(10));
  EXPECT_EQ(world.throttled_age(), absl::ZeroDuration());
}

}  // namespace
}  // namespace postrider
