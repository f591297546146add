// What a policy says about which deliveries are still worth making: how old, how long.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/dispatch/delivery_queue.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DeliveryQueueLimitsTest : public DeliveryQueueTest {
 protected:
  void ConfigurePolicy(DeliveryPolicy policy) {
    auto subscription = SubscriptionNumbered(1);
    subscription->policy = std::move(policy);
    Configure(subscription);
  }
  // An event of `bytes` at `seq` of shard 0, with an ordering key.
  static LogEntry Sized(Seq seq, size_t bytes) {
    auto event = std::make_shared<Event>(*EntryAt(seq).event);
    event->body.assign(bytes, 'x');
    event->ordering_key = "k";
    LogEntry entry = EntryAt(seq);
    entry.event = event;
    return entry;
  }
  void FeedSized(Seq seq, size_t bytes) {
    queue_->OnPair({.subscription = 1, .entry = Sized(seq, bytes)});
  }
  // As the Dispatcher does with what is not to be sent.
  OutcomeRecord EndUnsent(const Exchange& exchange) {
    return *queue_->OnResult(exchange, ResultWithoutPost(exchange), kNow, monotonic_, 0);
  }
};

// EntryAt() says when they were accepted.
constexpr absl::Duration kAge = absl::Seconds(1000);

TEST_F(DeliveryQueueLimitsTest, WhatIsAsOldAsThePolicySaysIsNotSent) {
  ConfigurePolicy({.max_age = kAge});
  Feed(1, 1);
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kExpired);
}

