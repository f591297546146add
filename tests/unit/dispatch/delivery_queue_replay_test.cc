// Goal: a replay has its share of the exchanges and stands outside of what the log owes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr OriginId kReplay = 7;

class DeliveryQueueReplayTest : public testing::Test {
 protected:
  DeliveryQueueReplayTest() {
    directory_.Put(subscription_, 0);
    queue_ = std::make_unique<DeliveryQueue>(subscription_, &options_, &directory_, &suspects_,
                                             &outbox_);
  }

  void StartReplay(Seq first, Seq last) {
    auto replay = std::make_shared<Replay>();
    replay->number = kReplay;
    replay->subscription = 1;
    ReplayRecord record;
    record.replay = std::move(replay);
    record.positions = {
        {.replay = kReplay, .shard = 0, .next_seq = first, .end_seq = last, .settled = {}}};
    queue_->StartReplay(record);
  }
  void ReadReplay() {
    while (const auto read = queue_->NextReplayRead(monotonic_)) {
      queue_->OnReplayRead(*read, EntriesFrom(read->after + 1, read->after + read->events), kNow,
                           monotonic_);
    }
  }
  void Pause(bool paused) {
    auto changed = std::make_shared<Subscription>(*subscription_);
    changed->paused = paused;
    queue_->Configure(changed, kNow);
  }
  // A success in another shard: two may be in flight from now on (T4).
  void Widen() {
    LogEntry entry = EntryAt(1);
    entry.shard = 1;
    queue_->OnPair({.subscription = 1, .entry = entry});
    queue_->OnCommitted(1, NoticeOf(End(*Next(), kSucceeded)), 1);
    outbox_.Take();
  }
  std::optional<Exchange> Next() { return queue_->Next(kNow, monotonic_); }
  OutcomeRecord End(Exchange exchange, const PostResult& result) {
    return *queue_->OnResult(std::move(exchange), result, kNow, monotonic_, 0);
  }
  void Commit(const OutcomeRecord& record) { queue_->OnCommitted(0, NoticeOf(record), 1); }

  const std::shared_ptr<Subscription> subscription_ = SubscriptionNumbered(1);
  DeliveryQueue::Options options_{.max_in_flight_default = 2, .default_schedule = {}};
  SubscriptionDirectory directory_;
  Suspects suspects_;
  RecordingOutbox outbox_;
  std::unique_ptr<DeliveryQueue> queue_;
  absl::Duration monotonic_ = absl::Seconds(100);
};

TEST_F(DeliveryQueueReplayTest, ItsOutcomesSettleNothingOfTheLog) {
  Widen();
  queue_->OnPair({.subscription = 1, .entry = EntryAt(1)});
  StartReplay(1, 1);
  ReadReplay();
  const Exchange first = *Next();
  Exchange replayed = *Next();
  EXPECT_EQ(first.origin, kOriginLog);
  EXPECT_EQ(replayed.origin, kReplay);
  const OutcomeRecord record = End(std::move(replayed), kSucceeded);
  EXPECT_EQ(AttemptOf(record).origin, AttemptOrigin::kReplay);
  EXPECT_FALSE(AttemptOf(record).settles());
  Commit(record);
  EXPECT_THAT(outbox_.Take(), IsEmpty());
  EXPECT_EQ(queue_->TakeFinishedReplay(), kReplay);
  EXPECT_FALSE(queue_->TakeFinishedReplay().has_value());
  Commit(End(first, kSucceeded));
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:1"));
}

TEST_F(DeliveryQueueReplayTest, AFailureIsAnExceptionOfItsOwnAndRetriedAsItsOwn) {
  StartReplay(3, 3);
  ReadReplay();
  const OutcomeRecord failed = End(*Next(), kFailed);
  ASSERT_TRUE(failed.put_exception.has_value());
  EXPECT_EQ(failed.put_exception->row.key.origin, kReplay);
  Commit(failed);
  EXPECT_EQ(queue_->exceptions_waiting(), 1U);
  EXPECT_EQ(queue_->TakeFinishedReplay(), kReplay) << "the retries are not waited for";

  const auto load = queue_->NextLoad(kNow + absl::Hours(1));
  queue_->OnLoaded(*load, std::vector<DueException>{{failed.put_exception->row, EntryAt(3)}},
                   kNow + absl::Hours(1));
  Exchange retry = *Next();
  EXPECT_EQ(retry.attempt_number, 2);
  const OutcomeRecord delivered = End(std::move(retry), kSucceeded);
  EXPECT_EQ(AttemptOf(delivered).origin, AttemptOrigin::kReplay);
  EXPECT_EQ(delivered.resolve_exception->key.origin, kReplay);
  Commit(delivered);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
  EXPECT_TRUE(queue_->idle(monotonic_));
}

