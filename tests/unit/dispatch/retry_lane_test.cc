#include "gateway/dispatch/retry_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

ExceptionKey Key(Seq seq) { return {.shard = 0, .subscription = 1, .seq = seq, .origin = 0}; }

DueException Due(Seq seq, absl::Time due_time) {
  DueException due;
  due.row.key = Key(seq);
  due.row.due_time = due_time;
  due.row.attempts = 1;
  due.entry.event = std::make_shared<Event>();
  return due;
}

TEST(RetryLane, LoadsNothingBeforeItIsDue) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow + absl::Seconds(5));
  EXPECT_EQ(lane.next_due(), kNow + absl::Seconds(5));
  EXPECT_FALSE(lane.NextLoad(kNow + absl::Seconds(4)).has_value());
  EXPECT_TRUE(lane.NextLoad(kNow + absl::Seconds(5)).has_value());
}

// It was written while the wall clock was wrong, by an earlier process (T5).
TEST(RetryLane, WhatIsDueLaterThanAnyWaitIsDueAtOnce) {
  for (const absl::Duration wait : {absl::Hours(24 * 365), kScheduleStepMax + absl::Seconds(1)}) {
    RetryLane lane;
    lane.Restore({.subscription = 1, .shard = 0, .due_time = kNow + wait, .waiting = 1});
    EXPECT_TRUE(lane.HasDue(kNow));
    const auto load = lane.NextLoad(kNow);
    ASSERT_TRUE(load.has_value());
    lane.OnLoaded(*load, {Due(1, kNow + wait)}, kNow);
    EXPECT_TRUE(lane.Take().has_value());
    EXPECT_FALSE(lane.HasDue(kNow));
  }
}

// A parked row that was released, or a redriven one, by a wall clock that is ahead (T5).
TEST(RetryLane, WhatWasNeverTriedIsDueWhateverItsTime) {
  RetryLane lane;
  lane.OnReleased(0, kNow);
  DueException untried = Due(2, kNow + absl::Hours(1));
  untried.row.attempts = 0;
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow + absl::Minutes(1)), untried}, kNow);
  EXPECT_EQ(lane.Take()->row.key.seq, 2U);
  EXPECT_FALSE(lane.Take().has_value());
  EXPECT_EQ(lane.next_due(), kNow + absl::Minutes(1));
}

TEST(RetryLane, TheLongestWaitIsWaited) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow + kScheduleStepMax);
  EXPECT_FALSE(lane.NextLoad(kNow).has_value());
}

TEST(RetryLane, GivesWhatIsDueAndRemembersWhenTheNextIs) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnAdded(Key(2), kNow + absl::Seconds(9));
  const auto load = lane.NextLoad(kNow);
  ASSERT_TRUE(load.has_value());
  EXPECT_FALSE(lane.NextLoad(kNow).has_value());  // One read at a time.
  lane.OnLoaded(*load, {Due(1, kNow), Due(2, kNow + absl::Seconds(9))}, kNow);
  EXPECT_EQ(lane.Take()->row.key.seq, 1U);
  EXPECT_FALSE(lane.Take().has_value());
  EXPECT_EQ(lane.next_due(), kNow + absl::Seconds(9));
}

TEST(RetryLane, WhatIsAddedDuringAReadIsNotForgotten) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.OnAdded(Key(2), kNow + absl::Seconds(1));  // Committed after the read began.
  lane.OnLoaded(*load, {Due(1, kNow)}, kNow);
  ASSERT_TRUE(lane.Take().has_value());
  EXPECT_EQ(lane.next_due(), kNow + absl::Seconds(1));
}

TEST(RetryLane, ARowIsNotTakenTwiceWhileItsOutcomeIsUncommitted) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow)}, kNow);
  ASSERT_TRUE(lane.Take().has_value());
  lane.OnAdded(Key(2), kNow);
  const auto load = lane.NextLoad(kNow);
  ASSERT_TRUE(load.has_value());
  EXPECT_GT(load->limit, kLoadedExceptionsMax);  // The outstanding one takes no place.
  lane.OnLoaded(*load, {Due(1, kNow), Due(2, kNow)}, kNow);
  EXPECT_EQ(lane.Take()->row.key.seq, 2U);
  EXPECT_FALSE(lane.Take().has_value());
}

