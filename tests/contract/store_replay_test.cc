// What a store keeps of replays: ranges found by time, positions, ends, and what is left of them.

#include "gateway/base/limits.h"
#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class StoreReplay : public StoreContract {
 protected:
  // Creates one of the events accepted since `seconds` after the start of the test.
  ReplayResult CreateSince(SubscriptionNumber subscription, int seconds,
                           std::optional<int> until = std::nullopt) {
    CreateReplay write;
    write.replay.id = absl::StrCat("replay", ++ids_);
    write.replay.subscription = subscription;
    write.replay.since = start_ + absl::Seconds(seconds);
    write.until_now = !until.has_value();
    write.replay.until = start_ + absl::Seconds(until.value_or(0));
    return CommitTo(std::nullopt, write).replays.at(0);
  }
  ReplayResult End(OriginId number, ReplayState state) {
    return CommitTo(std::nullopt, EndReplay{.number = number, .state = state}).replays.at(0);
  }
  // Appends events `first` to `last`, one a second.
  void AppendEachSecond(uint64_t first, uint64_t last) {
    for (uint64_t n = first; n <= last; ++n) {
      now_ = start_ + absl::Seconds(n);
      Append(n);
    }
  }
  ExceptionRow Exception(SubscriptionNumber subscription, Seq seq, OriginId origin) {
    ExceptionRow row = NewException(shard(), subscription, seq, now_);
    row.key.origin = origin;
    return row;
  }
  // Origins of what waits, by due time and seq.
  std::vector<OriginId> Waiting(SubscriptionNumber subscription) {
    std::vector<OriginId> origins;
    const auto due = reader().ReadDue(subscription, shard(), absl::InfiniteFuture(), 100, 1 << 20);
    for (const DueException& row : *due) origins.push_back(row.row.key.origin);
    return origins;
  }

  const absl::Time start_ = now_;
  int ids_ = 0;
};

TEST_P(StoreReplay, FindsItsRangeByAcceptTimes) {
  AppendEachSecond(1, 10);
  const auto subscription = Create("s");
  const ReplayResult now = CreateSince(subscription->number, 4);
  ASSERT_TRUE(now.ok());
  ASSERT_THAT(now->positions, SizeIs(1)) << "only where there is something to read";
  EXPECT_EQ(now->positions[0].shard, shard());
  EXPECT_EQ(now->positions[0].next_seq, 4U);
  EXPECT_EQ(now->positions[0].end_seq, 10U);
  EXPECT_EQ(now->replay->number, 1U);
  EXPECT_EQ(now->replay->until, now->replay->create_time);

  const ReplayResult until = CreateSince(subscription->number, 2, 4);
  ASSERT_THAT(until->positions, SizeIs(1));
  EXPECT_EQ(until->positions[0].next_seq, 2U);
  EXPECT_EQ(until->positions[0].end_seq, 3U) << "the end is not in it";
  EXPECT_THAT(CreateSince(subscription->number, 11)->positions, IsEmpty());

  const auto range = reader().FindRange(shard(), start_ + absl::Seconds(3), std::nullopt);
  EXPECT_EQ(range->first, 3U);
  EXPECT_EQ(range->last, 10U);
  EXPECT_TRUE(reader().FindRange(shard(), start_ + absl::Hours(1), std::nullopt)->empty());
  EXPECT_TRUE(reader().FindRange(shard(), start_, start_)->empty());
}

TEST_P(StoreReplay, OfOneOrganizationAloneReadsItsShardOnly) {
  for (uint64_t n = 1; n <= 20; ++n) Append(n, absl::StrCat("org", n));
  Append(21);
  Subscription self = NewSubscription("self");
  self.scope = Scope::kSelf;
  const auto created =
      CommitTo(std::nullopt,
               PutSubscription{.subscription = self, .expected_version = 0, .start_at_heads = true})
          .configured.at(0);
  const ReplayResult replay = CreateSince((*created)->number, 0);
  ASSERT_THAT(replay->positions, SizeIs(1));
  EXPECT_EQ(replay->positions[0].shard, shard());
  EXPECT_THAT(CreateSince(Create("all")->number, 0)->positions, SizeIs(testing::Gt(1)));
}

