#include "gateway/dispatch/delivery_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(DeliveryQueueTest, StartsWithOneAndSendsInOrderUpToItsLimit) {
  Feed(1, 1);
  Start();
  Feed(2, 4);
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(AttemptOf(*End(1, kSucceeded)).disposition, Disposition::kDelivered);
  EXPECT_THAT(Start(), ElementsAre(2, 3));
  EXPECT_EQ(AttemptOf(*End(2, kSucceeded)).disposition, Disposition::kDelivered);
  EXPECT_THAT(Start(), ElementsAre(4));
}

TEST_F(DeliveryQueueTest, TellsTheShardOnlyWhatIsCommitted) {
  Feed(1, 1);
  Start();
  const OutcomeRecord record = *End(1, kSucceeded);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  EXPECT_FALSE(queue_->idle(monotonic_));
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:1"));
  EXPECT_TRUE(queue_->idle(monotonic_));
}

TEST_F(DeliveryQueueTest, AFailureBecomesAnExceptionWithItsAttempt) {
  Feed(1, 1);
  Start();
  const OutcomeRecord record = *End(1, kFailed);
  EXPECT_EQ(AttemptOf(record).disposition, Disposition::kException);
  EXPECT_EQ(AttemptOf(record).next_attempt_time, kNow + absl::Seconds(5));
  ASSERT_TRUE(record.put_exception.has_value());
  EXPECT_EQ(record.put_exception->row.attempts, 1);
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_EQ(queue_->next_due(), kNow + absl::Seconds(5));
}

TEST_F(DeliveryQueueTest, ARetryIsResolvedByItsGeneration) {
  queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
  const auto load = queue_->NextLoad(kNow);
  ASSERT_TRUE(load.has_value());
  DueException due;
  due.row.key = {.shard = 0, .subscription = 1, .seq = 4, .origin = 0};
  due.row.generation = 7;
  due.row.attempts = 11;
  due.row.due_time = kNow;
  due.entry = EntryAt(4);
  queue_->OnLoaded(*load, std::vector<DueException>{due}, kNow);
  EXPECT_THAT(Start(), ElementsAre(4));
  const OutcomeRecord record = *End(4, kFailed);
  EXPECT_EQ(AttemptOf(record).origin, AttemptOrigin::kRetry);
  EXPECT_EQ(AttemptOf(record).number, 12);
  EXPECT_EQ(record.resolve_exception->generation, 7U);
  EXPECT_EQ(record.resolve_exception->next->state, ExceptionState::kDead);
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
  EXPECT_THAT(outbox_.Take(), IsEmpty());  // A retry settles no pair of the log.
}

TEST_F(DeliveryQueueTest, OurOwnFaultIsTriedAgainInPlaceAndNotCharged) {
  Widen();
  Feed(1, 2);
  Start();
  EXPECT_FALSE(End(1, kOwnFault).has_value());
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Seconds(1));
  monotonic_ += absl::Seconds(1);
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_EQ(AttemptOf(*End(1, kSucceeded)).number, 1);
}

TEST_F(DeliveryQueueTest, WhatFailsTogetherForOurFaultIsOneWait) {
  Widen();
  Feed(1, 2);
  EXPECT_THAT(Start(), ElementsAre(1, 2));
  End(1, kOwnFault);
  End(2, kOwnFault);
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Seconds(1));
  monotonic_ += absl::Seconds(1);
  Start();
  End(1, kOwnFault);
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Seconds(2));
}

TEST_F(DeliveryQueueTest, IsNotIdleWhileRetriesAreRead) {
  queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
  DueException due;
  due.row.key = {.shard = 0, .subscription = 1, .seq = 4, .origin = 0};
  due.row.attempts = 1;
  due.row.due_time = kNow;
  due.entry = EntryAt(4);
  const auto load = queue_->NextLoad(kNow, 1);
  ASSERT_TRUE(load.has_value());
  queue_->OnLoaded(*load, std::vector<DueException>{due}, kNow);
  EXPECT_THAT(Start(), ElementsAre(4));
  const auto next = queue_->NextLoad(kNow);  // There may be more.
  ASSERT_TRUE(next.has_value());
  queue_->OnCommitted(0, NoticeOf(*End(4, kSucceeded)), 1);
  EXPECT_FALSE(queue_->idle(monotonic_));
  queue_->OnLoaded(*next, std::vector<DueException>{due}, kNow);  // As it was before.
  EXPECT_TRUE(queue_->idle(monotonic_));
  EXPECT_THAT(Start(), IsEmpty());
}