TEST(RetryLane, AReadThatBeganBeforeTheOutcomeWasCommittedDoesNotBringTheRowBack) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow)}, kNow);
  ASSERT_TRUE(lane.Take().has_value());
  lane.OnAdded(Key(2), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.OnResolved(Key(1), std::nullopt);
  lane.OnLoaded(*load, {Due(1, kNow), Due(2, kNow)}, kNow);
  EXPECT_EQ(lane.Take()->row.key.seq, 2U);
  EXPECT_FALSE(lane.Take().has_value());
  EXPECT_EQ(lane.waiting(), 1U);
}

TEST(RetryLane, HoldsFewRowsAndComesBackForTheRest) {
  RetryLane lane;
  std::vector<DueException> rows;
  for (Seq seq = 1; seq <= kLoadedExceptionsMax; ++seq) {
    lane.OnAdded(Key(seq), kNow);
    rows.push_back(Due(seq, kNow));
  }
  lane.OnAdded(Key(1000), kNow);
  const auto load = lane.NextLoad(kNow);
  ASSERT_EQ(load->limit, kLoadedExceptionsMax);
  lane.OnLoaded(*load, std::move(rows), kNow);
  EXPECT_FALSE(lane.NextLoad(kNow).has_value());  // First those that are loaded.
  while (lane.Take().has_value()) {
  }
  EXPECT_TRUE(lane.NextLoad(kNow).has_value());
}

// A due time in the past would be an alarm that goes off at once, again and again.
TEST(RetryLane, NothingIsDueWhileRowsAreReadOrLoaded) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.OnAdded(Key(2), kNow);
  EXPECT_EQ(lane.next_due(), absl::InfiniteFuture());
  lane.OnLoaded(*load, {Due(1, kNow)}, kNow);
  EXPECT_EQ(lane.next_due(), absl::InfiniteFuture());
  ASSERT_TRUE(lane.Take().has_value());
  EXPECT_EQ(lane.next_due(), kNow);
}

TEST(RetryLane, AFailedReadIsTriedAgain) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.OnLoadFailed(*load, kNow + absl::Seconds(1));
  EXPECT_FALSE(lane.NextLoad(kNow).has_value());
  EXPECT_TRUE(lane.NextLoad(kNow + absl::Seconds(1)).has_value());
}

TEST(RetryLane, AfterAChangeAllIsReadAnewAndTheCountIsThatOfTheStore) {
  RetryLane lane;
  for (Seq seq = 1; seq <= 3; ++seq) lane.OnAdded(Key(seq), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow), Due(2, kNow), Due(3, kNow)}, kNow);
  ASSERT_EQ(lane.Take()->row.key.seq, 1U);
  lane.OnChanged(0, {.waiting = -2}, kNow);  // 1, which is on the wire, and 2 are purged.
  EXPECT_EQ(lane.waiting(), 1U);
  EXPECT_FALSE(lane.Take().has_value());
  lane.OnStale(Key(1));
  EXPECT_EQ(lane.waiting(), 1U);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(3, kNow)}, kNow);
  EXPECT_EQ(lane.Take()->row.key.seq, 3U);
  lane.OnResolved(Key(3), std::nullopt);
  EXPECT_EQ(lane.waiting(), 0U);
}

TEST(RetryLane, AReadThatBeganBeforeAChangeIsMadeAgain) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.OnChanged(0, {.waiting = -1}, kNow);
  lane.OnLoaded(*load, {Due(1, kNow)}, kNow);
  EXPECT_FALSE(lane.Take().has_value());
  const auto again = lane.NextLoad(kNow);
  ASSERT_TRUE(again.has_value());
  lane.OnLoaded(*again, {}, kNow);
  EXPECT_EQ(lane.next_due(), absl::InfiniteFuture());
}

TEST(RetryLane, ARedrivenOneOfAReplayIsNotTakenForCanceled) {
  RetryLane lane;
  lane.OnChanged(0, {.waiting = 1, .waiting_of_replays = {{9, 1}}}, kNow);
  DueException due = Due(1, kNow);
  due.row.key.origin = 9;
  lane.OnLoaded(*lane.NextLoad(kNow), {due}, kNow);
  EXPECT_TRUE(lane.HasLoaded());
  lane.OnChanged(0, {.waiting = -1, .waiting_of_replays = {{9, -1}}}, kNow);
  EXPECT_EQ(lane.waiting(), 0U);
}

TEST(RetryLane, WhatIsRedrivenIsLoaded) {
  RetryLane lane;
  EXPECT_FALSE(lane.NextLoad(kNow).has_value());
  lane.OnChanged(0, {.waiting = 1}, kNow);
  EXPECT_EQ(lane.waiting(), 1U);
  EXPECT_TRUE(lane.NextLoad(kNow).has_value());
}

