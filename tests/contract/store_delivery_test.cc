// What Commit() promises about exceptions, readers and cursors (docs/engine.md R2, R3, E1, E2).

#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StoreDelivery : public StoreContract {
 protected:
  std::vector<DueException> Due(SubscriptionNumber subscription, absl::Time until,
                                size_t limit = 100) {
    auto due = reader().ReadDue(subscription, shard(), until, limit, 1 << 20);
    EXPECT_TRUE(due.ok()) << due.status();
    return *std::move(due);
  }
  void PutDue(SubscriptionNumber subscription, Seq seq, absl::Time due) {
    CommitTo(shard(), PutException{NewException(shard(), subscription, seq, due)});
  }
  ShardPosition Position() { return reader().ReadShard(shard())->position; }
};

TEST_P(StoreDelivery, ExceptionsComeByDueTimeWithTheirEvents) {
  for (uint64_t n = 1; n <= 4; ++n) {
    Append(n, "acme", std::to_string(n));
  }
  PutDue(7, 1, now_ + absl::Seconds(30));
  PutDue(7, 2, now_ + absl::Seconds(10));
  PutDue(7, 4, now_ + absl::Seconds(10));
  PutDue(7, 3, now_ + absl::Seconds(60));
  PutDue(8, 3, now_);
  Reopen();
  const auto due = Due(7, now_ + absl::Seconds(30));
  ASSERT_THAT(due, SizeIs(3));
  EXPECT_EQ(due[0].row.key.seq, 2U);
  EXPECT_EQ(due[1].row.key.seq, 4U);
  EXPECT_EQ(due[2].row.key.seq, 1U);
  EXPECT_EQ(due[2].row.due_time, now_ + absl::Seconds(30));
  EXPECT_EQ(due[2].row.first_attempt_time, now_ + absl::Seconds(25));
  EXPECT_EQ(due[2].row.attempts, 1);
  EXPECT_EQ(due[2].row.key.shard, shard());
  EXPECT_EQ(due[2].row.key.subscription, 7U);
  EXPECT_EQ(due[2].entry.event->body, "1");
  EXPECT_EQ(due[2].entry.seq, 1U);
  EXPECT_THAT(Due(7, now_ + absl::Seconds(60), 2), SizeIs(2));
  EXPECT_THAT(Due(7, now_ + absl::Seconds(9)), IsEmpty());
}

TEST_P(StoreDelivery, AnExceptionThatExistsIsLeftAsItIs) {
  Append(1);
  PutDue(7, 1, now_);
  PutDue(7, 1, now_ + absl::Hours(1));
  EXPECT_EQ(Due(7, now_ + absl::Hours(2))[0].row.due_time, now_);
}

TEST_P(StoreDelivery, OriginsAreExceptionsOfTheirOwn) {
  Append(1);
  PutDue(7, 1, now_);
  ExceptionRow replay = NewException(shard(), 7, 1, now_ + absl::Seconds(1));
  replay.key.origin = 3;
  CommitTo(shard(), PutException{replay});
  const auto due = Due(7, now_ + absl::Hours(1));
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[1].row.key.origin, 3U);
}

TEST_P(StoreDelivery, ARetryReplacesItsExceptionByGeneration) {
  Append(1);
  PutDue(7, 1, now_);
  DueException due = Due(7, now_)[0];
  ExceptionRow next = due.row;
  next.attempts = 2;
  next.due_time = now_ + absl::Minutes(5);
  CommitTo(shard(), ResolveException{due.row.key, due.row.generation, next});
  EXPECT_THAT(Due(7, now_), IsEmpty());
  const DueException later = Due(7, next.due_time)[0];
  EXPECT_EQ(later.row.attempts, 2);
  EXPECT_GT(later.row.generation, due.row.generation);

  CommitTo(shard(), ResolveException{due.row.key, due.row.generation, std::nullopt});
  EXPECT_THAT(Due(7, next.due_time), SizeIs(1)) << "an older generation changes nothing";
  CommitTo(shard(), ResolveException{due.row.key, due.row.generation, next});
  EXPECT_EQ(Due(7, next.due_time)[0].row.generation, later.row.generation);
  CommitTo(shard(), ResolveException{later.row.key, later.row.generation, std::nullopt});
  EXPECT_THAT(Due(7, absl::InfiniteFuture()), IsEmpty());
  CommitTo(shard(), ResolveException{later.row.key, later.row.generation, next});
  EXPECT_THAT(Due(7, absl::InfiniteFuture()), IsEmpty()) << "what is gone stays gone";
}