TEST_P(StoreReplay, ItsPositionSurvivesAndItsRangeStays) {
  AppendEachSecond(1, 10);
  const auto subscription = Create("s");
  const ReplayRecord replay = *CreateSince(subscription->number, 0);
  ReplayPosition position = replay.positions[0];
  position.next_seq = 5;
  position.end_seq = 99;
  position.settled.Add(2);
  position.delivered = 4;
  position.failed = 1;
  CommitTo(shard(), PutReplayPosition{position});
  Reopen();

  const auto configuration = reader().ReadConfiguration();
  ASSERT_THAT(configuration->replays, SizeIs(1));
  const ReplayRecord& restored = configuration->replays[0];
  EXPECT_EQ(restored.replay->id, "replay1");
  EXPECT_EQ(restored.replay->since, start_);
  ASSERT_THAT(restored.positions, SizeIs(1));
  EXPECT_EQ(restored.positions[0].next_seq, 5U);
  EXPECT_EQ(restored.positions[0].end_seq, 10U);
  EXPECT_TRUE(restored.positions[0].settled.Contains(2));
  EXPECT_EQ(restored.positions[0].delivered, 4U);
  EXPECT_EQ(restored.positions[0].failed, 1U);
}

TEST_P(StoreReplay, NoMoreThanTheLimitAreUnfinished) {
  const auto subscription = Create("s");
  for (uint64_t i = 0; i < kReplaysUnfinishedMax; ++i) {
    ASSERT_TRUE(CreateSince(subscription->number, 0).ok());
  }
  const ReplayResult refused = CreateSince(subscription->number, 0);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr("the limit is 4"));
  EXPECT_EQ(End(2, ReplayState::kDone)->replay->state, ReplayState::kDone);
  EXPECT_TRUE(CreateSince(subscription->number, 0).ok());
  EXPECT_TRUE(absl::IsNotFound(CreateSince(99, 0).status()));
}

TEST_P(StoreReplay, ACanceledOneLeavesNothingBehind) {
  AppendEachSecond(1, 3);
  const auto subscription = Create("s");
  const OriginId number = CreateSince(subscription->number, 0)->replay->number;
  CommitTo(shard(), PutException{Exception(subscription->number, 1, number)},
           PutException{Exception(subscription->number, 1, kOriginLog)});
  EXPECT_THAT(Waiting(subscription->number), ElementsAre(kOriginLog, number));
  auto next_due = *reader().ReadNextDue();
  ASSERT_THAT(next_due, SizeIs(1));
  EXPECT_EQ(next_due[0].waiting, 2U);
  EXPECT_THAT(next_due[0].of_replays, ElementsAre(Pair(number, 1U)));

  EXPECT_EQ(End(number, ReplayState::kCanceled)->replay->state, ReplayState::kCanceled);
  // An outcome that comes late changes nothing.
  CommitTo(shard(), PutException{Exception(subscription->number, 2, number)});
  EXPECT_THAT(Waiting(subscription->number), ElementsAre(kOriginLog));
  next_due = *reader().ReadNextDue();
  EXPECT_EQ(next_due[0].waiting, 1U);
  EXPECT_THAT(next_due[0].of_replays, IsEmpty());
  Maintain();

  EXPECT_THAT(Waiting(subscription->number), ElementsAre(kOriginLog));
  const ReplayRecord canceled = *reader().ReadReplay("replay1");
  EXPECT_EQ(canceled.replay->state, ReplayState::kCanceled);
  EXPECT_TRUE(canceled.replay->finish_time.has_value());
  EXPECT_THAT(reader().ReadConfiguration()->replays, IsEmpty());
  // Again, and to end it otherwise, changes nothing.
  EXPECT_EQ(End(number, ReplayState::kDone)->replay->state, ReplayState::kCanceled);
  EXPECT_TRUE(absl::IsNotFound(End(77, ReplayState::kCanceled).status()));
}

TEST_P(StoreReplay, WhatACanceledOneLeftIsNotRedriven) {
  AppendEachSecond(1, 2);
  const auto subscription = Create("s");
  const OriginId number = CreateSince(subscription->number, 0)->replay->number;
  ExceptionRow dead = Exception(subscription->number, 1, number);
  dead.state = ExceptionState::kDead;
  CommitTo(shard(), PutException{dead});
  ASSERT_TRUE(End(number, ReplayState::kCanceled).ok());
  const BatchResult redriven = CommitTo(shard(), RedriveException{dead.key});
  EXPECT_EQ(redriven.exceptions.waiting, 0);
  EXPECT_THAT(redriven.exceptions.waiting_of_replays, IsEmpty());
}

TEST_P(StoreReplay, ARedrivenOneSettlesNothingOfTheLog) {
  AppendEachSecond(1, 2);
  const auto subscription = Create("s");
  const OriginId number = CreateSince(subscription->number, 0)->replay->number;
  ExceptionRow dead = Exception(subscription->number, 2, number);
  dead.state = ExceptionState::kDead;
  CommitTo(shard(), PutException{dead});
  CommitTo(shard(), RedriveException{dead.key});
  EXPECT_THAT(Waiting(subscription->number), ElementsAre(number));
  EXPECT_THAT(reader().ReadShard(shard())->settled, IsEmpty());
}

