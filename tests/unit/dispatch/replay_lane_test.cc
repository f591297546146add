// Goal: a replay reads its ranges and nothing else, remembers where it is, and keeps its rate.
#include "gateway/dispatch/replay_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"
#include "gateway/dispatch/replay_lanes.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(2000);
const Suspects kNoSuspects{};

// Replay `number`, of seqs `first` to `last` of shard 0.
ReplayRecord Record(Seq first, Seq last, double rate = 0, OriginId number = 7) {
  auto replay = std::make_shared<Replay>();
  replay->number = number;
  replay->subscription = 1;
  replay->rate = rate;
  ReplayRecord record;
  record.replay = std::move(replay);
  record.positions = {
      {.replay = number, .shard = 0, .next_seq = first, .end_seq = last, .settled = {}}};
  return record;
}

class ReplayLaneTest : public testing::Test {
 protected:
  // Makes the next read, if there is one, of a log that goes up to `head`.
  bool Read(ReplayLane& lane, Seq head = 10'000) {
    const std::optional<ReplayRead> read = lane.NextRead(monotonic_, kReaderPageBytes);
    if (!read.has_value()) return false;
    lane.OnRead(*read,
                EntriesFrom(read->after + 1, std::min<Seq>(read->after + read->events, head)),
                *subscription_, kNoSuspects, kNow, monotonic_);
    return true;
  }
  std::vector<Seq> TakeAll(ReplayLane& lane) {
    std::vector<Seq> seqs;
    while (lane.Ready(monotonic_)) seqs.push_back(lane.Take(monotonic_).seq);
    return seqs;
  }
  void Deliver(ReplayLane& lane, Seq seq, bool delivered = true) {
    lane.OnResult(0, seq, delivered);
    lane.OnCommitted();
  }

  std::shared_ptr<Subscription> subscription_ = SubscriptionNumbered(1);
  absl::Duration monotonic_ = absl::Seconds(100);
};

TEST_F(ReplayLaneTest, SendsItsRangeAndIsFinishedWhenAllIsCommitted) {
  ReplayLane lane(Record(3, 5));
  EXPECT_TRUE(Read(lane));
  EXPECT_THAT(TakeAll(lane), ElementsAre(3, 4, 5));
  EXPECT_FALSE(Read(lane)) << "its end is reached";
  Deliver(lane, 3);
  Deliver(lane, 5, /*delivered=*/false);
  EXPECT_FALSE(lane.finished());
  lane.OnResult(0, 4, true);
  EXPECT_FALSE(lane.finished()) << "not committed";
  lane.OnCommitted();
  EXPECT_TRUE(lane.finished());
  const ReplayPosition position = *lane.PositionOf(0);
  EXPECT_EQ(position.left(), 0U);
  EXPECT_EQ(position.delivered, 2U);
  EXPECT_EQ(position.failed, 1U);
}

TEST_F(ReplayLaneTest, WithNothingToReadIsFinishedAtOnce) {
  EXPECT_TRUE(ReplayLane(Record(5, 4)).finished());
}

// A subscription's start plays no part; its scope and patterns, the replay's and the event's own
// expire time do.
TEST_F(ReplayLaneTest, SendsWhatTheSubscriptionWantsWhenverItWasCreated) {
  subscription_->start_seqs = {100};
  subscription_->event_types = {"a.*"};
  ReplayRecord record = Record(1, 5);
  auto replay = std::make_shared<Replay>(*record.replay);
  replay->event_types = {"*.b"};
  record.replay = replay;
  ReplayLane lane(record);
  std::vector<LogEntry> entries = {EntryAt(1, "a.b"), EntryAt(2, "a.c"), EntryAt(3, "b.b"),
                                   EntryAt(4, "a.b"), EntryAt(5, "a.b")};
  auto foreign = std::make_shared<Event>(*entries[3].event);
  foreign->organization = "p";
  foreign->organization_path = {"p"};
  entries[3].event = foreign;
  auto expired = std::make_shared<Event>(*entries[4].event);
  expired->expire_time = kNow - absl::Seconds(1);
  entries[4].event = expired;
  lane.OnRead(*lane.NextRead(monotonic_, kReaderPageBytes), entries, *subscription_, kNoSuspects,
              kNow, monotonic_);
  EXPECT_THAT(TakeAll(lane), ElementsAre(1));
}

