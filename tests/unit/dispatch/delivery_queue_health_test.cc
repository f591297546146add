// Goal: a queue sends what, and only what, its subscriber's health lets it send.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(DeliveryQueueTest, ThrottledItWaitsAndTheAttemptIsNotCharged) {
  Feed(1, 2);
  Start();
  const OutcomeRecord record = *End(1, kThrottled);
  const absl::Time until = kNow + absl::Minutes(2);
  EXPECT_EQ(AttemptOf(record).number, 1);
  EXPECT_EQ(AttemptOf(record).disposition, Disposition::kException);
  EXPECT_EQ(record.put_exception->row.attempts, 0);
  EXPECT_EQ(record.put_exception->row.throttled, 1);
  EXPECT_EQ(record.put_exception->row.due_time, until);
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_THAT(Start(), IsEmpty()) << "the others wait too";
  EXPECT_FALSE(queue_->NextLoad(kNow).has_value());
  EXPECT_FALSE(queue_->next_poll(kNow, monotonic_).has_value());
  EXPECT_EQ(queue_->next_due(), until);
  EXPECT_EQ(queue_->Next(until, monotonic_)->entry.seq, 2U);
  EXPECT_TRUE(queue_->NextLoad(until).has_value());
}

TEST_F(DeliveryQueueTest, AnAttemptsNumberCountsThoseThatWereNotCharged) {
  Retry(4, {.attempts = 2, .throttled = 3});
  Start();
  const OutcomeRecord record = *End(4, kFailed);
  EXPECT_EQ(AttemptOf(record).number, 6);
  EXPECT_EQ(record.resolve_exception->next->attempts, 3);
  EXPECT_EQ(record.resolve_exception->next->throttled, 3);
  EXPECT_EQ(AttemptOf(record).next_attempt_time, kNow + absl::Minutes(2)) << "the wait after three";
}

TEST_F(DeliveryQueueTest, TheHundredAndFirstThrottleIsAFailure) {
  Retry(4, {.attempts = 1, .throttled = 100});
  Start();
  const OutcomeRecord record = *End(4, kThrottled);
  EXPECT_EQ(record.resolve_exception->next->attempts, 2);
  EXPECT_EQ(record.resolve_exception->next->throttled, 100);
  EXPECT_EQ(queue_->health().failures, 1);
}

TEST_F(DeliveryQueueTest, WithAnOpenBreakerItLeavesAndKeepsNothing) {
  Feed(1, 20);
  FailInARow(10);
  EXPECT_THAT(outbox_.Take(), ElementsAre("ask-leave 1"));
  Leave(21);
  EXPECT_EQ(queue_->ready(), 0U);
  EXPECT_THAT(RowSeqs().front(), 11U);
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());
  EXPECT_FALSE(queue_->NextLoad(kNow + absl::Seconds(4)).has_value());
  EXPECT_EQ(queue_->next_due(), kNow + absl::Seconds(5));
  EXPECT_FALSE(queue_->next_poll(kNow, monotonic_).has_value());
  outbox_.Take();
  LogEntry elsewhere = EntryAt(7);
  elsewhere.shard = 1;
  queue_->OnPair({.subscription = 1, .entry = elsewhere});
  EXPECT_THAT(outbox_.Take(), ElementsAre("ask-leave 1"));
}

TEST_F(DeliveryQueueTest, AProbeThatSucceedsEndsItAndOnlyThenItMayRejoin) {
  Feed(1, 10);
  FailInARow(10);
  Leave(11);
  const absl::Time due = kNow + absl::Seconds(5);
  queue_->OnTime(due);
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(11, 13), monotonic_);
  EXPECT_FALSE(queue_->WantsRejoin().has_value());
  std::optional<Exchange> probe = queue_->Next(due, monotonic_);
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->entry.seq, 11U);
  EXPECT_FALSE(queue_->Next(due, monotonic_).has_value()) << "one at a time";
  queue_->OnResult(*std::move(probe), kSucceeded, due, monotonic_, 0);
  EXPECT_EQ(queue_->health().breaker, Breaker::kClosed);
  EXPECT_TRUE(queue_->WantsRejoin().has_value());
  EXPECT_EQ(queue_->Next(due, monotonic_)->entry.seq, 12U);
}

TEST_F(DeliveryQueueTest, WithNothingToProbeAtTheEndOfTheLogItGoesOnReading) {
  Feed(1, 10);
  FailInARow(10);
  Leave(11);
  const absl::Time due = kNow + absl::Seconds(5);
  queue_->OnTime(due);
  queue_->OnRead(*queue_->NextRead(monotonic_), std::vector<LogEntry>(), monotonic_);
  const auto poll = queue_->next_poll(due, monotonic_);
  ASSERT_TRUE(poll.has_value());
  EXPECT_EQ(queue_->NextRead(*poll)->after, 10U);
}