TEST_P(StoreDelivery, TheDeadAreNotDue) {
  Append(1);
  Append(2);
  ExceptionRow dead = NewException(shard(), 7, 1, now_);
  dead.state = ExceptionState::kDead;
  dead.dead_reason = DeadReason::kExhausted;
  CommitTo(shard(), PutException{dead});
  PutDue(7, 2, now_);
  DueException due = Due(7, now_)[0];
  due.row.state = ExceptionState::kDead;
  CommitTo(shard(), ResolveException{due.row.key, due.row.generation, due.row});
  EXPECT_THAT(Due(7, absl::InfiniteFuture()), IsEmpty());
  EXPECT_THAT(*reader().ReadNextDue(), IsEmpty());
}

TEST_P(StoreDelivery, NextDueIsTheEarliestOfEachSubscriptionAndShard) {
  for (uint64_t n = 1; n <= 3; ++n) {
    Append(n);
  }
  PutDue(7, 1, now_ + absl::Seconds(30));
  PutDue(7, 2, now_ + absl::Seconds(10));
  PutDue(9, 3, now_ + absl::Seconds(20));
  const ShardId other = (shard() + 1) % kShards;
  CommitTo(other, PutException{NewException(other, 7, 1, now_)});
  const auto next = reader().ReadNextDue();
  ASSERT_TRUE(next.ok());
  ASSERT_THAT(*next, SizeIs(3));
  for (const NextDue& due : *next) {
    if (due.shard == other) {
      EXPECT_EQ(due.subscription, 7U);
      EXPECT_EQ(due.due_time, now_);
      EXPECT_EQ(due.waiting, 1U);
    } else if (due.subscription == 7) {
      EXPECT_EQ(due.due_time, now_ + absl::Seconds(10));
      EXPECT_EQ(due.waiting, 2U);
    } else {
      EXPECT_EQ(due.subscription, 9U);
      EXPECT_EQ(due.waiting, 1U);
    }
  }
}

TEST_P(StoreDelivery, TheCursorNeverMovesBack) {
  for (uint64_t n = 1; n <= 5; ++n) {
    Append(n);
    CommitTo(shard(), RecordAttempt{NewAttempt(7, n)});
  }
  CommitTo(shard(), AdvanceCursor{3, 2});
  CommitTo(shard(), AdvanceCursor{2, 1});
  EXPECT_EQ(Position().cursor, 3U);
  EXPECT_EQ(Position().attempt_floor, 2U);
  Reopen();
  EXPECT_EQ(Position().cursor, 3U);
  EXPECT_EQ(Position().head, 5U);
  EXPECT_EQ(Position().attempt_head, 5U);
}

TEST_P(StoreDelivery, AReaderIsReplacedAndErased) {
  ReaderRow row{.subscription = 7, .shard = shard(), .next_seq = 10};
  row.settled.Add(3);
  row.settled.Add(900);
  CommitTo(shard(), PutReader{row});
  Reopen();
  auto readers = reader().ReadShard(shard())->readers;
  ASSERT_THAT(readers, SizeIs(1));
  EXPECT_EQ(readers[0].subscription, 7U);
  EXPECT_EQ(readers[0].shard, shard());
  EXPECT_EQ(readers[0].next_seq, 10U);
  EXPECT_TRUE(readers[0].settled.Contains(900));
  EXPECT_FALSE(readers[0].settled.Contains(4));

  CommitTo(shard(), PutReader{{.subscription = 7, .shard = shard(), .next_seq = 12}});
  CommitTo(shard(), PutReader{{.subscription = 8, .shard = shard(), .next_seq = 1}});
  readers = reader().ReadShard(shard())->readers;
  ASSERT_THAT(readers, SizeIs(2));
  EXPECT_EQ(readers[0].next_seq, 12U);
  EXPECT_FALSE(readers[0].settled.Contains(3));

  CommitTo(shard(), EraseReader{7}, EraseReader{99});
  EXPECT_THAT(reader().ReadShard(shard())->readers, SizeIs(1));
  EXPECT_THAT(reader().ReadShard((shard() + 1) % kShards)->readers, IsEmpty());
}

POSTRIDER_FOR_EACH_STORE(StoreDelivery);

}  // namespace
}  // namespace postrider