TEST(RetryLane, UnloadedRowsAreReadAgain) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow)}, kNow);
  lane.Unload();
  EXPECT_FALSE(lane.Take().has_value());
  EXPECT_EQ(lane.next_due(), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {Due(1, kNow)}, kNow);
  EXPECT_TRUE(lane.Take().has_value());
}

TEST(RetryLane, OneByOneItComesToTheEnd) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow, 1), {Due(1, kNow)}, kNow);
  ASSERT_TRUE(lane.Take().has_value());
  lane.OnResolved(Key(1), std::nullopt);
  const auto next = lane.NextLoad(kNow, 1);
  ASSERT_TRUE(next.has_value()) << "there may be another";
  lane.OnLoaded(*next, {}, kNow);
  EXPECT_EQ(lane.next_due(), absl::InfiniteFuture()) << "there was none";
}

TEST(RetryLane, WhatItHoldsCountsUntilItIsResolved) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  auto event = std::make_shared<Event>();
  event->body.assign(1000, 'x');
  DueException due = Due(1, kNow);
  due.entry.event = event;
  const auto load = lane.NextLoad(kNow);
  EXPECT_EQ(lane.held_bytes(), kLoadedExceptionBytesMax) << "what the read may bring";
  lane.OnLoaded(*load, {due}, kNow);
  EXPECT_EQ(lane.held_bytes(), 1000U);
  lane.Take();
  EXPECT_EQ(lane.held_bytes(), 1000U);
  lane.OnResolved(Key(1), std::nullopt);
  EXPECT_EQ(lane.held_bytes(), 0U);
}

TEST(RetryLane, APageThatWasCutForItsBytesIsNotTheEnd) {
  RetryLane lane;
  lane.OnAdded(Key(1), kNow);
  lane.OnAdded(Key(2), kNow);
  const auto load = lane.NextLoad(kNow);
  auto event = std::make_shared<Event>();
  event->body.assign(load->bytes - 1, 'x');
  DueException large = Due(1, kNow);
  large.entry.event = event;
  lane.OnLoaded(*load, {large}, kNow);
  lane.Take();
  const auto next = lane.NextLoad(kNow);
  ASSERT_TRUE(next.has_value());
  EXPECT_GE(next->bytes, 2 * event->body.size());  // The one on the wire takes no room.
}

ExceptionKey ReplayKey(Seq seq) { return {.shard = 0, .subscription = 1, .seq = seq, .origin = 7}; }

DueException ReplayDue(Seq seq) {
  DueException due = Due(seq, kNow);
  due.row.key = ReplayKey(seq);
  return due;
}

TEST(RetryLane, ACanceledReplayHasNothingWaiting) {
  RetryLane lane;
  lane.Restore(
      {.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 3, .of_replays = {{7, 2}}});
  lane.OnLoaded(*lane.NextLoad(kNow), {ReplayDue(1), ReplayDue(2), Due(3, kNow)}, kNow);
  ASSERT_EQ(lane.Take()->row.key, ReplayKey(1));  // On the wire when its replay is canceled.
  lane.Cancel(7);
  EXPECT_EQ(lane.waiting(), 1U);
  EXPECT_EQ(lane.Take()->row.key, Key(3));
  EXPECT_FALSE(lane.HasLoaded());
  lane.OnResolved(ReplayKey(1), kNow + absl::Seconds(1));
  EXPECT_EQ(lane.waiting(), 1U) << "its outcome is not counted";
  EXPECT_EQ(lane.next_due(), absl::InfiniteFuture());
}

TEST(RetryLane, WhatIsReadOfAReplayThatWasCanceledMeanwhileIsNotTaken) {
  RetryLane lane;
  lane.OnAdded(ReplayKey(1), kNow);
  const auto load = lane.NextLoad(kNow);
  lane.Cancel(7);
  lane.OnLoaded(*load, {ReplayDue(1)}, kNow);
  EXPECT_FALSE(lane.HasLoaded());
  EXPECT_EQ(lane.waiting(), 0U);
}

TEST(RetryLane, WhatIsPutBackOfACanceledReplayIsForgotten) {
  RetryLane lane;
  lane.OnAdded(ReplayKey(1), kNow);
  lane.OnLoaded(*lane.NextLoad(kNow), {ReplayDue(1)}, kNow);
  DueException taken = *lane.Take();
  lane.Cancel(7);
  lane.PutBack(taken.row);
  EXPECT_FALSE(lane.HasLoaded());
}

}  // namespace
}  // namespace postrider
