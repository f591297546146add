#include "gateway/dispatch/shard_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/work_item.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ShardTailTest : public testing::Test {
 protected:
  ShardTailTest() { Start({}); }

  void Start(const ShardRecovery& recovery) {
    tail_ = std::make_unique<ShardTail>(0, recovery, &directory_, &outbox_);
  }
  void Subscribe(SubscriptionNumber number, bool paused = false) {
    auto subscription = SubscriptionNumbered(number);
    subscription->paused = paused;
    directory_.Put(subscription, 0);
  }
  void Commit(Seq first, Seq last) {
    tail_->Receive(EntriesFrom(first, last), 0, now_);
    tail_->FanOut(1'000'000, now_);
  }
  void Settle(SubscriptionNumber number, Seq seq, AttemptSeq attempt_head = 0) {
    tail_->OnSettled(
        {.subscription = number, .shard = 0, .seq = seq, .attempt_head = attempt_head});
  }
  void AskRejoin(SubscriptionNumber number, Seq scan, std::vector<Seq> unsettled) {
    tail_->OnAskRejoin(
        {.subscription = number, .shard = 0, .scan = scan, .unsettled = std::move(unsettled)},
        now_);
  }

  SubscriptionDirectory directory_;
  RecordingOutbox outbox_;
  std::unique_ptr<ShardTail> tail_;
  absl::Duration now_ = absl::Seconds(100);
};

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

TEST_F(ShardTailTest, WhoHoldsTheCursorForTooLongIsToldSo) {
  Subscribe(1);
  Subscribe(2);
  Commit(1, 1);
  outbox_.Take();
  Settle(2, 1);
  EXPECT_EQ(tail_->EnforceAge(now_ + absl::Seconds(1)), now_ + kTailAgeMax);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  tail_->EnforceAge(now_ + kTailAgeMax);
  EXPECT_THAT(outbox_.Take(), ElementsAre("holds-up 1"));
  tail_->EnforceAge(now_ + kTailAgeMax + absl::Seconds(1));
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  tail_->EnforceAge(now_ + 2 * kTailAgeMax);
  EXPECT_THAT(outbox_.Take(), ElementsAre("holds-up 1")) << "it may be held up by itself by now";
  tail_->OnAskLeave({.subscription = 1, .shard = 0});
  EXPECT_THAT(outbox_.Take(), ElementsAre("leave 1@2"));
  tail_->EnforceAge(now_ + 3 * kTailAgeMax);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
}

TEST_F(ShardTailTest, ATailThatIsTooLongSendsItsHoldersAwayAndWaitsForThem) {
  Subscribe(1);
  Commit(1, kTailEventsMax + 10);
  EXPECT_EQ(tail_->next(), kTailEventsMax / 2 + 1 + (kTailEventsMax / 2));
  EXPECT_EQ(outbox_.Take().back(), absl::StrCat("leave 1@", kTailEventsMax / 2 + 1));
  tail_->OnLeft({.subscription = 1, .shard = 0});
  EXPECT_FALSE(tail_->FanOut(1'000'000, now_));
  EXPECT_EQ(tail_->cursor(), kTailEventsMax + 10);
}

// When we can't keep up nobody is to blame: they stay, and the log waits. Who owes much of the tail
// leaves, so that others get through.
TEST_F(ShardTailTest, OfATailThatIsTooLongThoseWhoOweLittleMayStay) {
  for (SubscriptionNumber number = 1; number <= 40; ++number) {
    auto subscription = SubscriptionNumbered(number);
    subscription->event_types = {absl::StrCat("to.s", number)};
    directory_.Put(subscription, 0);
  }
  const auto type_of = [](Seq seq) {
    return seq % 4 == 0 ? "to.s40" : absl::StrCat("to.s", 1 + seq % 39);
  };
  std::vector<LogEntry> entries;
  for (Seq seq = 1; seq <= kTailEventsMax + 10; ++seq)
    entries.push_back(EntryAt(seq, type_of(seq)));
  tail_->Receive(entries, 0, now_);
  tail_->FanOut(1'000'000, now_);
  EXPECT_EQ(tail_->next(), kTailEventsMax + 1) << "as long as it may be";
  std::vector<std::string> told;
  for (const std::string& text : outbox_.Take()) {
    if (!absl::StartsWith(text, "pair")) told.push_back(text);
  }
  EXPECT_THAT(told, testing::Contains(absl::StrCat("leave 40@", kTailEventsMax / 2 + 1)));
  EXPECT_THAT(told, testing::Contains("holds-up 1"));
  EXPECT_EQ(std::count_if(told.begin(), told.end(),
                          [](const std::string& text) { return absl::StartsWith(text, "leave"); }),
            1);

  EXPECT_EQ(tail_->EnforceAge(now_), now_ + kFullTailAgeMax) << "soon, for nothing goes on";
  tail_->EnforceAge(now_ + kFullTailAgeMax);
  EXPECT_THAT(outbox_.Take(), testing::SizeIs(39));
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

TEST_F(ShardTailTest, AReaderThatHasCaughtUpRejoins) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 3);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  AskRejoin(1, 4, {3});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1"));
  EXPECT_EQ(tail_->cursor(), 2U);  // It went back: 3 is owed and nothing of it was durable.
  Commit(4, 4);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:4"));
  Settle(1, 4);
  EXPECT_EQ(tail_->cursor(), 2U);
  Settle(1, 3);
  EXPECT_EQ(tail_->cursor(), 4U);
}

