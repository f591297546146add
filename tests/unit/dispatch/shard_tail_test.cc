#include "gateway/dispatch/shard_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "gateway/base/work_item.h"
#include "tests/unit/dispatch/shard_tail_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ShardTailTest, CursorPassesWhatIsSettledForAllAndNothingElse) {
  Subscribe(1);
  Subscribe(2);
  Commit(1, 2);
  EXPECT_THAT(outbox_.Take(),
              testing::UnorderedElementsAre("pair 1:1", "pair 2:1", "pair 1:2", "pair 2:2"));
  Settle(1, 1);
  Settle(1, 2);
  Settle(2, 2);
  EXPECT_EQ(tail_->cursor(), 0U);
  Settle(2, 1);
  EXPECT_EQ(tail_->cursor(), 2U);
}

TEST_F(ShardTailTest, CursorPassesWhatNobodyWants) {
  Commit(1, 3);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  EXPECT_EQ(tail_->TakeCursor()->cursor, 3U);
  EXPECT_FALSE(tail_->TakeCursor().has_value());
}

TEST_F(ShardTailTest, NothingIsOwedAtOrBelowTheStart) {
  auto subscription = SubscriptionNumbered(1);
  subscription->start_seqs = {2};
  directory_.Put(subscription, 0);
  Commit(1, 3);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:3"));
}

TEST_F(ShardTailTest,
       WhoMayNotSendLeavesAtTheFirstEventThatHeWantsAndHoldsTheCursorUntilHeHasLeft) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 2);
  EXPECT_THAT(outbox_.Take(), ElementsAre("leave 1@1"));
  EXPECT_EQ(tail_->cursor(), 0U);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  EXPECT_EQ(tail_->cursor(), 2U);
  Commit(3, 3);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
}

TEST_F(ShardTailTest, FanOutIsSliced) {
  Subscribe(1);
  tail_->Receive(EntriesFrom(1, 10), 0, now_);
  EXPECT_TRUE(tail_->FanOut(5, now_));
  EXPECT_LT(outbox_.Take().size(), 10U);
}

TEST_F(ShardTailTest, AnEventThatManyWantIsFannedOutInSlicesAndHoldsTheCursorMeanwhile) {
  for (SubscriptionNumber number = 1; number <= 10; ++number) Subscribe(number);
  tail_->Receive(EntriesFrom(1, 1), 0, now_);
  EXPECT_TRUE(tail_->FanOut(4, now_));
  for (SubscriptionNumber number = 1; number <= 10; ++number) Settle(number, 1);
  EXPECT_EQ(tail_->cursor(), 0U);
  const size_t first_slice = outbox_.Take().size();
  EXPECT_LT(first_slice, 10U);
  tail_->OnAskLeave({.subscription = 1, .shard = 0});  // Waits for the event to be out.
  const std::vector<std::string> rest = outbox_.Take();
  EXPECT_EQ(first_slice + rest.size(), 11U);
  EXPECT_EQ(rest.back(), "leave 1@2");
}

TEST_F(ShardTailTest, WhatIsNotHandedOverIsReadFromTheLogAndNoFurtherThanTheHead) {
  Subscribe(1);
  tail_->NoteHead(2);
  EXPECT_EQ(tail_->WantsLogAfter(), 0U);
  tail_->ReceiveRead(EntriesFrom(1, 3), now_);
  tail_->FanOut(100, now_);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:1", "pair 1:2"));
  EXPECT_FALSE(tail_->WantsLogAfter().has_value());
  // A hand-off behind a gap is not taken.
  EXPECT_GT(tail_->Receive(EntriesFrom(5, 5), 0, now_), 0U);
  EXPECT_EQ(tail_->WantsLogAfter(), 2U);
}

TEST_F(ShardTailTest, AfterARestartSettledPairsAreSkippedAndTravelWithALeaver) {
  Subscribe(1);
  ShardRecovery recovery;
  recovery.position = {.head = 3, .cursor = 0, .attempt_floor = 5, .attempt_head = 9};
  recovery.settled = {{1, 2}};
  Start(recovery);
  tail_->ReceiveRead(EntriesFrom(1, 1), now_);
  tail_->FanOut(100, now_);
  tail_->OnAskLeave({.subscription = 1, .shard = 0});
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:1", "leave 1@2 settled 2"));

  Start(recovery);
  tail_->ReceiveRead(EntriesFrom(1, 3), now_);
  tail_->FanOut(100, now_);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:1", "pair 1:3"));
}