TEST_P(StoreReplay, OfManyExceptionsNoneStays) {
  AppendEachSecond(1, 600);
  const auto subscription = Create("s");
  const OriginId number = CreateSince(subscription->number, 0)->replay->number;
  Batch batch;
  batch.shard = shard();
  for (Seq seq = 1; seq <= 600; ++seq) {
    batch.writes.emplace_back(PutException{Exception(subscription->number, seq, number)});
  }
  Commit({batch});
  ASSERT_TRUE(End(number, ReplayState::kCanceled).ok());
  Maintain();
  EXPECT_THAT(*reader().ReadNextDue(), IsEmpty());
}

TEST_P(StoreReplay, TheNewestFinishedOnesAreKeptAndNumbersNeverComeBack) {
  const auto subscription = Create("s");
  OriginId last = 0;
  for (uint64_t i = 0; i < kReplaysKeptMax + 5; ++i) {
    last = CreateSince(subscription->number, 0)->replay->number;
    ASSERT_TRUE(End(last, ReplayState::kDone).ok());
  }
  ASSERT_TRUE(CreateSince(subscription->number, 0).ok());
  const auto kept = *reader().ListReplays(subscription->number);
  ASSERT_THAT(kept, SizeIs(kReplaysKeptMax + 1));
  EXPECT_EQ(kept[0].replay->number, last + 1) << "newest first";
  EXPECT_TRUE(absl::IsNotFound(reader().ReadReplay("replay1").status()));
}

TEST_P(StoreReplay, ADeletedSubscriptionHasNone) {
  AppendEachSecond(1, 3);
  const auto subscription = Create("s");
  ASSERT_TRUE(CreateSince(subscription->number, 0).ok());
  CommitTo(std::nullopt, DeleteSubscription{.number = subscription->number});
  EXPECT_TRUE(absl::IsNotFound(reader().ReadReplay("replay1").status()));
  EXPECT_TRUE(absl::IsNotFound(CreateSince(subscription->number, 0).status()));
  Maintain();
  EXPECT_THAT(*reader().ListReplays(subscription->number), IsEmpty());
  const auto other = Create("t");
  EXPECT_EQ(CreateSince(other->number, 0)->replay->number, 2U) << "numbers never come back";
}

// Who starts in the past has readers from there on, in the shards of its scope (C2).
TEST_P(StoreReplay, ASubscriptionMayStartInThePast) {
  AppendEachSecond(1, 10);
  Subscription wish = NewSubscription("past");
  wish.scope = Scope::kSelf;
  wish.start_time = start_ + absl::Seconds(4);
  wish.verified = false;
  const PutSubscription create{
      .subscription = wish, .expected_version = 0, .start_at_heads = false};
  Subscription unverified = **CommitTo(std::nullopt, create).configured.at(0);
  EXPECT_THAT(reader().ReadShard(shard())->readers, IsEmpty()) << "it has not started";

  Reopen();
  unverified = *reader().ReadConfiguration()->subscriptions.at(0);
  unverified.verified = true;
  const PutSubscription verify{
      .subscription = unverified, .expected_version = unverified.version, .start_at_heads = true};
  const ConfigResult verified = CommitTo(std::nullopt, verify).configured.at(0);
  std::vector<Seq> starts(kShards);
  starts[shard()] = 3;
  EXPECT_EQ((*verified)->start_seqs, starts);
  const std::vector<ReaderRow> readers = reader().ReadShard(shard())->readers;
  ASSERT_THAT(readers, SizeIs(1));
  EXPECT_EQ(readers[0].next_seq, 4U);
  for (ShardId other = 0; other < kShards; ++other) {
    if (other != shard()) {
      EXPECT_THAT(reader().ReadShard(other)->readers, IsEmpty());
    }
  }
}

TEST_P(StoreReplay, OfADescendantsShardsNoneIsLeftOut) {
  Subscription wish = NewSubscription("past");
  wish.start_time = start_;
  const PutSubscription create{.subscription = wish, .expected_version = 0, .start_at_heads = true};
  ASSERT_TRUE(CommitTo(std::nullopt, create).configured.at(0).ok());
  for (ShardId any = 0; any < kShards; ++any) {
    EXPECT_THAT(reader().ReadShard(any)->readers, SizeIs(1));
  }
}

POSTRIDER_FOR_EACH_STORE(StoreReplay);

}  // namespace
}  // namespace postrider
