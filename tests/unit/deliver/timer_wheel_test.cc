#include "gateway/deliver/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "tests/support/manual_loop.h"

namespace postrider {
namespace {

class Alarm final : public TimerWheel::Entry {
 public:
  explicit Alarm(std::function<void()> ring) : ring_(std::move(ring)) {}
  ~Alarm() override = default;

 private:
  void OnDeadline() override { ring_(); }

  const std::function<void()> ring_;
};

class TimerWheelTest : public testing::Test {
 protected:
  absl::Duration Now() const { return loop_.Monotonic(); }

  ManualLoop loop_;
  TimerWheel wheel_{&loop_, &loop_};
};

TEST_F(TimerWheelTest, RingsAtMostATickLateAndNeverEarly) {
  for (const absl::Duration span :
       {absl::ZeroDuration(), absl::Milliseconds(1), absl::Milliseconds(20),
        absl::Milliseconds(999), absl::Seconds(20), absl::Seconds(21), absl::Minutes(7)}) {
    absl::Duration rang = absl::InfiniteDuration();
    Alarm alarm([&]() { rang = Now(); });
    const absl::Duration deadline = Now() + span;
    wheel_.Set(&alarm, deadline);
    loop_.Advance(span + absl::Seconds(1));
    EXPECT_GE(rang, deadline) << span;
    EXPECT_LE(rang, deadline + TimerWheel::kTick) << span;
  }
}

TEST_F(TimerWheelTest, FollowsTheLastDeadlineSet) {
  std::vector<absl::Duration> rang;
  Alarm alarm([&]() { rang.push_back(Now()); });
  const absl::Duration start = Now();
  wheel_.Set(&alarm, start + absl::Seconds(5));
  wheel_.Set(&alarm, start + absl::Seconds(50));  // Later.
  wheel_.Set(&alarm, start + absl::Seconds(2));   // Earlier.
  wheel_.Set(&alarm, start + absl::Seconds(3));
  loop_.Advance(absl::Minutes(2));
  ASSERT_EQ(rang.size(), 1U);
  EXPECT_GE(rang[0], start + absl::Seconds(3));
  EXPECT_LE(rang[0], start + absl::Seconds(3) + TimerWheel::kTick);

  wheel_.Set(&alarm, Now() + absl::Seconds(1));
  wheel_.Set(&alarm, absl::InfiniteDuration());
  loop_.Advance(absl::Minutes(2));
  EXPECT_EQ(rang.size(), 1U);
}

TEST_F(TimerWheelTest, StandsStillWhenThereIsNothingToWaitFor) {
  Alarm alarm([]() {});
  wheel_.Set(&alarm, Now() + absl::Seconds(1));
  EXPECT_EQ(loop_.timer_count(), 1U);
  loop_.Advance(absl::Seconds(2));
  EXPECT_EQ(loop_.timer_count(), 0U);
  loop_.Advance(absl::Hours(3));
  bool rang = false;
  Alarm other([&]() { rang = true; });
  wheel_.Set(&other, Now() + absl::Seconds(1));
  loop_.Advance(absl::Milliseconds(999));
  EXPECT_FALSE(rang);
  loop_.Advance(absl::Milliseconds(21));
  EXPECT_TRUE(rang);
}

TEST_F(TimerWheelTest, WhatRingsMayDestroyAndSetOthers) {
  auto victim = std::make_unique<Alarm>([]() { FAIL(); });
  int rang = 0;
  Alarm again([&]() {
    if (++rang < 3) {
      wheel_.Set(&again, Now());
    }
  });
  Alarm killer([&]() { victim.reset(); });
  const absl::Duration deadline = Now() + absl::Milliseconds(100);
  wheel_.Set(&killer, deadline);
  wheel_.Set(victim.get(), deadline);
  wheel_.Set(&again, deadline);
  loop_.Advance(absl::Seconds(1));
  EXPECT_EQ(victim, nullptr);
  EXPECT_EQ(rang, 3);
}

TEST_F(TimerWheelTest, ADestroyedWheelLeavesAnEmptyTask) {
  auto wheel = std::make_unique<TimerWheel>(&loop_, &loop_);
  {
    Alarm alarm([]() { FAIL(); });
    wheel->Set(&alarm, Now() + absl::Seconds(1));
  }
  wheel.reset();
  loop_.Advance(absl::Seconds(2));
}

}  // namespace
}  // namespace postrider