// The events were accepted long ago: it is the replay's time that counts.
TEST_F(DeliveryQueueReplayTest, WhatIsOldIsNotExpired) {
  StartReplay(1, 1);
  ReadReplay();
  const absl::Time later = kNow + absl::Hours(24 * 20);
  Exchange exchange = *queue_->Next(later, monotonic_);
  EXPECT_EQ(exchange.dead_reason, DeadReason::kNone);
  const auto record = queue_->OnResult(std::move(exchange), kFailed, later, monotonic_, 0);
  EXPECT_EQ(AttemptOf(*record).disposition, Disposition::kException);
  EXPECT_GT(record->put_exception->row.due_time, later);
}

TEST_F(DeliveryQueueReplayTest, TheSubscriptionsRateSaysWhenTheNextMayBegin) {
  auto limited = std::make_shared<Subscription>(*subscription_);
  limited->policy.rate = 1;
  queue_->Configure(limited, kNow);
  StartReplay(1, 5);
  ReadReplay();
  Commit(End(*Next(), kSucceeded));
  EXPECT_FALSE(Next().has_value());
  const auto poll = queue_->next_poll(kNow, monotonic_);
  ASSERT_TRUE(poll.has_value());
  monotonic_ = *poll;
  EXPECT_TRUE(Next().has_value());
}

TEST_F(DeliveryQueueReplayTest, OurOwnFaultIsTriedAgainAndNotRecorded) {
  StartReplay(1, 2);
  ReadReplay();
  EXPECT_FALSE(queue_->OnResult(*Next(), kOwnFault, kNow, monotonic_, 0).has_value());
  monotonic_ += absl::Minutes(1);
  EXPECT_EQ(Next()->entry.seq, 1U);
}

TEST_F(DeliveryQueueReplayTest, HasOneExchangeInElevenWhenAllWait) {
  options_.max_in_flight_default = 1000;
  for (const LogEntry& entry : EntriesFrom(1000, 1199)) {
    queue_->OnPair({.subscription = 1, .entry = entry});
  }
  StartReplay(1, 100);
  queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 50});
  std::vector<DueException> due(50);
  for (Seq seq = 0; seq < due.size(); ++seq) {
    due[seq].row.key = {.shard = 0, .subscription = 1, .seq = 500 + seq, .origin = kOriginLog};
    due[seq].entry = EntryAt(500 + seq);
  }
  queue_->OnLoaded(*queue_->NextLoad(kNow), std::move(due), kNow);
  ReadReplay();
  int replayed = 0;
  int retried = 0;
  for (int i = 0; i < 110; ++i) {  // One at a time.
    const Exchange exchange = *Next();
    replayed += exchange.origin == kReplay ? 1 : 0;
    retried += exchange.retry.has_value() ? 1 : 0;
    End(exchange, kSucceeded);
  }
  EXPECT_EQ(replayed, 10);
  EXPECT_EQ(retried, 20) << "two in eleven";
}

TEST_F(DeliveryQueueReplayTest, TakesWhatTheOthersLeave) {
  StartReplay(1, 50);
  ReadReplay();
  for (Seq seq = 1; seq <= 50; ++seq) {
    Exchange exchange = *Next();
    EXPECT_EQ(exchange.entry.seq, seq);
    Commit(End(std::move(exchange), kSucceeded));
  }
  EXPECT_FALSE(Next().has_value());
}

TEST_F(DeliveryQueueReplayTest, WaitsWithoutMemoryWhileTheSubscriptionMayNotSend) {
  StartReplay(1, 5);
  ReadReplay();
  Exchange on_wire = *Next();
  Pause(true);
  EXPECT_FALSE(queue_->NextReplayRead(monotonic_).has_value());
  EXPECT_FALSE(Next().has_value());
  EXPECT_FALSE(queue_->idle(monotonic_)) << "it must not be forgotten";
  Commit(End(std::move(on_wire), kSucceeded));
  Pause(false);
  ReadReplay();
  EXPECT_EQ(Next()->entry.seq, 2U);
}

TEST_F(DeliveryQueueReplayTest, APageThatComesAfterAPauseIsNotKept) {
  StartReplay(1, 5);
  const ReplayRead read = *queue_->NextReplayRead(monotonic_);
  Pause(true);
  queue_->OnReplayRead(read, EntriesFrom(1, 5), kNow, monotonic_);
  Pause(false);
  EXPECT_FALSE(Next().has_value());
  ReadReplay();
  EXPECT_EQ(Next()->entry.seq, 1U);
}

TEST_F(DeliveryQueueReplayTest, ACanceledOneSendsNothingMore) {
  StartReplay(1, 5);
  ReadReplay();
  const OutcomeRecord failed = End(*Next(), kFailed);
  Commit(failed);
  Exchange on_wire = *Next();
  queue_->CancelReplay(kReplay);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U);
  const OutcomeRecord late = End(std::move(on_wire), kFailed);
  Commit(late);
  EXPECT_EQ(queue_->exceptions_waiting(), 0U) << "the store does not write it";
  EXPECT_FALSE(Next().has_value());
  EXPECT_FALSE(queue_->ReplayPositionOf(kReplay, 0).has_value());
}

}  // namespace
}  // namespace postrider