TEST_F(DeliveryQueueTest, ADueRetryIsTheProbeBeforeAFirstAttempt) {
  Feed(1, 10);
  const std::vector<OutcomeRecord> records = FailInARow(10);
  for (const OutcomeRecord& record : records) queue_->OnCommitted(0, NoticeOf(record), 1);
  Leave(11);
  const absl::Time due = kNow + absl::Seconds(5);
  queue_->OnTime(due);
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(11, 13), monotonic_);
  EXPECT_FALSE(queue_->Next(due, monotonic_).has_value()) << "the retry is not read yet";
  const auto load = queue_->NextLoad(due);
  ASSERT_TRUE(load.has_value());
  DueException retry;
  retry.row = records[0].put_exception->row;
  retry.entry = EntryAt(1);
  queue_->OnLoaded(*load, std::vector<DueException>{retry}, due);
  EXPECT_EQ(queue_->Next(due, monotonic_)->entry.seq, 1U);
}

TEST_F(DeliveryQueueTest, WhoseTimeIsOverIsNoProbe) {
  Feed(1, 10);
  FailInARow(10);
  auto event = std::make_shared<Event>(*EntryAt(11).event);
  event->expire_time = kNow;
  LogEntry expired = EntryAt(11);
  expired.event = event;
  queue_->OnPair({.subscription = 1, .entry = expired});
  Feed(12, 12);
  const absl::Time due = kNow + absl::Seconds(5);
  std::optional<Exchange> first = queue_->Next(due, monotonic_);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->dead_reason, DeadReason::kExpired);
  queue_->OnResult(*std::move(first), PostResult{.outcome = Outcome::kExpired}, due, monotonic_, 0);
  EXPECT_EQ(queue_->Next(due, monotonic_)->entry.seq, 12U);
}

TEST_F(DeliveryQueueTest, AfterA410TheDeliveryWaitsAndNothingMoreIsSent) {
  Retry(4, {.attempts = 11});
  Start();
  Feed(5, 6);
  const OutcomeRecord record =
      *End(4, PostResult{.outcome = Outcome::kHttpStatus, .http_status = 410});
  EXPECT_EQ(record.resolve_exception->next->state, ExceptionState::kWaiting);
  EXPECT_EQ(queue_->TakeHealthChanges().disable_reason, "gone");
  EXPECT_FALSE(queue_->Next(kNow + absl::Hours(1), monotonic_).has_value());
  EXPECT_EQ(queue_->next_due(), absl::InfiniteFuture());
}

TEST_F(DeliveryQueueTest, WhatTheFormerUrlAnswersSaysNothingOfTheNewOne) {
  Widen();
  Feed(1, 3);
  ASSERT_THAT(Start(), ElementsAre(1, 2));
  auto moved = SubscriptionNumbered(1);
  moved->url = "https://elsewhere.example/hook";
  Configure(moved);
  const OutcomeRecord gone =
      *End(1, PostResult{.outcome = Outcome::kHttpStatus, .http_status = 410});
  EXPECT_EQ(AttemptOf(gone).disposition, Disposition::kException);
  End(2, kThrottled);
  EXPECT_TRUE(queue_->TakeHealthChanges().disable_reason.empty());
  EXPECT_FALSE(queue_->health().throttled_until.has_value());
  EXPECT_THAT(Start(), ElementsAre(3));
}

TEST_F(DeliveryQueueTest, WithANewUrlAProbeIsDueAtOnce) {
  Feed(1, 11);
  FailInARow(10);
  ASSERT_EQ(queue_->health().breaker, Breaker::kOpen);
  auto moved = SubscriptionNumbered(1);
  moved->url = "https://elsewhere.example/hook";
  Configure(moved);
  EXPECT_TRUE(queue_->Next(kNow, monotonic_).has_value());
}

TEST_F(DeliveryQueueTest, ThePastThatASubscriptionStartsWithIsNotExpired) {
  auto late = SubscriptionNumbered(1);
  late->start_time = kNow - absl::Hours(24 * 20);
  late->create_time = kNow;
  Configure(late);
  LogEntry old = EntryAt(1);
  old.accept_time = kNow - absl::Hours(24 * 10);
  queue_->OnPair({.subscription = 1, .entry = old});
  EXPECT_EQ(queue_->Next(kNow, monotonic_)->dead_reason, DeadReason::kNone);
}

TEST_F(DeliveryQueueTest, WhoseRateHoldsHimBackIsNotForgotten) {
  auto limited = SubscriptionNumbered(1);
  limited->policy.rate = 0.01;
  Configure(limited);
  Feed(1, 1);
  Start();
  queue_->OnCommitted(0, NoticeOf(*End(1, kSucceeded)), 1);
  EXPECT_FALSE(queue_->idle(monotonic_));
  EXPECT_TRUE(queue_->idle(monotonic_ + absl::Seconds(101)));
}

TEST_F(DeliveryQueueTest, TheRateSaysWhenTheNextMayBegin) {
  auto subscription = SubscriptionNumbered(1);
  subscription->policy.rate = 2;
  Configure(subscription);
  Feed(1, 3);
  EXPECT_THAT(Start(), ElementsAre(1));
  End(1, kSucceeded);
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Milliseconds(500));
  monotonic_ += absl::Milliseconds(500);
  EXPECT_THAT(Start(), ElementsAre(2));
}

}  // namespace
}  // namespace postrider
