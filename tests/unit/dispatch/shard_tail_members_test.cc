// Goal: who holds up a tail leaves it, and comes back when he has caught up (R3, R4, R5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/shard_tail.h"
#include "tests/unit/dispatch/shard_tail_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

}  // namespace
}  // namespace postrider