TEST_F(DeliveryQueueLimitsTest, WhatIsYoungerIsSentAndNotTriedAfterItsEnd) {
  ConfigurePolicy({.max_age = kAge + absl::Seconds(3)});
  Feed(1, 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_EQ(on_wire_[0].dead_reason, DeadReason::kNone);
  EXPECT_EQ(AttemptOf(*End(1, kFailed)).next_attempt_time, kNow + absl::Seconds(3));
}

TEST_F(DeliveryQueueLimitsTest, ALongerAgeOutlivesTwiceTheSchedule) {
  ConfigurePolicy({.schedule = {absl::ZeroDuration()}, .max_age = absl::Hours(100)});
  Feed(1, 1);
  EXPECT_EQ(queue_->Next(kNow + absl::Hours(99), monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueLimitsTest, TheEventsOwnTimeGoesBeforeThePolicys) {
  ConfigurePolicy({.max_age = kAge});
  auto event = std::make_shared<Event>(*EntryAt(1).event);
  event->expire_time = kNow + absl::Seconds(1);
  LogEntry entry = EntryAt(1);
  entry.event = event;
  queue_->OnPair({.subscription = 1, .entry = entry});
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueLimitsTest, TheAgeOfARedrivenLetterCountsFromThen) {
  ConfigurePolicy({.max_age = absl::Minutes(1)});
  Retry(1, {.first_attempt_time = kNow - absl::Seconds(59), .redriven = true});
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueLimitsTest, TimeInWhichItWasPausedDoesNotCount) {
  auto subscription = SubscriptionNumbered(1);
  subscription->policy.max_age = kAge;
  subscription->pauses = {{kNow - absl::Seconds(10), kNow - absl::Seconds(3)}};
  Configure(subscription);
  Feed(1, 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_EQ(on_wire_[0].dead_reason, DeadReason::kNone);
  EXPECT_EQ(AttemptOf(*End(1, kFailed)).next_attempt_time, kNow + absl::Seconds(5));
  Feed(2, 2);
  EXPECT_EQ(queue_->Next(kNow + absl::Seconds(7), monotonic_)->dead_reason, DeadReason::kExpired);
}

// --- When the wall clock has stepped (T5) ---

TEST_F(DeliveryQueueLimitsTest, ADeliveryIsOverWhenBothClocksSaySo) {
  ConfigurePolicy({.max_age = kAge});
  Feed(1, 4);
  const auto reason_at = [this](absl::Time now, absl::Duration wall_offset) {
    queue_->SetWallOffset(wall_offset);
    const Exchange exchange = *queue_->Next(now, monotonic_);
    queue_->OnResult(exchange, kSucceeded, now, monotonic_, 0);
    return exchange.dead_reason;
  };
  EXPECT_EQ(reason_at(kNow + absl::Seconds(4), -absl::Seconds(5)), DeadReason::kNone);
  EXPECT_EQ(reason_at(kNow + absl::Seconds(5), -absl::Seconds(5)), DeadReason::kExpired);
  EXPECT_EQ(reason_at(kNow - absl::Seconds(1), absl::Seconds(5)), DeadReason::kNone);
  EXPECT_EQ(reason_at(kNow, absl::Seconds(5)), DeadReason::kExpired);
}

TEST_F(DeliveryQueueLimitsTest, AnAttemptIsStampedByTheWallClock) {
  Feed(1, 1);
  queue_->SetWallOffset(absl::Hours(1));
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->start_time, kNow + absl::Hours(1));
}

// EntryAt() says when it was accepted: 1000 s before kNow.
TEST_F(DeliveryQueueLimitsTest, TheFirstWaitIsOverWhenTheSlowerClockSaysSo) {
  ConfigurePolicy({.schedule = {absl::Seconds(1000), absl::Seconds(1)}, .max_age = absl::Hours(9)});
  Feed(1, 1);
  for (const int seconds : {-7, 7}) {
    queue_->SetWallOffset(absl::Seconds(seconds));
    EXPECT_FALSE(queue_->Next(kNow - absl::Seconds(1), monotonic_).has_value());
  }
  queue_->SetWallOffset(-absl::Seconds(7));
  EXPECT_FALSE(queue_->Next(kNow, monotonic_).has_value());
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Seconds(7));
  EXPECT_TRUE(queue_->Next(kNow + absl::Seconds(7), monotonic_).has_value());
}

// After a step forward.
TEST_F(DeliveryQueueLimitsTest, TheFirstWaitOfWhatTheOtherClockHasNotReachedIsTheFasterOnes) {
  ConfigurePolicy({.schedule = {absl::Seconds(10), absl::Seconds(1)}, .max_age = absl::Hours(9)});
  Feed(1, 1);
  const absl::Time behind = kNow - absl::Seconds(5000);
  queue_->SetWallOffset(absl::Seconds(4009));
  EXPECT_FALSE(queue_->Next(behind, monotonic_).has_value());
  EXPECT_EQ(queue_->next_poll(behind, monotonic_), monotonic_ + absl::Seconds(1));
  queue_->SetWallOffset(absl::Seconds(4010));
  EXPECT_TRUE(queue_->Next(behind, monotonic_).has_value());
}

TEST_F(DeliveryQueueLimitsTest, ABodyOverTheLimitIsDeadAtOnce) {
  ConfigurePolicy({.max_body_bytes = 256});
  FeedSized(1, 257);
  const Exchange exchange = *queue_->Next(kNow, monotonic_);
  EXPECT_EQ(exchange.dead_reason, DeadReason::kTooLarge);
  const OutcomeRecord record = EndUnsent(exchange);
  EXPECT_EQ(AttemptOf(record).outcome, Outcome::kTooLarge);
  EXPECT_EQ(AttemptOf(record).error_text,
            "its body of 257 bytes is larger than the subscription takes");
  EXPECT_TRUE(AttemptOf(record).settles());
  EXPECT_EQ(record.put_exception->row.state, ExceptionState::kDead);
  EXPECT_EQ(record.put_exception->row.dead_reason, DeadReason::kTooLarge);
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:1"));
  EXPECT_TRUE(queue_->idle(monotonic_));
}

TEST_F(DeliveryQueueLimitsTest, ABodyOfTheLimitIsSent) {
  ConfigurePolicy({.max_body_bytes = 256});
  FeedSized(1, 256);
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueLimitsTest, WithoutALimitEveryBodyIsSent) {
  FeedSized(1, 1 << 20);
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueLimitsTest, WhatWaitsForARetryIsJudgedByTheNewLimit) {
  ConfigurePolicy({.max_body_bytes = 1});  // Its body is "{}".
  Retry(1, {.attempts = 1});
  const Exchange exchange = *queue_->Next(kNow, monotonic_);
  EXPECT_EQ(exchange.dead_reason, DeadReason::kTooLarge);
  EXPECT_EQ(EndUnsent(exchange).resolve_exception->next->dead_reason, DeadReason::kTooLarge);
}

TEST_F(DeliveryQueueLimitsTest, BodiesOverTheLimitAreNoFailuresOfTheSubscriber) {
  ConfigurePolicy({.max_body_bytes = 256});
  for (Seq seq = 1; seq <= 40; ++seq) {
    FeedSized(seq, 300);
    queue_->OnCommitted(0, NoticeOf(EndUnsent(*queue_->Next(kNow, monotonic_))), seq);
  }
  EXPECT_EQ(queue_->health().breaker, Breaker::kClosed);
  EXPECT_EQ(queue_->health().failures, 0);
  EXPECT_TRUE(queue_->idle(monotonic_));
}

TEST_F(DeliveryQueueLimitsTest, ABodyOverTheLimitIsNoProbe) {
  ConfigurePolicy({.max_body_bytes = 256});
  Feed(1, 10);
  FailInARow(10);
  FeedSized(11, 300);
  Feed(12, 12);
  const absl::Time due = kNow + absl::Seconds(5);
  EndUnsent(*queue_->Next(due, monotonic_));
  EXPECT_EQ(queue_->Next(due, monotonic_)->entry.seq, 12U) << "the probe is still to be made";
}

TEST_F(DeliveryQueueLimitsTest, ABodyOverTheLimitFreesItsKeyWhenItsDeathHasCommitted) {
  queue_ = nullptr;  // The order of one that is can't be changed.
  ConfigurePolicy({.order = OrderMode::kByKey, .max_body_bytes = 256});
  FeedSized(1, 300);
  FeedSized(2, 10);
  const OutcomeRecord record = EndUnsent(*queue_->Next(kNow, monotonic_));
  EXPECT_THAT(Start(), IsEmpty());
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_THAT(Start(), ElementsAre(2));
}

}  // namespace
}  // namespace postrider
