// What a started gateway reads: the log and what is settled in it (docs/engine.md R1, R6).

#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class StoreRecovery : public StoreContract {
 protected:
  void AppendMany(uint64_t from, uint64_t to, size_t bytes = 100) {
    for (uint64_t n = from; n <= to; ++n) {
      Append(n, "acme", std::string(bytes, 'x'));
    }
  }
  std::vector<Seq> Log(Seq after, size_t events, size_t bytes) {
    const auto entries = reader().ReadLog(shard(), after, events, bytes);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<Seq> seqs;
    for (const LogEntry& entry : *entries) {
      EXPECT_EQ(entry.shard, shard());
      seqs.push_back(entry.seq);
    }
    return seqs;
  }
};

TEST_P(StoreRecovery, TheLogIsReadInPages) {
  AppendMany(1, 5);
  EXPECT_THAT(Log(0, 3, 1 << 20), ElementsAre(1, 2, 3));
  EXPECT_THAT(Log(3, 3, 1 << 20), ElementsAre(4, 5));
  EXPECT_THAT(Log(5, 3, 1 << 20), IsEmpty());
  EXPECT_THAT(Log(99, 3, 1 << 20), IsEmpty());
}

TEST_P(StoreRecovery, APageHasItsBytesButAtLeastOneEvent) {
  AppendMany(1, 4, 100);
  EXPECT_THAT(Log(0, 10, 300), ElementsAre(1, 2, 3));
  EXPECT_THAT(Log(0, 10, 299), ElementsAre(1, 2));
  EXPECT_THAT(Log(0, 10, 1), ElementsAre(1));
  EXPECT_THAT(Log(4, 10, 1), IsEmpty());
}

TEST_P(StoreRecovery, APageEndsWithItsShard) {
  for (uint64_t n = 1; n <= 20; ++n) {
    Append(n, "org" + std::to_string(n));
  }
  size_t total = 0;
  for (ShardId each = 0; each < kShards; ++each) {
    const auto entries = reader().ReadLog(each, 0, 100, 1 << 20);
    for (const LogEntry& entry : *entries) {
      EXPECT_EQ(ShardOf(entry.event->organization, kShards), each);
    }
    total += entries->size();
  }
  EXPECT_EQ(total, 20U);
}

TEST_P(StoreRecovery, OnlySettlingAttemptsOfTheLogCountAsSettled) {
  AppendMany(1, 6);
  Attempt retry = NewAttempt(7, 5);
  retry.origin = AttemptOrigin::kRetry;
  Attempt test = NewAttempt(7, 6);
  test.origin = AttemptOrigin::kTest;
  CommitTo(shard(), RecordAttempt{NewAttempt(7, 1)},
           RecordAttempt{NewAttempt(7, 2, Disposition::kException)},
           RecordAttempt{NewAttempt(7, 3, Disposition::kDead)},
           RecordAttempt{NewAttempt(7, 4, Disposition::kStillOwed)}, RecordAttempt{retry},
           RecordAttempt{test}, RecordAttempt{NewAttempt(8, 4)});
  Reopen();
  EXPECT_THAT(reader().ReadShard(shard())->settled,
              UnorderedElementsAre(Pair(7, 1), Pair(7, 2), Pair(7, 3), Pair(8, 4)));
  CommitTo(shard(), AdvanceCursor{1, 0});
  EXPECT_THAT(reader().ReadShard(shard())->settled,
              UnorderedElementsAre(Pair(7, 2), Pair(7, 3), Pair(8, 4)));
  CommitTo(shard(), AdvanceCursor{2, 6});
  EXPECT_THAT(reader().ReadShard(shard())->settled, ElementsAre(Pair(8, 4)))
      << "attempts at or below the floor settle nothing above the cursor";
}

// A reader that catches up alone adds attempts while the cursor stays at the head, and its floor
// where it was: a start does not read them all.
TEST_P(StoreRecovery, AttemptsAreNotReadWhereNothingIsAboveTheCursor) {
  AppendMany(1, 2);
  CommitTo(shard(), AdvanceCursor{2, 0}, RecordAttempt{NewAttempt(7, 3)});  // Of an event to come.
  EXPECT_THAT(reader().ReadShard(shard())->settled, IsEmpty());
  AppendMany(3, 3);
  EXPECT_THAT(reader().ReadShard(shard())->settled, ElementsAre(Pair(7, 3)));
}

TEST_P(StoreRecovery, AReadSeesAllThatWasCommittedBefore) {
  for (uint64_t n = 1; n <= 50; ++n) {
    Append(n);
    ASSERT_TRUE(reader().ReadEvent(EventId(n), "acme").ok()) << n;
    ASSERT_THAT(Log(n - 1, 1, 1), ElementsAre(n));
  }
}

TEST_P(StoreRecovery, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(reader().ReadEvent(EventId(1), "acme").status().code(), absl::StatusCode::kNotFound);
  Append(1);
  EXPECT_EQ(reader().ReadEvent(EventId(1), "other").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader().ReadShard(kShards).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreRecovery, AnEmptyStoreIsReadable) {
  EXPECT_THAT(reader().ReadConfiguration()->subscriptions, IsEmpty());
  EXPECT_THAT(*reader().ReadNextDue(), IsEmpty());
  const auto recovery = reader().ReadShard(shard());
  ASSERT_TRUE(recovery.ok());
  EXPECT_EQ(recovery->position.head, 0U);
  EXPECT_THAT(recovery->settled, SizeIs(0));
  EXPECT_LE(recovery->last_accept_time, now_);
}

POSTRIDER_FOR_EACH_STORE(StoreRecovery);

}  // namespace
}  // namespace postrider
