// What a policy says about which deliveries are still worth making: how old, how long.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/dispatch/delivery_queue.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;

class DeliveryQueueLimitsTest : public DeliveryQueueTest {
 protected:
  void ConfigurePolicy(DeliveryPolicy policy) {
    auto subscription = SubscriptionNumbered(1);
    subscription->policy = std::move(policy);
    Configure(subscription);
  }
};

// EntryAt() says when they were accepted.
constexpr absl::Duration kAge = absl::Seconds(1000);

TEST_F(DeliveryQueueLimitsTest, WhatIsAsOldAsThePolicySaysIsNotSent) {
  ConfigurePolicy({.max_age = kAge});
  Feed(1, 1);
  EXPECT_TRUE(queue_->Next(kNow, monotonic_)->expired);
}

TEST_F(DeliveryQueueLimitsTest, WhatIsYoungerIsSentAndNotTriedAfterItsEnd) {
  ConfigurePolicy({.max_age = kAge + absl::Seconds(3)});
  Feed(1, 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_FALSE(on_wire_[0].expired);
  EXPECT_EQ(AttemptOf(*End(1, kFailed)).next_attempt_time, kNow + absl::Seconds(3));
}

TEST_F(DeliveryQueueLimitsTest, ALongerAgeOutlivesTwiceTheSchedule) {
  ConfigurePolicy({.schedule = {absl::ZeroDuration()}, .max_age = absl::Hours(100)});
  Feed(1, 1);
  EXPECT_FALSE(queue_->Next(kNow + absl::Hours(99), monotonic_)->expired);
}

TEST_F(DeliveryQueueLimitsTest, TheEventsOwnTimeGoesBeforeThePolicys) {
  ConfigurePolicy({.max_age = kAge});
  auto event = std::make_shared<Event>(*EntryAt(1).event);
  event->expire_time = kNow + absl::Seconds(1);
  LogEntry entry = EntryAt(1);
  entry.event = event;
  queue_->OnPair({.subscription = 1, .entry = entry});
  EXPECT_FALSE(queue_->Next(kNow, monotonic_)->expired);
}

TEST_F(DeliveryQueueLimitsTest, TheAgeOfARedrivenLetterCountsFromThen) {
  ConfigurePolicy({.max_age = absl::Minutes(1)});
  Retry(1, {.first_attempt_time = kNow - absl::Seconds(59), .redriven = true});
  EXPECT_FALSE(queue_->Next(kNow, monotonic_)->expired);
}

}  // namespace
}  // namespace postrider