TEST_F(ShardTailTest, AReaderOfBeforeTheRestartIsNotFed) {
  Subscribe(1);
  ShardRecovery recovery;
  recovery.readers.push_back({.subscription = 1, .shard = 0, .next_seq = 1, .settled = {}});
  Start(recovery);
  Commit(1, 1);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
}

TEST_F(ShardTailTest, FloorNeverPassesAnAttemptOfAnEventAboveTheCursor) {
  Subscribe(1);
  tail_->Receive(EntriesFrom(1, 1), /*attempt_head=*/0, now_);
  tail_->Receive(EntriesFrom(2, 2), /*attempt_head=*/4, now_);
  tail_->FanOut(100, now_);
  Settle(1, 1, /*attempt_head=*/7);
  const auto at_one = tail_->TakeCursor();
  EXPECT_EQ(at_one->cursor, 1U);
  EXPECT_LE(at_one->attempt_floor, 4U);  // The attempt of 2 may be the fifth.
  Settle(1, 2, /*attempt_head=*/8);
  EXPECT_EQ(tail_->TakeCursor()->attempt_floor, 8U);
}

TEST_F(ShardTailTest, FloorStaysWhereItWasWhileEventsAreReadBehindTheirReaders) {
  ShardRecovery recovery;
  recovery.position = {.head = 1, .cursor = 1, .attempt_floor = 2, .attempt_head = 9};
  Start(recovery);
  tail_->NoteHead(3);
  tail_->ReceiveRead(EntriesFrom(2, 2), now_);
  tail_->FanOut(100, now_);
  EXPECT_EQ(tail_->TakeCursor()->attempt_floor, 2U);
}

TEST_F(ShardTailTest, WhatMatchedNobodyIsNotedOnceWithTheCursorThatPassesIt) {
  Commit(1, 1);
  Subscribe(1);
  Commit(2, 2);
  directory_.Remove(1);
  Commit(3, 4);
  EXPECT_THAT(tail_->TakeUnmatched(), IsEmpty());
  tail_->TakeCursor();
  EXPECT_THAT(tail_->TakeUnmatched(), ElementsAre(1));
  Settle(1, 2);
  tail_->TakeCursor();
  EXPECT_THAT(tail_->TakeUnmatched(), ElementsAre(3, 4));
  EXPECT_THAT(tail_->TakeUnmatched(), IsEmpty());
}

TEST_F(ShardTailTest, WhatIsGivenUpGoesToNobodyAndHoldsNothing) {
  Subscribe(1);
  tail_->GiveUp(2);
  Commit(1, 3);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:1", "pair 1:3"));
  Settle(1, 1);
  EXPECT_EQ(tail_->TakeCursor()->cursor, 2U);
  EXPECT_THAT(tail_->TakeUnmatched(), ElementsAre(2));
}

TEST_F(ShardTailTest, WhatIsGivenUpIsNotMatchedForWhoComesBackEither) {
  Subscribe(1, /*paused=*/true);
  tail_->GiveUp(2);
  Commit(1, 3);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  AskRejoin(1, /*scan=*/2, {});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1", "pair 1:3"));
}

TEST_F(ShardTailTest, TheEventIsWorkedOnWhileItIsHandedOut) {
  class Watch final : public Outbox {
   public:
    void ToSubscription(SubscriptionNumber, Message) override { work = CurrentWork(); }
    void ToShard(ShardId, Message) override {}
    WorkItem work;
  };
  Watch watch;
  Subscribe(1);
  ShardTail tail(/*shard=*/0, {}, &directory_, &watch);
  tail.Receive(EntriesFrom(1, 2), 0, now_);
  tail.FanOut(1'000'000, now_);
  EXPECT_EQ(watch.work, ItemOf(/*subscription=*/0, /*shard=*/0, 2));
  EXPECT_EQ(CurrentWork(), WorkItem());
}

TEST_F(ShardTailTest, APausedSubscriptionIsSomebody) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 1);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  ASSERT_EQ(tail_->TakeCursor()->cursor, 1U);
  EXPECT_THAT(tail_->TakeUnmatched(), IsEmpty());
}

}  // namespace
}  // namespace postrider
