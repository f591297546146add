// What Commit() promises about exceptions with an ordering key (docs/engine.md E4, R1).

#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr OrderingKey kKey = 0xf0f0f0f0f0f0f0f0;  // Has its highest bit set.
constexpr OrderingKey kOtherKey = 5;

class StoreOrder : public StoreContract {
 protected:
  StoreOrder() {
    for (uint64_t n = 1; n <= 6; ++n) {
      Append(n);
    }
  }

  void Put(Seq seq, OrderingKey key, ExceptionState state) {
    ExceptionRow row = NewException(shard(), 7, seq, now_);
    row.ordering_key = key;
    row.state = state;
    row.attempts = state == ExceptionState::kParked ? 0 : 1;
    CommitTo(shard(), PutException{row});
  }
  std::vector<Seq> Due() {
    const auto due = reader().ReadDue(7, shard(), absl::InfiniteFuture(), 100, 1 << 20);
    std::vector<Seq> seqs;
    seqs.reserve(due->size());
    for (const DueException& exception : *due) {
      seqs.push_back(exception.row.key.seq);
    }
    return seqs;
  }
  // The end of the exception at `seq`.
  BatchResult Resolve(Seq seq, uint64_t generation,
                      std::optional<ExceptionRow> next = std::nullopt) {
    const ExceptionKey key{.shard = shard(), .subscription = 7, .seq = seq, .origin = kOriginLog};
    return CommitTo(
        shard(),
        ResolveException{.key = key, .generation = generation, .next = next, .ordering_key = kKey});
  }
};

TEST_P(StoreOrder, TheParkedAreNotDue) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(2, kKey, ExceptionState::kParked);
  EXPECT_THAT(Due(), testing::ElementsAre(1));
  EXPECT_EQ(reader().ReadNextDue()->at(0).waiting, 1U);
}

TEST_P(StoreOrder, TheEndOfOneReleasesTheLowestParkedOfItsKey) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(5, kOtherKey, ExceptionState::kWaiting);
  Put(2, kOtherKey, ExceptionState::kParked);
  Put(4, kKey, ExceptionState::kParked);
  Put(3, kKey, ExceptionState::kParked);
  const BatchResult result = Resolve(1, 1);
  ASSERT_THAT(result.released, SizeIs(1));
  EXPECT_EQ(result.released[0].subscription, 7U);
  EXPECT_EQ(result.released[0].due_time, now_);
  Reopen();
  const auto due = reader().ReadDue(7, shard(), absl::InfiniteFuture(), 100, 1 << 20);
  ASSERT_THAT(*due, SizeIs(2));  // 5 of the other key goes on waiting.
  const ExceptionRow& released = due->at(0).row;
  EXPECT_EQ(released.key.seq, 3U);
  EXPECT_EQ(released.due_time, now_);
  EXPECT_EQ(released.ordering_key, kKey);
  EXPECT_EQ(released.attempts, 0);
  EXPECT_EQ(released.generation, 2U);
}

TEST_P(StoreOrder, ADeathReleasesToo) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(2, kKey, ExceptionState::kParked);
  ExceptionRow dead = NewException(shard(), 7, 1, now_);
  dead.state = ExceptionState::kDead;
  Resolve(1, 1, dead);
  EXPECT_THAT(Due(), testing::ElementsAre(2));
}

TEST_P(StoreOrder, AnEndOfAnOlderGenerationReleasesNothing) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(2, kKey, ExceptionState::kParked);
  Resolve(1, 9);
  EXPECT_THAT(Due(), testing::ElementsAre(1));
}

TEST_P(StoreOrder, WhatIsParkedBehindNothingWaitsAtOnce) {
  Put(2, kKey, ExceptionState::kParked);
  EXPECT_THAT(Due(), testing::ElementsAre(2));
  Put(3, kKey, ExceptionState::kParked);
  EXPECT_THAT(Due(), testing::ElementsAre(2));
}

TEST_P(StoreOrder, BlockedKeysAreThoseThatAreNotDead) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(2, kKey, ExceptionState::kParked);
  Put(3, kOtherKey, ExceptionState::kDead);
  Put(4, 0, ExceptionState::kWaiting);
  Reopen();
  const auto keys = reader().ReadBlockedKeys();
  ASSERT_TRUE(keys.ok());
  ASSERT_THAT(*keys, SizeIs(2));
  EXPECT_EQ(keys->at(0).subscription, 7U);
  EXPECT_EQ(keys->at(0).shard, shard());
  EXPECT_EQ(keys->at(0).key, kKey);
  EXPECT_EQ(keys->at(0).seq, 1U);
  EXPECT_EQ(keys->at(1).seq, 2U);
}

TEST_P(StoreOrder, AParkedPairAboveTheCursorIsSettledWithoutAnAttempt) {
  Put(1, kKey, ExceptionState::kWaiting);
  Put(2, kKey, ExceptionState::kParked);
  Put(3, kKey, ExceptionState::kParked);
  Put(5, kKey, ExceptionState::kParked);
  CommitTo(shard(), AdvanceCursor{2, 0});
  Put(6, kKey, ExceptionState::kWaiting);  // Its attempt would say so.
  const auto recovery = reader().ReadShard(shard());
  EXPECT_THAT(recovery->settled,
              testing::UnorderedElementsAre(testing::Pair(7U, 3U), testing::Pair(7U, 5U)));
}

TEST_P(StoreOrder, ThrottlingAndRedrivingAreKept) {
  ExceptionRow row = NewException(shard(), 7, 1, now_);
  row.throttled = 3;
  row.redriven = true;
  CommitTo(shard(), PutException{row});
  const DueException due = reader().ReadDue(7, shard(), now_, 1, 1 << 20)->at(0);
  EXPECT_EQ(due.row.throttled, 3);
  EXPECT_TRUE(due.row.redriven);
}

POSTRIDER_FOR_EACH_STORE(StoreOrder);

}  // namespace
}  // namespace postrider
