// What becomes of a queue whose events are not kept any more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/dispatch/delivery_queue.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DeliveryQueueRetentionTest : public DeliveryQueueTest {
 protected:
  // Reads by itself from `from` on.
  void ReadFrom(Seq from) {
    queue_->RestoreReader({.subscription = 1, .shard = 0, .next_seq = from, .settled = {}});
  }
  void OnRead(Seq first, Seq last) {
    queue_->OnRead(*queue_->NextRead(monotonic_), EntriesFrom(first, last), monotonic_);
  }
};

TEST_F(DeliveryQueueRetentionTest, AReaderGoesOnWhereTheLogBegins) {
  ReadFrom(3);
  EXPECT_TRUE(queue_->OnLogBegins({8, 1}));
  EXPECT_TRUE(queue_->TakeExpired());
  EXPECT_FALSE(queue_->TakeExpired()) << "said once";
  EXPECT_EQ(queue_->NextRead(monotonic_)->after, 7U);
  EXPECT_FALSE(queue_->OnLogBegins({8, 1}));
  EXPECT_FALSE(queue_->TakeExpired());
}

TEST_F(DeliveryQueueRetentionTest, AReaderThatMeetsTheGapGoesOnBehindIt) {
  ReadFrom(3);
  OnRead(8, 9);
  EXPECT_TRUE(queue_->TakeExpired());
  EXPECT_THAT(Start(), ElementsAre(8));
  EXPECT_THAT(RowSeqs(), ElementsAre(8));
}

TEST_F(DeliveryQueueRetentionTest, WhatIsReadBeforeTheLogBeginsAnewIsReadAgain) {
  ReadFrom(3);
  const auto read = *queue_->NextRead(monotonic_);
  queue_->OnLogBegins({8, 1});
  queue_->OnRead(read, EntriesFrom(3, 9), monotonic_);
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(queue_->NextRead(monotonic_)->after, 7U);
}

TEST_F(DeliveryQueueRetentionTest, WhoFollowsTheTailLosesNothing) {
  Feed(1, 2);
  EXPECT_FALSE(queue_->OnLogBegins({2, 1}));
  EXPECT_THAT(Start(), ElementsAre(1));
}

TEST_F(DeliveryQueueRetentionTest, ALateExceptionFreesItsKey) {
  auto subscription = SubscriptionNumbered(1);
  subscription->policy.order = OrderMode::kStrict;
  queue_.reset();
  Configure(subscription);
  Feed(1, 2);
  ASSERT_THAT(Start(), ElementsAre(1));
  const OutcomeRecord record = *End(1, kFailed);
  EXPECT_THAT(Start(), IsEmpty()) << "the first waits";
  CommittedOutcome committed = NoticeOf(record);
  const LateException late{.key = *committed.added,
                           .ordering_key = record.put_exception->row.ordering_key};
  committed.added.reset();
  queue_->OnCommitted(0, committed, 1);
  queue_->OnLate(late);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
  EXPECT_TRUE(queue_->TakeExpired());
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(DeliveryQueueRetentionTest, ExceptionsThatExpiredWithTheirEventsAreSaid) {
  ExceptionChanges changes{.rows = 1, .waiting = -1, .expired = true};
  queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
  queue_->OnExceptionsChanged(0, changes, kNow);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
  EXPECT_TRUE(queue_->TakeExpired());
}

}  // namespace
}  // namespace postrider