TEST_F(ReplayLaneTest, GoesOnWhereItsPositionSays) {
  ReplayLane before(Record(1, 6));
  Read(before);
  TakeAll(before);
  Deliver(before, 1);
  Deliver(before, 4);
  ReplayRecord record = Record(1, 6);
  record.positions = {*before.PositionOf(0)};
  EXPECT_EQ(record.positions[0].next_seq, 2U);

  ReplayLane lane(record);
  Read(lane);
  EXPECT_THAT(TakeAll(lane), ElementsAre(2, 3, 5, 6));
  EXPECT_EQ(lane.PositionOf(0)->delivered, 2U);
}

TEST_F(ReplayLaneTest, KeepsAPageOrTwoInMemory) {
  ReplayLane lane(Record(1, 9000));
  while (Read(lane)) {
  }
  EXPECT_LE(TakeAll(lane).size(), kReaderPageEvents + kReplayReadyEvents);
}

// What is on the wire for long must not make the position wider than a row can say.
TEST_F(ReplayLaneTest, ReadsNoFurtherThanItsWindow) {
  ReplayLane lane(Record(1, 9000));
  Seq last = 0;
  while (Read(lane)) {
    for (const Seq seq : TakeAll(lane)) {
      last = std::max(last, seq);
      if (seq != 1) Deliver(lane, seq);
    }
  }
  EXPECT_EQ(last, kReaderWindowMax);
  EXPECT_EQ(lane.PositionOf(0)->next_seq, 1U);
  Deliver(lane, 1);
  EXPECT_TRUE(Read(lane));
}

TEST_F(ReplayLaneTest, WhatIsUnloadedIsReadAgainAndNothingElse) {
  ReplayLane lane(Record(1, 5));
  Read(lane);
  lane.Take(monotonic_);  // 1 is on the wire.
  lane.Take(monotonic_);
  Deliver(lane, 2);
  lane.Unload();
  EXPECT_FALSE(lane.Ready(monotonic_));
  Read(lane);
  EXPECT_THAT(TakeAll(lane), ElementsAre(3, 4, 5));
}

TEST_F(ReplayLaneTest, APageThatWasUnloadedOnItsWayIsNotTaken) {
  ReplayLane lane(Record(1, 600));
  Read(lane);
  while (lane.Ready(monotonic_)) Deliver(lane, lane.Take(monotonic_).seq);
  const ReplayRead read = *lane.NextRead(monotonic_, kReaderPageBytes);
  lane.OnRead(read, EntriesFrom(read.after + 1, read.after + 3), *subscription_, kNoSuspects, kNow,
              monotonic_);
  const ReplayRead next = *lane.NextRead(monotonic_, kReaderPageBytes);
  lane.Unload();
  lane.OnRead(next, EntriesFrom(next.after + 1, next.after + 3), *subscription_, kNoSuspects, kNow,
              monotonic_);
  EXPECT_FALSE(lane.Ready(monotonic_));
  Read(lane);
  EXPECT_EQ(TakeAll(lane).front(), read.after + 1);
}

TEST_F(ReplayLaneTest, EndsWhereTheRestOfItsRangeIsGone) {
  ReplayLane lane(Record(1, 5));
  lane.OnRead(*lane.NextRead(monotonic_, kReaderPageBytes), std::vector<LogEntry>{EntryAt(8)},
              *subscription_, kNoSuspects, kNow, monotonic_);
  EXPECT_FALSE(lane.Ready(monotonic_)) << "beyond its end";
  EXPECT_TRUE(lane.finished());
  ReplayLane other(Record(1, 5));
  other.OnRead(*other.NextRead(monotonic_, kReaderPageBytes), std::vector<LogEntry>(),
               *subscription_, kNoSuspects, kNow, monotonic_);
  EXPECT_TRUE(other.finished());
}

TEST_F(ReplayLaneTest, AFailedReadIsMadeAgainLater) {
  ReplayLane lane(Record(1, 5));
  lane.OnRead(*lane.NextRead(monotonic_, kReaderPageBytes), absl::UnavailableError("busy"),
              *subscription_, kNoSuspects, kNow, monotonic_);
  EXPECT_FALSE(lane.NextRead(monotonic_, kReaderPageBytes).has_value());
  monotonic_ = *lane.next_poll(monotonic_);
  EXPECT_TRUE(lane.NextRead(monotonic_, kReaderPageBytes).has_value());
}