TEST_F(DeliveryQueueTest, WhatItHasReadCountsUntilItIsSettled) {
  Feed(1, 1);
  EXPECT_EQ(queue_->page_bytes(), 0U) << "the tail's events are the tail's";
  Start();
  End(1, kSucceeded);
  Leave(2);
  const auto read = queue_->NextRead(monotonic_);
  EXPECT_EQ(queue_->page_bytes(), kReaderPageBytes);
  queue_->OnRead(*read, EntriesFrom(2, 4), monotonic_);
  const size_t each = EntryAt(2).bytes();
  EXPECT_EQ(queue_->page_bytes(), 3 * each);
  Start();
  EXPECT_EQ(queue_->page_bytes(), 3 * each);
  End(2, kOwnFault);
  EXPECT_EQ(queue_->page_bytes(), 3 * each);
  End(3, kSucceeded);
  EXPECT_EQ(queue_->page_bytes(), 2 * each);
  auto paused = SubscriptionNumbered(1);
  paused->paused = true;
  Configure(paused);
  EXPECT_EQ(queue_->page_bytes(), 0U);
}

TEST_F(DeliveryQueueTest, AFullPageAheadIsEnough) {
  auto event = std::make_shared<Event>(*EntryAt(1).event);
  event->body.assign(kReaderPageBytes, 'x');
  Leave(1);
  LogEntry entry = EntryAt(1);
  entry.event = event;
  queue_->OnRead(*queue_->NextRead(monotonic_), std::vector<LogEntry>{entry}, monotonic_);
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());
  Start();
  EXPECT_TRUE(queue_->NextRead(monotonic_).has_value());
}

TEST_F(DeliveryQueueTest, AnEventWhoseTimeIsOverIsRecordedAndNotSent) {
  auto event = std::make_shared<Event>(*EntryAt(1).event);
  event->expire_time = kNow - absl::Seconds(1);
  LogEntry entry = EntryAt(1);
  entry.event = event;
  queue_->OnPair({.subscription = 1, .entry = entry});
  std::optional<Exchange> exchange = queue_->Next(kNow, monotonic_);
  ASSERT_TRUE(exchange.has_value());
  EXPECT_EQ(exchange->dead_reason, DeadReason::kExpired);
  const OutcomeRecord record =
      *queue_->OnResult(*exchange, PostResult{.outcome = Outcome::kExpired}, kNow, monotonic_, 0);
  EXPECT_EQ(AttemptOf(record).disposition, Disposition::kDead);
  EXPECT_EQ(record.put_exception->row.dead_reason, DeadReason::kExpired);
}

TEST_F(DeliveryQueueTest, LeavesWithAllThatItStillOwes) {
  Widen();
  Feed(1, 5);
  Start();
  End(2, kSucceeded);
  Leave(8);
  EXPECT_THAT(RowSeqs(), ElementsAre(1, 2, 6, 7));
  EXPECT_THAT(outbox_.Take(), ElementsAre("left 1"));
}

TEST_F(DeliveryQueueTest, ARowOfAnEarlierLeaveIsNotTheEndOfThisOne) {
  queue_->OnLeave({.subscription = 1, .shard = 0, .from = 1, .settled = {}}, 1);
  queue_->OnRowCommitted(0, 1);
  outbox_.Take();
  queue_->AskRejoin(0);
  queue_->OnRejoinAnswer({.subscription = 1, .shard = 0, .granted = true});
  queue_->OnLeave({.subscription = 1, .shard = 0, .from = 1, .settled = {}}, 2);
  outbox_.Take();
  queue_->OnRowCommitted(0, 1);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  queue_->OnRowCommitted(0, 2);
  EXPECT_THAT(outbox_.Take(), ElementsAre("left 1"));
}

TEST_F(DeliveryQueueTest, ReadsByItselfAndAsksToRejoinAtTheEndOfTheLog) {
  Widen();
  Leave(1);
  outbox_.Take();
  const auto read = queue_->NextRead(monotonic_);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->after, 0U);
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());  // One page at a time.
  queue_->OnRead(*read, EntriesFrom(1, 3), monotonic_);
  EXPECT_THAT(Start(), ElementsAre(1, 2));
  End(1, kSucceeded);
  EXPECT_THAT(RowSeqs(), ElementsAre(2));
  ASSERT_EQ(queue_->WantsRejoin(), 0U);
  queue_->AskRejoin(0);
  EXPECT_THAT(outbox_.Take(), ElementsAre("ask 1@4 2 3"));
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());  // Nothing is read until the answer.
  queue_->OnRejoinAnswer({.subscription = 1, .shard = 0, .granted = true});
  EXPECT_FALSE(queue_->ReaderRowOf(0).has_value());
}

