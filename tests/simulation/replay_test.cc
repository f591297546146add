// Goal: the past is sent once more when it is asked for, and to who starts in it.
// Method: as scenario_test.cc.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

// How often each of the events published so far has come, by place.
std::vector<int> Times(const World& world, const FakeSubscriber& subscriber) {
  std::vector<int> times;
  for (const auto& [id, published] : world.published()) {
    int count = 0;
    for (const Arrival& arrival : subscriber.arrivals()) count += arrival.event_id == id ? 1 : 0;
    times.push_back(count);
  }
  return times;
}

// A second apart, spread over the shards.
void PublishEachSecond(World& world, int count) {
  for (int i = 0; i < count; ++i) {
    world.Publish(absl::StrCat("order.n", i), absl::StrCat("{\"n\":", i, "}"),
                  absl::StrCat("acme/shop", i % 5));
    world.RunFor(absl::Seconds(1));
  }
}

TEST(Replay, SendsEachEventOnceMore) {
  World world({.seed = 1});
  FakeSubscriber& shop = world.Subscribe("order.*");
  world.Publish("user.new", "{}");
  world.RunFor(absl::Seconds(1));
  PublishEachSecond(world, 20);
  ASSERT_THAT(shop.arrivals(), SizeIs(20));

  const std::string id = world.Replay(shop, absl::Milliseconds(5500));
  world.RunFor(absl::Seconds(10));

  std::vector<int> expected(21, 2);
  expected[0] = 0;  // user.new.
  for (int i = 1; i <= 5; ++i) expected[i] = 1;
  EXPECT_EQ(Times(world, shop), expected);
  const ReplayRecord record = world.ReplayOf(id);
  EXPECT_EQ(record.replay->state, ReplayState::kDone);
  uint64_t delivered = 0;
  for (const ReplayPosition& position : record.positions) {
    delivered += position.delivered;
    EXPECT_EQ(position.left(), 0U);
  }
  EXPECT_EQ(delivered, 15U);
  EXPECT_THAT(world.violations(), IsEmpty()) << "other bytes, not asked for, too many at once";
}

TEST(Replay, SendsWhatWasBeforeTheSubscription) {
  World world({.seed = 2});
  PublishEachSecond(world, 5);
  FakeSubscriber& late = world.Subscribe("order.*");
  world.Replay(late, absl::ZeroDuration());
  world.RunFor(absl::Seconds(10));
  EXPECT_EQ(Times(world, late), std::vector<int>(5, 1));
}

TEST(Replay, StandsBesideWhatComesMeanwhile) {
  World world({.seed = 3});
  FakeSubscriber& shop = world.Subscribe("order.*", {.max_in_flight = 2});
  PublishEachSecond(world, 20);
  shop.AnswersAfter(absl::Milliseconds(50));
  world.Replay(shop, absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) {
    world.Publish("order.new", "{}");
    world.RunFor(absl::Milliseconds(10));
  }
  world.RunFor(absl::Minutes(5));

  std::vector<int> expected(120, 1);
  for (int i = 0; i < 20; ++i) expected[i] = 2;
  EXPECT_EQ(Times(world, shop), expected);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Replay, KeepsItsRate) {
  World world({.seed = 4});
  FakeSubscriber& shop = world.Subscribe("order.*");
  PublishEachSecond(world, 20);
  world.Replay(shop, absl::ZeroDuration(), /*rate=*/2);
  world.RunFor(absl::Milliseconds(4900));
  EXPECT_THAT(shop.arrivals(), SizeIs(30));
  world.RunFor(absl::Seconds(10));
  EXPECT_THAT(shop.arrivals(), SizeIs(40));
}

