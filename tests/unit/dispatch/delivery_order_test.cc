// Goal: a subscriber with an order never sees an event before the one that it waits for has come to
// its end (E4, E5), and the others flow meanwhile.
// Method: a queue alone. `Feed("1a 2b 3a")` are the events 1, 2, 3 with the ordering keys a, b, a;
// `4` has none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/delivery_queue.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(2000);
const PostResult kSucceeded{};
// Not a sign of overload: the limit of what may be in flight stays.
const PostResult kFailed{.outcome = Outcome::kHttpStatus, .http_status = 404};

Attempt AttemptOf(const OutcomeRecord& record) { return record.attempt.value_or(Attempt()); }

LogEntry Keyed(Seq seq, const std::string& key) {
  LogEntry entry = EntryAt(seq);
  auto event = std::make_shared<Event>(*entry.event);
  event->ordering_key = key;
  entry.event = std::move(event);
  return entry;
}

class DeliveryOrderTest : public testing::Test {
 protected:
  void Begin(OrderMode mode, std::vector<absl::Duration> schedule = {}) {
    auto subscription = SubscriptionNumbered(1);
    subscription->policy.order = mode;
    subscription->policy.schedule = std::move(schedule);
    directory_.Put(subscription, 0);
    queue_ =
        std::make_unique<DeliveryQueue>(subscription, &options_, &directory_, &suspects_, &outbox_);
    Widen();
  }
  // Successes in another shard: many may be in flight from now on.
  void Widen() {
    for (Seq seq = 1001; seq <= 1050; ++seq) {
      LogEntry entry = EntryAt(seq);
      entry.shard = 1;
      queue_->OnPair({.subscription = 1, .entry = entry});
    }
    for (std::vector<Seq> seqs = Start(); !seqs.empty(); seqs = Start()) {
      for (const Seq seq : seqs) queue_->OnCommitted(1, NoticeOf(End(seq, kSucceeded)), 1);
    }
    outbox_.Take();
  }

  static LogEntry Parse(const std::string& text) {
    size_t digits = 0;
    while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
    Seq seq = 0;
    EXPECT_TRUE(absl::SimpleAtoi(text.substr(0, digits), &seq));
    return Keyed(seq, text.substr(digits));
  }
  void Feed(const std::string& events) {
    for (const std::string& event : std::vector<std::string>(absl::StrSplit(events, ' '))) {
      entries_[Parse(event).seq] = Parse(event);
      queue_->OnPair({.subscription = 1, .entry = Parse(event)});
    }
  }
  std::vector<Seq> Start() {
    std::vector<Seq> seqs;
    while (std::optional<Exchange> exchange = queue_->Next(kNow, absl::ZeroDuration())) {
      seqs.push_back(exchange->entry.seq);
      on_wire_[exchange->entry.seq] = *std::move(exchange);
    }
    return seqs;
  }
  // Ends the exchange; its outcome is not committed yet.
  OutcomeRecord End(Seq seq, const PostResult& result) {
    const auto found = on_wire_.find(seq);
    EXPECT_NE(found, on_wire_.end()) << seq << " is not on the wire";
    Exchange exchange = std::move(found->second);
    on_wire_.erase(found);
    return *queue_->OnResult(std::move(exchange), result, kNow, absl::ZeroDuration(), 0);
  }
  void Commit(const OutcomeRecord& record) { queue_->OnCommitted(0, NoticeOf(record), 1); }
  // The seqs that become parked exceptions; their rows are committed.
  std::vector<Seq> Park() {
    std::vector<Seq> seqs;
    while (const std::optional<OutcomeRecord> record = queue_->NextParked()) {
      EXPECT_EQ(record->put_exception->row.state, ExceptionState::kParked);
      EXPECT_FALSE(record->attempt.has_value());
      seqs.push_back(record->put_exception->row.key.seq);
      Commit(*record);
    }
    return seqs;
  }
  // The exception of `seq` comes due and is loaded.
  void Load(Seq seq, int attempts) {
    queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
    const auto load = queue_->NextLoad(kNow);
    ASSERT_TRUE(load.has_value());
    DueException due;
    due.row.key = {.shard = 0, .subscription = 1, .seq = seq, .origin = kOriginLog};
    due.row.attempts = attempts;
    due.row.due_time = kNow;
    due.entry = entries_.at(seq);
    due.row.ordering_key = DeliveryOrder(queue_->subscription().policy.order).KeyOf(due.entry);
    queue_->OnLoaded(*load, std::vector<DueException>{due}, kNow);
  }