TEST_F(DeliveryQueueTest, ARefusalIsNotRepeatedWhileItsCauseLasts) {
  Leave(1);
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(1, 1), monotonic_);
  Start();
  queue_->AskRejoin(0);
  queue_->OnRejoinAnswer({.subscription = 1, .shard = 0, .granted = false});
  outbox_.Take();
  queue_->OnRead(*queue_->NextRead(monotonic_), std::vector<LogEntry>{}, monotonic_);
  ASSERT_TRUE(queue_->WantsRejoin().has_value());
  queue_->AskRejoin(0);
  EXPECT_THAT(outbox_.Take(), IsEmpty());  // 1 is still owed.
  EXPECT_GT(queue_->next_poll(kNow, monotonic_), monotonic_);
}

TEST_F(DeliveryQueueTest, APausedReaderKeepsNothingInMemoryAndLosesNothing) {
  Widen();
  Leave(1);
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(1, 5), monotonic_);
  EXPECT_THAT(Start(), ElementsAre(1, 2));
  auto paused = SubscriptionNumbered(1);
  paused->paused = true;
  Configure(paused);
  EXPECT_EQ(queue_->ready(), 0U);
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());
  End(2, kSucceeded);
  EXPECT_THAT(RowSeqs(), ElementsAre(1, 2));
  Configure(SubscriptionNumbered(1));
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(3, 5), monotonic_);
  EXPECT_THAT(Start(), ElementsAre(3));
}

TEST_F(DeliveryQueueTest, OverItsBudgetItAsksToLeaveOnce) {
  auto event = std::make_shared<Event>(*EntryAt(1).event);
  event->body.assign(kQueueBytesMax / 2, 'x');
  for (Seq seq = 1; seq <= 4; ++seq) {
    LogEntry entry = EntryAt(seq);
    entry.event = event;
    queue_->OnPair({.subscription = 1, .entry = entry});
  }
  EXPECT_THAT(outbox_.Take(), ElementsAre("ask-leave 1"));
  Leave(5);
  EXPECT_LE(queue_->ready(), 1U);  // The rest is read again when it is its turn.
  EXPECT_THAT(RowSeqs(), ElementsAre(1));
}

TEST_F(DeliveryQueueTest, RetriesGetTheirShareBesideFirstAttempts) {
  Widen();
  queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
  DueException due;
  due.row.key = {.shard = 0, .subscription = 1, .seq = 9, .origin = 0};
  due.row.attempts = 1;
  due.entry = EntryAt(9);
  Feed(10, 20);
  queue_->OnLoaded(*queue_->NextLoad(kNow), std::vector<DueException>{due}, kNow);
  EXPECT_THAT(Start(), ElementsAre(10, 9));
}

TEST_F(DeliveryQueueTest, TheSchedulesFirstWaitIsBeforeTheFirstAttempt) {
  auto subscription = SubscriptionNumbered(1);
  subscription->policy.schedule = {absl::Seconds(1003), absl::Seconds(1)};
  Configure(subscription);
  Feed(1, 1);  // Accepted at 1000 s; it is 2000 s now.
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(queue_->next_poll(kNow, monotonic_), monotonic_ + absl::Seconds(3));
  EXPECT_TRUE(queue_->Next(kNow + absl::Seconds(3), monotonic_).has_value());
}

TEST_F(DeliveryQueueTest, NoAlarmIsSetForWhatIsPast) {
  Feed(1, 2);
  Start();
  End(1, kOwnFault);
  monotonic_ += absl::Seconds(5);
  EXPECT_FALSE(queue_->next_poll(kNow, monotonic_).has_value());
}

TEST_F(DeliveryQueueTest, AReaderWhoseWindowIsFullWaitsForItsOldestPair) {
  Leave(1);
  queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(1, 1), monotonic_);
  Start();
  queue_->AskRejoin(0);
  queue_->OnRejoinAnswer({.subscription = 1, .shard = 0, .granted = false});
  directory_.Remove(1);  // What follows is not wanted.
  for (Seq first = 2; first <= kReaderWindowMax + 1; first += kReaderPageEvents) {
    const auto read = queue_->NextRead(monotonic_);
    if (!read.has_value()) break;
    queue_->OnRead(*read, EntriesFrom(first, first + kReaderPageEvents - 1), monotonic_);
  }
  EXPECT_FALSE(queue_->NextRead(monotonic_).has_value());
  EXPECT_FALSE(queue_->next_poll(kNow, monotonic_).has_value());
  EXPECT_EQ(RowSeqs().front(), 1U);
}