TEST(Replay, AfterACrashRepeatsOnlyWhatWasUncommitted) {
  World world({.seed = 5});
  FakeSubscriber& shop = world.Subscribe("order.*", {.max_in_flight = 3});
  PublishEachSecond(world, 60);
  shop.AnswersAfter(absl::Milliseconds(100));
  world.Replay(shop, absl::ZeroDuration());
  world.RunFor(absl::Milliseconds(700));
  const size_t before = shop.arrivals().size();
  ASSERT_GT(before, 70U);
  ASSERT_LT(before, 110U);

  world.Crash();
  world.RunFor(absl::Minutes(1));

  for (const int times : Times(world, shop)) EXPECT_THAT(times, testing::AnyOf(2, 3));
  EXPECT_LE(shop.arrivals().size(), 120U + 6U);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Replay, CanceledSendsNothingMore) {
  World world({.seed = 6});
  FakeSubscriber& shop = world.Subscribe("order.*", {.schedule = kTwoRetries});
  PublishEachSecond(world, 20);
  shop.AnswersBy([] { return FakeSubscriber::Answer{.http_status = 503}; });
  const std::string id = world.Replay(shop, absl::ZeroDuration(), /*rate=*/2);
  world.RunFor(absl::Seconds(4));
  const size_t sent = shop.arrivals().size();
  EXPECT_GT(sent, 24U);

  world.CancelReplay(id);
  world.RunFor(absl::Milliseconds(10));
  const size_t at_cancel = shop.arrivals().size();
  world.RunFor(absl::Hours(1));
  world.Crash();
  world.RunFor(absl::Hours(1));

  EXPECT_THAT(shop.arrivals(), SizeIs(at_cancel)) << "neither the rest nor the retries";
  EXPECT_EQ(world.ReplayOf(id).replay->state, ReplayState::kCanceled);
}

TEST(Replay, ItsFailuresAreRetriedAcrossACrash) {
  World world({.seed = 7});
  FakeSubscriber& shop = world.Subscribe("order.*", {.schedule = kTwoRetries});
  PublishEachSecond(world, 3);
  shop.Answers({503, 503, 503});
  const std::string id = world.Replay(shop, absl::ZeroDuration());
  world.RunFor(absl::Seconds(1));
  EXPECT_EQ(world.ReplayOf(id).replay->state, ReplayState::kDone);
  world.Crash();
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(Times(world, shop), std::vector<int>(3, 3)) << "once, failed, retried";
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Replay, WaitsForAPausedSubscription) {
  World world({.seed = 8});
  FakeSubscriber& shop = world.Subscribe("order.*");
  PublishEachSecond(world, 5);
  world.Pause(shop);
  world.Replay(shop, absl::ZeroDuration());
  world.RunFor(absl::Hours(1));
  EXPECT_THAT(shop.arrivals(), SizeIs(5));
  world.Resume(shop);
  world.RunFor(absl::Seconds(5));
  EXPECT_EQ(Times(world, shop), std::vector<int>(5, 2));
}

TEST(Replay, GoesWithItsSubscription) {
  World world({.seed = 9});
  FakeSubscriber& shop = world.Subscribe("order.*");
  PublishEachSecond(world, 10);
  world.Replay(shop, absl::ZeroDuration(), /*rate=*/1);
  world.RunFor(absl::Seconds(3));
  world.Delete(shop);
  world.RunFor(absl::Milliseconds(10));
  const size_t sent = shop.arrivals().size();
  world.RunFor(absl::Minutes(1));
  world.Crash();
  world.RunFor(absl::Minutes(1));
  EXPECT_THAT(shop.arrivals(), SizeIs(sent));
}

// Chance decides when loops, reads and commits go, fail and die: each event still comes twice.
TEST(Replay, UnderFailingCommitsAndCrashesLosesNothing) {
  for (uint64_t seed = 100; seed < 130; ++seed) {
    World world({.seed = seed, .failing_commits = 4, .stalls = true});
    FakeSubscriber& shop = world.Subscribe("", {.schedule = kTwoRetries, .max_in_flight = 4});
    for (int i = 0; i < 40; ++i) {
      world.Publish("order.paid", "{}", absl::StrCat("acme/shop", i % 5));
      world.RunFor(absl::Milliseconds(100));
    }
    for (const auto& [id, published] : world.published()) {
      if (published.answer == Answer::kRefused) world.PublishAgain(id);
    }
    world.RunFor(absl::Minutes(2));
    const std::string id = world.Replay(shop, absl::ZeroDuration());
    for (int crash = 0; crash < 3; ++crash) {
      world.RunSteps(static_cast<int>(world.random().Below(200)));
      world.Crash();
    }
    world.RunFor(absl::Minutes(2));

    for (const auto& [event, published] : world.published()) {
      if (published.answer != Answer::kAccepted && published.answer != Answer::kDuplicate) continue;
      int count = 0;
      for (const Arrival& arrival : shop.arrivals()) count += arrival.event_id == event ? 1 : 0;
      EXPECT_GE(count, 2) << "seed " << seed;
    }
    EXPECT_EQ(world.ReplayOf(id).replay->state, ReplayState::kDone) << "seed " << seed;
    EXPECT_THAT(world.violations(), IsEmpty()) << "seed " << seed;
  }
}