TEST_F(ShardTailTest, WhoRejoinsIsFedWhatWasFannedOutMeanwhile) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 1);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  Commit(2, 3);
  AskRejoin(1, 2, {});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1", "pair 1:2", "pair 1:3"));
  EXPECT_EQ(tail_->cursor(), 1U);
}

TEST_F(ShardTailTest, NobodyRejoinsBehindACursorThatMayBeDurable) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 3);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  tail_->TakeCursor();
  AskRejoin(1, 4, {3});
  EXPECT_THAT(outbox_.Take(), ElementsAre("refused 1"));
  AskRejoin(1, 3, {});  // 3 is wanted, and at the cursor.
  EXPECT_THAT(outbox_.Take(), ElementsAre("refused 1"));
  AskRejoin(1, 4, {});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1"));
}

TEST_F(ShardTailTest, AReaderAheadOfTheTailIsNotFedTwice) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 1);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  tail_->Receive(EntriesFrom(2, 4), 0, now_);  // Not fanned out yet.
  AskRejoin(1, 4, {3});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1"));
  tail_->FanOut(100, now_);
  EXPECT_THAT(outbox_.Take(), ElementsAre("pair 1:4"));
  EXPECT_EQ(tail_->cursor(), 2U);
}

TEST_F(ShardTailTest, AnAskerBeyondWhatTheTailHasIsRefused) {
  Subscribe(1, /*paused=*/true);
  Commit(1, 1);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  outbox_.Take();
  AskRejoin(1, 5, {});
  EXPECT_THAT(outbox_.Take(), ElementsAre("refused 1"));
}

TEST_F(ShardTailTest, NobodyRejoinsWhoWouldMakeTheTailTooLong) {
  Subscribe(1, /*paused=*/true);
  Subscribe(2);
  Commit(1, 100);
  tail_->OnLeft({.subscription = 1, .shard = 0});
  Subscribe(1);
  for (Seq seq = 1; seq <= 100; ++seq) Settle(2, seq);
  Commit(101, 100 + kTailEventsMax);  // 2 owes them: the tail is as long as it may be.
  outbox_.Take();
  AskRejoin(1, 50, {10});  // His window could reach from 10 to beyond what a reader row can say.
  EXPECT_THAT(outbox_.Take(), ElementsAre("refused 1"));
  EXPECT_EQ(tail_->cursor(), 100U);
}

TEST_F(ShardTailTest, NobodyRejoinsWhoWouldBeSentAwayWithThoseWhoHoldTooLong) {
  Subscribe(1);
  Subscribe(2);
  Commit(1, 2);
  now_ += kTailAgeMax;
  tail_->OnAskLeave({.subscription = 1, .shard = 0});
  tail_->OnAskLeave({.subscription = 2, .shard = 0});
  outbox_.Take();
  tail_->OnLeft({.subscription = 1, .shard = 0});  // 2 has not left yet.
  AskRejoin(1, 3, {1, 2});
  EXPECT_THAT(outbox_.Take(), ElementsAre("refused 1"));
  tail_->OnLeft({.subscription = 2, .shard = 0});
  AskRejoin(1, 3, {1, 2});
  EXPECT_THAT(outbox_.Take(), ElementsAre("granted 1"));
}

TEST_F(ShardTailTest, WhoOwesNothingMayLeaveToo) {
  Subscribe(1);
  Commit(1, 1);
  Settle(1, 1);
  outbox_.Take();
  tail_->OnAskLeave({.subscription = 1, .shard = 0});
  EXPECT_THAT(outbox_.Take(), ElementsAre("leave 1@2"));
  tail_->OnAskLeave({.subscription = 9, .shard = 0});  // Deleted.
  EXPECT_THAT(outbox_.Take(), IsEmpty());
}

TEST_F(ShardTailTest, ADeletedSubscriptionHoldsNothing) {
  Subscribe(1);
  Commit(1, 1);
  directory_.Remove(1);
  tail_->OnRemoved(1);
  EXPECT_EQ(tail_->cursor(), 1U);
  Settle(1, 1);  // Late: no effect.
  EXPECT_EQ(tail_->cursor(), 1U);
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