// --- Purges and redrives -------------------------------------------------------------------------

class PurgedQueueTest : public DeliveryQueueTest {
 protected:
  // Purges events of `pattern` up to the event `through`.
  void Purge(const std::string& pattern, Seq through) {
    auto subscription = SubscriptionNumbered(1);
    subscription->purge_marks.push_back(
        {.through = {through}, .filter = {.event_types = {pattern}, .accepted_before = {}}});
    Configure(subscription);
  }
};

TEST_F(PurgedQueueTest, WhatIsPurgedIsNotSentAndSettledForTheTail) {
  Widen();
  Feed(1, 5);
  ASSERT_THAT(Start(), ElementsAre(1, 2));
  Purge("a.*", 4);
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:3", "settled 1:4"));
  Feed(4, 4);  // Was on its way when the purge came.
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:4"));
  End(1, kSucceeded);
  End(2, kSucceeded);
  EXPECT_THAT(Start(), ElementsAre(5));
}

TEST_F(PurgedQueueTest, WhatTheFilterDoesNotCoverStays) {
  Widen();
  Feed(1, 2);
  Purge("c.*", 9);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  EXPECT_THAT(Start(), ElementsAre(1, 2));
}

TEST_F(PurgedQueueTest, AnAttemptThatWasOnTheWireIsTheLast) {
  Widen();
  Feed(1, 2);
  Start();
  Purge("a.*", 9);
  const auto record = End(1, kFailed);
  EXPECT_EQ(AttemptOf(*record).disposition, Disposition::kDead);
  EXPECT_FALSE(record->put_exception.has_value());
  EXPECT_FALSE(End(2, kOwnFault).has_value());
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:2"));
  monotonic_ += absl::Seconds(40);
  EXPECT_THAT(Start(), IsEmpty());
}

TEST_F(PurgedQueueTest, AReaderGoesOnBehindWhatIsPurged) {
  Widen();
  Feed(1, 4);
  Leave(5);
  Purge("a.*", 2);
  EXPECT_THAT(RowSeqs(), ElementsAre(3));
  EXPECT_THAT(Start(), ElementsAre(3, 4));
}

TEST_F(DeliveryQueueTest, ARedrivenDeadLetterHasATimeOfItsOwn) {
  Widen();
  queue_->OnExceptionsChanged(0, {.rows = 2, .waiting = 2}, kNow);
  const auto load = queue_->NextLoad(kNow);
  ASSERT_TRUE(load.has_value());
  std::vector<DueException> rows(2);
  for (Seq seq = 1; seq <= 2; ++seq) {
    rows[seq - 1].entry = EntryAt(seq);
    rows[seq - 1].entry.accept_time = kNow - absl::Hours(24 * 30);
    rows[seq - 1].row.key = {.shard = 0, .subscription = 1, .seq = seq, .origin = 0};
    rows[seq - 1].row.first_attempt_time = seq == 1 ? kNow : kNow - absl::Hours(24 * 30);
    rows[seq - 1].row.redriven = seq == 1;
  }
  queue_->OnLoaded(*load, rows, kNow);
  ASSERT_THAT(Start(), ElementsAre(1, 2));
  EXPECT_EQ(on_wire_[0].dead_reason, DeadReason::kNone);
  EXPECT_EQ(on_wire_[1].dead_reason, DeadReason::kExpired);
  const auto record = End(1, kFailed);
  EXPECT_EQ(AttemptOf(*record).origin, AttemptOrigin::kRedrive);
  EXPECT_EQ(AttemptOf(*record).number, 1);
  EXPECT_EQ(record->resolve_exception->next->state, ExceptionState::kWaiting);
}

TEST_F(DeliveryQueueTest, AnOutcomeOfAPurgedRowLeavesTheCountAlone) {
  queue_->OnExceptionsChanged(0, {.rows = 1, .waiting = 1}, kNow);
  DueException row;
  row.entry = EntryAt(1);
  row.row.key = {.shard = 0, .subscription = 1, .seq = 1, .origin = 0};
  queue_->OnLoaded(*queue_->NextLoad(kNow), std::vector<DueException>{row}, kNow);
  Start();
  CommittedOutcome notice = NoticeOf(*End(1, kFailed));
  queue_->OnExceptionsChanged(0, {.rows = 1, .waiting = -1}, kNow);
  notice.stale = true;
  queue_->OnCommitted(0, notice, 1);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
}

}  // namespace
}  // namespace postrider