  DeliveryQueue::Options options_{.max_in_flight_default = 10, .default_schedule = {}};
  SubscriptionDirectory directory_;
  Suspects suspects_;
  RecordingOutbox outbox_;
  std::unique_ptr<DeliveryQueue> queue_;
  std::map<Seq, Exchange> on_wire_;
  std::map<Seq, LogEntry> entries_;
};

TEST_F(DeliveryOrderTest, UnorderedWaitsForNothing) {
  Begin(OrderMode::kUnordered);
  Feed("1a 2a 3");
  EXPECT_THAT(Start(), ElementsAre(1, 2, 3));
}

TEST_F(DeliveryOrderTest, OneOfAKeyIsUnderWay) {
  Begin(OrderMode::kByKey);
  Feed("1a 2a 3b 4 5 6a");
  EXPECT_THAT(Start(), ElementsAre(1, 3, 4, 5));
  End(1, kSucceeded);  // The header says 2xx: its commit need not be awaited (T3).
  EXPECT_THAT(Start(), ElementsAre(2));
  End(2, kSucceeded);
  EXPECT_THAT(Start(), ElementsAre(6));
}

TEST_F(DeliveryOrderTest, StrictHasOneUnderWay) {
  Begin(OrderMode::kStrict);
  Feed("1a 2b 3");
  EXPECT_THAT(Start(), ElementsAre(1));
  End(1, kSucceeded);
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(DeliveryOrderTest, AFailureParksItsKeyAndNoOther) {
  Begin(OrderMode::kByKey);
  Feed("1a 2a 3b 4a");
  Start();
  Commit(End(1, kFailed));
  EXPECT_THAT(Park(), ElementsAre(2, 4));
  Feed("5a 6b 7");
  EXPECT_THAT(Park(), ElementsAre(5));
  EXPECT_THAT(Start(), ElementsAre(7));  // 3 of key b is still on the wire.
  End(3, kSucceeded);
  EXPECT_THAT(Start(), ElementsAre(6));
}

TEST_F(DeliveryOrderTest, WhatIsParkedIsReleasedOneByOne) {
  Begin(OrderMode::kByKey);
  Feed("1a 2a 3a");
  Start();
  Commit(End(1, kFailed));
  Park();
  Load(1, 1);
  ASSERT_THAT(Start(), ElementsAre(1));
  Commit(End(1, kSucceeded));
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(queue_->next_due(), absl::InfiniteFuture());
  queue_->OnReleased(0, kNow);  // By the store, in the same transaction.
  EXPECT_EQ(queue_->next_due(), kNow);
  Load(2, 0);
  ASSERT_THAT(Start(), ElementsAre(2));
  const OutcomeRecord second = End(2, kSucceeded);
  EXPECT_EQ(AttemptOf(second).origin, AttemptOrigin::kLog) << "it settles the pair";
  Feed("4a");
  EXPECT_THAT(Park(), ElementsAre(4)) << "3 is still parked";
  Load(3, 0);
  ASSERT_THAT(Start(), ElementsAre(3));
  End(3, kSucceeded);
  Load(4, 0);
  ASSERT_THAT(Start(), ElementsAre(4));
  End(4, kSucceeded);
  Feed("5a");
  EXPECT_THAT(Start(), ElementsAre(5)) << "nothing is parked any more";
}

TEST_F(DeliveryOrderTest, ARetryThatFailsLetsNothingGo) {
  Begin(OrderMode::kByKey);
  Feed("1a");
  Start();
  Commit(End(1, kFailed));
  Load(1, 1);
  Start();
  Commit(End(1, kFailed));
  Feed("2a");
  EXPECT_THAT(Start(), IsEmpty());
}

// The retry has ended before its first failure is heard to have committed.
TEST_F(DeliveryOrderTest, OnlyItsOwnDeathFreesAKey) {
  Begin(OrderMode::kByKey, {absl::ZeroDuration(), absl::Seconds(1)});
  Feed("1a");
  Start();
  const OutcomeRecord failed = End(1, kFailed);
  Load(1, 1);
  Start();
  const OutcomeRecord dead = End(1, kFailed);
  Feed("2a");
  Commit(failed);
  EXPECT_THAT(Start(), IsEmpty());
  Commit(dead);
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(DeliveryOrderTest, ADeathLetsTheNextGoOnceItIsCommitted) {
  Begin(OrderMode::kByKey, {absl::ZeroDuration()});
  Feed("1a 2a");
  Start();
  const OutcomeRecord dead = End(1, kFailed);
  EXPECT_THAT(Park(), IsEmpty());
  Feed("3a");
  EXPECT_THAT(Start(), IsEmpty());
  Commit(dead);
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(DeliveryOrderTest, ADeathAtARetryWithNothingParkedHoldsUntilItIsCommitted) {
  Begin(OrderMode::kByKey, {absl::ZeroDuration(), absl::Seconds(1)});
  Feed("1a");
  Start();
  Commit(End(1, kFailed));
  Load(1, 1);
  Start();
  const OutcomeRecord dead = End(1, kFailed);
  Feed("2a");
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_THAT(Park(), IsEmpty());
  Commit(dead);
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(DeliveryOrderTest, AStartKnowsTheBlockedKeys) {
  Begin(OrderMode::kByKey);
  const OrderingKey key = OrderingKeyOf("o", "a");
  queue_->RestoreBlockedKey({.subscription = 1, .shard = 0, .key = key, .seq = 2});
  EXPECT_FALSE(queue_->idle(absl::ZeroDuration()));
  Feed("3a 4b");
  EXPECT_THAT(Start(), ElementsAre(4));
  EXPECT_THAT(Park(), ElementsAre(3));
}

TEST_F(DeliveryOrderTest, StrictParksNothingAndLeavesTheTail) {
  Begin(OrderMode::kStrict);
  Feed("1 2 3");
  Start();
  Commit(End(1, kFailed));
  EXPECT_THAT(Park(), IsEmpty());
  EXPECT_THAT(outbox_.Take(), ElementsAre("ask-leave 1", "settled 1:1"));
  EXPECT_THAT(Start(), IsEmpty());
}

TEST_F(DeliveryOrderTest, StrictReadsNoFurtherWhileOneFails) {
  Begin(OrderMode::kStrict);
  Feed("1 2 3");
  Start();
  Commit(End(1, kFailed));
  queue_->OnLeave({.subscription = 1, .shard = 0, .from = 4, .settled = {}}, 1);
  queue_->OnRowCommitted(0, 1);
  EXPECT_FALSE(queue_->NextRead(absl::ZeroDuration()).has_value());
  Load(1, 1);
  ASSERT_THAT(Start(), ElementsAre(1));
  End(1, kSucceeded);
  const auto read = queue_->NextRead(absl::ZeroDuration());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->after, 1U) << "what was held is read again";
}

TEST_F(DeliveryOrderTest, AKeyParksSoManyAndThenItsReaderStops) {
  Begin(OrderMode::kByKey);
  Feed("1a");
  Start();
  Commit(End(1, kFailed));
  for (Seq seq = 2; seq <= kParkedPerKeyMax + 1; ++seq) {
    queue_->OnPair({.subscription = 1, .entry = Keyed(seq, "a")});
  }
  EXPECT_EQ(Park().size(), kParkedPerKeyMax - 1);
  EXPECT_THAT(outbox_.messages(),
              testing::Contains(testing::VariantWith<AskLeaveMessage>(testing::_)));
}

TEST_F(DeliveryOrderTest, WhatIsUnloadedKeepsItsOrder) {
  Begin(OrderMode::kByKey);
  Feed("1a 2a 3b 4a");
  ASSERT_THAT(Start(), ElementsAre(1, 3));
  queue_->OnLeave({.subscription = 1, .shard = 0, .from = 5, .settled = {}}, 1);
  queue_->OnRowCommitted(0, 1);
  const auto read = queue_->NextRead(absl::ZeroDuration());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->after, 1U);
  queue_->OnRead(*read, std::vector<LogEntry>{entries_[2], entries_[3], entries_[4]},
                 absl::ZeroDuration());
  EXPECT_THAT(Start(), IsEmpty()) << "1 is on the wire";
  End(1, kSucceeded);
  EXPECT_THAT(Start(), ElementsAre(2));
}

}  // namespace
}  // namespace postrider