TEST_F(ReplayLaneTest, KeepsItsRate) {
  ReplayLane lane(Record(1, 100, /*rate=*/2));
  Read(lane);
  const absl::Duration start = monotonic_;
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(TakeAll(lane), testing::SizeIs(1));
    const std::optional<absl::Duration> poll = lane.next_poll(monotonic_);
    ASSERT_TRUE(poll.has_value());
    EXPECT_GT(*poll, monotonic_);
    monotonic_ = *poll;
  }
  EXPECT_EQ(monotonic_ - start, absl::Milliseconds(2500));
  monotonic_ += absl::Hours(1);  // What was not used is not saved up.
  EXPECT_THAT(TakeAll(lane), testing::SizeIs(1));
}

TEST_F(ReplayLaneTest, AFastRateGoesInSmallBursts) {
  ReplayLane lane(Record(1, 10'000, /*rate=*/1000));
  const absl::Duration start = monotonic_;
  size_t sent = 0;
  while (monotonic_ < start + absl::Seconds(2)) {
    while (Read(lane)) {
    }
    for (const Seq seq : TakeAll(lane)) {
      Deliver(lane, seq);
      ++sent;
    }
    monotonic_ += absl::Milliseconds(50);
  }
  EXPECT_GE(sent, 1950U);
  EXPECT_LE(sent, 2100U);
}

TEST(ReplayLanes, TakeTurns) {
  const auto subscription = SubscriptionNumbered(1);
  const absl::Duration monotonic = absl::Seconds(1);
  ReplayLanes lanes;
  lanes.Start(Record(1, 4, 0, 7));
  lanes.Start(Record(1, 2, 0, 8));
  while (const auto read = lanes.NextRead(monotonic, kReaderPageBytes)) {
    lanes.OnRead(*read, EntriesFrom(read->after + 1, read->after + read->events), *subscription,
                 kNoSuspects, kNow, monotonic);
  }
  std::vector<OriginId> turns;
  while (lanes.Ready(monotonic)) turns.push_back(lanes.Take(monotonic).first);
  EXPECT_THAT(turns, ElementsAre(7, 8, 7, 8, 7, 7));

  lanes.Cancel(7);
  lanes.OnResult(7, 0, 1, true);
  EXPECT_FALSE(lanes.OnCommitted(7)) << "what comes late is ignored";
  EXPECT_FALSE(lanes.TakeFinished().has_value());
  for (const Seq seq : {1, 2}) {
    lanes.OnResult(8, 0, seq, true);
    EXPECT_TRUE(lanes.OnCommitted(8));
  }
  EXPECT_EQ(lanes.TakeFinished(), 8U);
  EXPECT_TRUE(lanes.empty());
}

// When memory is scarce one reads at a time: it must not be the same one each time.
TEST(ReplayLanes, TakeTurnsToRead) {
  const auto subscription = SubscriptionNumbered(1);
  const absl::Duration monotonic = absl::Seconds(1);
  ReplayLanes lanes;
  lanes.Start(Record(1, 4, 0, 7));
  lanes.Start(Record(1, 4, 0, 8));
  std::vector<OriginId> turns;
  for (int i = 0; i < 4; ++i) {
    const ReplayRead read = *lanes.NextRead(monotonic, kScarcePageBytes);
    EXPECT_EQ(lanes.held_bytes(), kScarcePageBytes) << "the page under way";
    lanes.OnRead(read, EntriesFrom(read.after + 1, read.after + 1), *subscription, kNoSuspects,
                 kNow, monotonic);
    turns.push_back(read.replay);
    EXPECT_GT(lanes.held_bytes(), 0U);
    const LogEntry taken = lanes.Take(monotonic).second;
    EXPECT_GT(lanes.held_bytes(), 0U) << "it is on the wire";
    lanes.OnResult(read.replay, taken.shard, taken.seq, /*delivered=*/true);
    EXPECT_EQ(lanes.held_bytes(), 0U);
  }
  EXPECT_THAT(turns, ElementsAre(7, 8, 7, 8));
}

}  // namespace
}  // namespace postrider