// --- Starting in the past ---

TEST(StartInThePast, TheSubscriptionGetsThePastInOrderThenThePresent) {
  World world({.seed = 20, .shards = 1});
  PublishEachSecond(world, 10);
  FakeSubscriber& late =
      world.Subscribe("order.*", {.max_in_flight = 1, .start = absl::Milliseconds(3500)});
  for (int i = 10; i < 20; ++i) {
    world.Publish(absl::StrCat("order.n", i), "{}");
    world.RunFor(absl::Milliseconds(1));
  }
  world.RunFor(absl::Seconds(10));

  std::vector<std::string> expected;
  for (int i = 4; i < 20; ++i) expected.push_back(absl::StrCat("order.n", i));
  EXPECT_EQ(late.ArrivalTypes(), expected);
  world.CheckAllArrived();
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(StartInThePast, OfOneOrganizationAloneReadsItsOwn) {
  World world({.seed = 21, .shards = 4});
  world.Publish("order.paid", "{}", "acme");
  world.Publish("order.paid", "{}", "acme/shop1");
  world.RunFor(absl::Seconds(1));
  FakeSubscriber& late =
      world.Subscribe("", {.scope = Scope::kSelf, .start = absl::ZeroDuration()});
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(late.arrivals(), SizeIs(1));
}

TEST(StartInThePast, SurvivesCrashesAndFailingCommits) {
  for (uint64_t seed = 200; seed < 240; ++seed) {
    World world({.seed = seed, .failing_commits = 4, .stalls = true});
    FakeSubscriber& first = world.Subscribe("");
    for (int i = 0; i < 60; ++i) {
      world.Publish("order.paid", "{}", absl::StrCat("acme/shop", i % 5));
      world.RunFor(absl::Milliseconds(100));
    }
    FakeSubscriber& late = world.SubscribeSoon("", {.start = absl::Seconds(2)});
    for (int i = 0; i < 40; ++i) {
      world.Publish("order.paid", "{}", absl::StrCat("acme/shop", i % 5));
      world.RunSteps(static_cast<int>(world.random().Below(20)));
      if (i % 15 == 14) world.Crash();
    }
    world.RunFor(absl::Hours(1));
    world.CheckAllArrived();
    EXPECT_THAT(world.violations(), IsEmpty()) << "seed " << seed;
    EXPECT_THAT(first.arrivals(), testing::Not(IsEmpty()));
    if (world.Exists(late)) {
      EXPECT_THAT(late.arrivals(), SizeIs(testing::Ge(10))) << "seed " << seed;
    }
  }
}

// However many slow replays of large events there are, what is read for them has a bound.
TEST(Replay, ManyShareABudget) {
  constexpr size_t kBudget = 4 << 20;
  constexpr size_t kSubscribers = 100;
  constexpr size_t kBodyBytes = 200'000;
  World world({.seed = 20, .read_bytes_max = kBudget});
  std::vector<FakeSubscriber*> subscribers;
  for (size_t i = 0; i < kSubscribers; ++i) subscribers.push_back(&world.Subscribe(""));
  for (int i = 0; i < 10; ++i) world.Publish("order.paid", std::string(kBodyBytes, 'x'));
  world.RunFor(absl::Seconds(10));
  for (const FakeSubscriber* const subscriber : subscribers) {
    world.Replay(*subscriber, absl::ZeroDuration(), /*rate=*/0.1);
  }

  size_t peak = 0;
  for (int i = 0; i < 200; ++i) {
    world.RunFor(absl::Seconds(1));
    peak = std::max(peak, world.read_bytes());
  }

  EXPECT_GE(peak, kBudget) << "it is used";
  EXPECT_LE(peak, kBudget + kSubscribers * (kBodyBytes + 2000)) << "beyond it, one event each";
  EXPECT_EQ(world.read_bytes(), 0U);
  for (const FakeSubscriber* const subscriber : subscribers) {
    EXPECT_THAT(Times(world, *subscriber), testing::Each(2));
  }
  EXPECT_THAT(world.violations(), IsEmpty());
}

}  // namespace
}  // namespace postrider
