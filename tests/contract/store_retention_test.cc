// What the store promises when the old end of the log goes (docs/engine.md C7).

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class StoreRetention : public StoreContract {
 protected:
  absl::Time At(int second) const { return start_ + absl::Seconds(second); }

  // Appends events `first` to `last`, one a second, of which all are settled.
  void AppendEachSecond(uint64_t first, uint64_t last) {
    for (uint64_t n = first; n <= last; ++n) {
      now_ = At(static_cast<int>(n));
      Append(n);
    }
    CommitTo(shard(), AdvanceCursor{.cursor = last, .attempt_floor = 0});
    Maintain();
  }
  // One step of deleting what was accepted before the second.
  DeletedEvents Delete(int before, size_t limit = 100) {
    return CommitTo(shard(), DeleteOldEvents{.before = At(before), .limit = limit}).deleted;
  }
  void Put(SubscriptionNumber subscription, Seq seq, ExceptionState state, OrderingKey key = 0,
           OriginId origin = kOriginLog) {
    ExceptionRow row = NewException(shard(), subscription, seq, now_);
    row.key.origin = origin;
    row.state = state;
    row.ordering_key = key;
    if (state == ExceptionState::kDead) row.dead_reason = DeadReason::kExhausted;
    CommitTo(shard(), PutException{row});
  }
  std::vector<Seq> Log(Seq after = 0) {
    std::vector<Seq> seqs;
    const auto entries = reader().ReadLog(shard(), after, 1000, 1 << 20);
    for (const LogEntry& entry : *entries) seqs.push_back(entry.seq);
    return seqs;
  }
  std::vector<Seq> Listed(EventQuery query = {}) {
    query.organization = "acme";
    std::vector<Seq> seqs;
    const auto entries = reader().ListEvents(query);
    for (const LogEntry& entry : *entries) seqs.push_back(entry.seq);
    return seqs;
  }
  std::vector<Seq> AttemptedBy(SubscriptionNumber subscription) {
    AttemptQuery query;
    query.subscription = subscription;
    std::vector<Seq> seqs;
    const auto page = reader().ListAttempts(query);
    for (const ListedAttempt& listed : page->attempts) seqs.push_back(listed.attempt.seq);
    return seqs;
  }
  std::vector<DeadLetter> Dead(SubscriptionNumber subscription) {
    return reader()
        .ListDeadLetters({.subscription = subscription, .page = {}, .limit = 100})
        ->letters;
  }
  std::vector<Seq> Due(SubscriptionNumber subscription) {
    std::vector<Seq> seqs;
    const auto rows =
        reader().ReadDue(subscription, shard(), absl::InfiniteFuture(), 1000, 1 << 20);
    for (const DueException& due : *rows) seqs.push_back(due.row.key.seq);
    return seqs;
  }

  const absl::Time start_ = now_;
};

TEST_P(StoreRetention, OldEventsGoWithAllThatLeadsToThem) {
  AppendEachSecond(1, 8);
  CommitTo(shard(), NoteUnmatched{{2, 7}});
  const DeletedEvents deleted = Delete(6);
  EXPECT_EQ(deleted.events, 5U);
  EXPECT_EQ(deleted.first_seq, 6U);
  EXPECT_FALSE(deleted.more);
  EXPECT_EQ(deleted.deleted_until, At(5));
  EXPECT_EQ(deleted.oldest, At(6));

  Reopen();
  EXPECT_THAT(Log(), ElementsAre(6, 7, 8));
  EXPECT_THAT(Log(3), ElementsAre(6, 7, 8)) << "a position below means the first that is left";
  EXPECT_THAT(Listed(), ElementsAre(8, 7, 6));
  EXPECT_TRUE(absl::IsNotFound(reader().ReadEvent(EventId(5), "acme").status()));
  EXPECT_TRUE(reader().ReadEvent(EventId(6), "acme").ok());
  EXPECT_TRUE(absl::IsNotFound(reader().ReadDelivery(EventId(5), "acme", 7).status()));
  EXPECT_THAT(reader().ListUnmatched({.organization = "acme"})->entries, SizeIs(1));
  EXPECT_EQ(reader().ReadShard(shard())->position.first_seq, 6U);
  EXPECT_EQ(Delete(6).events, 0U);
}

TEST_P(StoreRetention, AnIdIsKnownAsLongAsItsEventIsKept) {
  AppendEachSecond(1, 2);
  Delete(2);
  EXPECT_EQ(Append(2).kind, Appended::Kind::kDuplicate);
  const Appended again = Append(1, "acme", "{\"other\":1}");
  EXPECT_EQ(again.kind, Appended::Kind::kNew);
  EXPECT_EQ(again.seq, 3U) << "seqs are never given again";
}

TEST_P(StoreRetention, NothingAboveTheCursorGoes) {
  AppendEachSecond(1, 3);
  for (uint64_t n = 4; n <= 6; ++n) Append(n);
  Maintain();
  EXPECT_EQ(Delete(100).first_seq, 4U);
  EXPECT_THAT(Log(), ElementsAre(4, 5, 6));
  CommitTo(shard(), AdvanceCursor{.cursor = 6, .attempt_floor = 0});
  const DeletedEvents rest = Delete(100);
  EXPECT_EQ(rest.first_seq, 7U);
  EXPECT_FALSE(rest.oldest.has_value());
  EXPECT_THAT(Log(), IsEmpty());
  Reopen();
  EXPECT_EQ(Append(7).seq, 7U);
  EXPECT_THAT(Log(), ElementsAre(7));
}

TEST_P(StoreRetention, AStepIsBounded) {
  AppendEachSecond(1, 5);
  const DeletedEvents first = Delete(5, 3);
  EXPECT_EQ(first.events, 3U);
  EXPECT_TRUE(first.more);
  EXPECT_FALSE(first.oldest.has_value()) << "there are older ones than are to be kept";
  const DeletedEvents second = Delete(5, 3);
  EXPECT_EQ(second.events, 1U);
  EXPECT_FALSE(second.more);
  EXPECT_EQ(second.oldest, At(5));
}

TEST_P(StoreRetention, AnEventWithManyRowsGoesInSeveralSteps) {
  AppendEachSecond(1, 2);
  for (int i = 0; i < 5; ++i) CommitTo(shard(), RecordAttempt{NewAttempt(7, 1)});
  for (SubscriptionNumber number = 1; number <= 5; ++number) {
    Put(number, 1, ExceptionState::kWaiting);
  }
  Maintain();
  size_t steps = 1;
  uint64_t expired = 0;
  DeletedEvents deleted = Delete(2, 1);
  for (; deleted.more; ++steps) {
    EXPECT_THAT(Log(), SizeIs(deleted.events == 0 ? 2 : 1)) << "as long as rows of it are left";
    expired += deleted.exceptions.size();
    deleted = Delete(2, 1);
  }
  EXPECT_GE(steps, 6U);
  EXPECT_EQ(expired, 5U);
  EXPECT_THAT(Log(), ElementsAre(2));
  EXPECT_THAT(AttemptedBy(7), IsEmpty());
}

TEST_P(StoreRetention, AttemptsGoWithTheirEvents) {
  AppendEachSecond(1, 3);
  CommitTo(shard(), RecordAttempt{NewAttempt(7, 1)}, RecordAttempt{NewAttempt(7, 3)});
  Maintain();
  CommitTo(shard(), RecordAttempt{NewAttempt(7, 2)});  // Not indexed yet.
  Delete(3);
  CommitTo(shard(), RecordAttempt{NewAttempt(7, 1)});  // It was on the wire.
  Maintain();
  EXPECT_THAT(AttemptedBy(7), ElementsAre(3));
  Reopen();
  EXPECT_THAT(AttemptedBy(7), ElementsAre(3));
}

TEST_P(StoreRetention, SettlementsAboveTheCursorStay) {
  AppendEachSecond(1, 2);
  Append(3);
  CommitTo(shard(), RecordAttempt{NewAttempt(7, 2)}, RecordAttempt{NewAttempt(7, 3)});
  Maintain();
  Delete(100);
  EXPECT_THAT(reader().ReadShard(shard())->settled, ElementsAre(Pair(7, 3)));
}

TEST_P(StoreRetention, WhatWaitsBecomesADeadLetterWithoutAnEvent) {
  AppendEachSecond(1, 4);
  Put(7, 1, ExceptionState::kWaiting);
  Put(7, 2, ExceptionState::kDead);
  Put(8, 2, ExceptionState::kWaiting, /*key=*/0, /*origin=*/5);
  Put(7, 4, ExceptionState::kWaiting);
  const DeletedEvents deleted = Delete(4);
  ASSERT_THAT(deleted.exceptions, SizeIs(2));
  EXPECT_EQ(deleted.exceptions[0].first, 7U);
  EXPECT_EQ(deleted.exceptions[0].second.rows, 1U) << "one was dead before";
  EXPECT_EQ(deleted.exceptions[0].second.waiting, -1);
  EXPECT_EQ(deleted.exceptions[1].second.waiting, -1);
  EXPECT_THAT(deleted.exceptions[1].second.waiting_of_replays, ElementsAre(Pair(5, -1)));

  EXPECT_THAT(Due(7), ElementsAre(4));
  const std::vector<DeadLetter> letters = Dead(7);
  ASSERT_THAT(letters, SizeIs(2));
  EXPECT_EQ(letters[0].row.key.seq, 1U);
  EXPECT_EQ(letters[0].row.dead_reason, DeadReason::kExpired);
  EXPECT_FALSE(letters[0].event_id.has_value());
  EXPECT_EQ(letters[1].row.dead_reason, DeadReason::kExhausted);
  EXPECT_THAT(*reader().ReadNextDue(), SizeIs(1));

  EXPECT_EQ(CommitTo(shard(), RedriveException{letters[0].row.key}).exceptions.rows, 0U)
      << "there is nothing to send";
  const ExceptionKey key = letters[0].row.key;
  EXPECT_THAT(CommitTo(shard(), ResolveException{.key = key, .generation = 1}).stale,
              ElementsAre(key))
      << "it was on the wire";
  EXPECT_THAT(Dead(7), SizeIs(2));
}

TEST_P(StoreRetention, TheNextOfItsKeyFollowsOneThatHasExpired) {
  AppendEachSecond(1, 4);
  Put(7, 1, ExceptionState::kWaiting, /*key=*/9);
  Put(7, 3, ExceptionState::kParked, /*key=*/9);
  Put(7, 4, ExceptionState::kParked, /*key=*/9);
  const DeletedEvents deleted = Delete(3);
  ASSERT_THAT(deleted.exceptions, SizeIs(1));
  EXPECT_EQ(deleted.exceptions[0].second.waiting, 0) << "one waits for the one that has gone";
  EXPECT_THAT(deleted.exceptions[0].second.ordered, ElementsAre(Pair(1, 9)));
  EXPECT_THAT(Due(7), ElementsAre(3));
  EXPECT_THAT(*reader().ReadBlockedKeys(), SizeIs(2));
}

TEST_P(StoreRetention, AnExceptionThatComesLateIsExpired) {
  AppendEachSecond(1, 2);
  Delete(2);
  ExceptionRow late = NewException(shard(), 7, 1, now_);
  late.ordering_key = 9;
  const BatchResult result = CommitTo(shard(), PutException{late});
  ASSERT_THAT(result.late, SizeIs(1));
  EXPECT_EQ(result.late[0].key, late.key);
  EXPECT_EQ(result.late[0].ordering_key, 9U);
  EXPECT_THAT(Due(7), IsEmpty());
  ASSERT_THAT(Dead(7), SizeIs(1));
  EXPECT_EQ(Dead(7)[0].row.dead_reason, DeadReason::kExpired);
  late.key.subscription = 8;
  late.state = ExceptionState::kDead;
  late.dead_reason = DeadReason::kExhausted;
  EXPECT_THAT(CommitTo(shard(), PutException{late}).late, IsEmpty());
  EXPECT_EQ(Dead(8)[0].row.dead_reason, DeadReason::kExhausted);
}

TEST_P(StoreRetention, DeadLettersWithoutAnEventGoWhenTheyAreAsOldThemselves) {
  AppendEachSecond(1, 2);
  Put(7, 1, ExceptionState::kWaiting);
  now_ = At(100);
  Delete(2);
  EXPECT_THAT(Dead(7), SizeIs(1));
  Delete(100);
  EXPECT_THAT(Dead(7), SizeIs(1)) << "it lost its event then, and not before";
  Delete(101);
  EXPECT_THAT(Dead(7), IsEmpty());
}

TEST_P(StoreRetention, WhatNobodyCountsLeavesNothing) {
  const SubscriptionNumber live = Create("live")->number;
  const SubscriptionNumber deleted = Create("deleted")->number;
  AppendEachSecond(1, 2);
  CreateReplay create;
  create.replay.id = "replay";
  create.replay.subscription = live;
  create.until_now = true;
  const OriginId replay = CommitTo(std::nullopt, create).replays.at(0)->replay->number;
  Put(live, 1, ExceptionState::kWaiting, 0, replay);
  Put(deleted, 1, ExceptionState::kWaiting);
  CommitTo(std::nullopt, EndReplay{.number = replay, .state = ReplayState::kCanceled});
  CommitTo(std::nullopt, DeleteSubscription{.number = deleted});
  EXPECT_THAT(Delete(2).exceptions, IsEmpty());
  EXPECT_THAT(Dead(live), IsEmpty());
  EXPECT_THAT(Dead(deleted), IsEmpty());
}

TEST_P(StoreRetention, TheLogBeginsWithTheFirstThatIsLeftForWhoAsksByTime) {
  AppendEachSecond(1, 8);
  Delete(6);
  EXPECT_EQ(reader().FindRange(shard(), At(0), std::nullopt)->first, 6U);
  EXPECT_EQ(reader().FindRange(shard(), At(7), std::nullopt)->first, 7U);
  EXPECT_TRUE(reader().FindRange(shard(), At(0), At(4))->empty());
  EXPECT_THAT(Listed({.accepted_since = At(0), .accepted_until = At(7)}), ElementsAre(6));
  EXPECT_THAT(Listed({.accepted_until = At(3)}), IsEmpty());

  PutSubscription put;
  put.subscription = NewSubscription("past");
  put.subscription.start_time = At(0);
  put.start_at_heads = true;
  const auto created = CommitTo(std::nullopt, put).configured.at(0);
  EXPECT_EQ((*created)->start_seqs[shard()], 5U);
  CreateReplay replay;
  replay.replay.id = "replay";
  replay.replay.subscription = (*created)->number;
  replay.replay.since = At(0);
  replay.until_now = true;
  EXPECT_EQ(CommitTo(std::nullopt, replay).replays.at(0)->positions.at(0).next_seq, 6U);
}

TEST_P(StoreRetention, TimesAreFoundWhenSegmentsHaveGone) {
  for (int day = 1; day <= 5; ++day) {
    now_ = start_ + absl::Hours(24 * day);
    Append(static_cast<uint64_t>(day));
  }
  CommitTo(shard(), AdvanceCursor{.cursor = 5, .attempt_floor = 0});
  Maintain();
  const absl::Time third = start_ + absl::Hours(72);
  CommitTo(shard(), DeleteOldEvents{.before = third});
  EXPECT_EQ(reader().FindRange(shard(), start_, std::nullopt)->first, 3U);
  EXPECT_EQ(reader().FindRange(shard(), third + absl::Hours(1), std::nullopt)->first, 4U);
  CommitTo(shard(), DeleteOldEvents{.before = absl::InfiniteFuture()});
  EXPECT_TRUE(reader().FindRange(shard(), start_, std::nullopt)->empty());
  EXPECT_EQ(reader().FindRange(shard(), start_, std::nullopt)->first, 6U);
}

TEST_P(StoreRetention, APurgeMarkIsPassedByAReaderWhoseEventsHaveGone) {
  const SubscriptionNumber number = Create("s")->number;
  AppendEachSecond(1, 2);
  CommitTo(shard(), PutReader{ReaderRow{.subscription = number, .shard = shard(), .next_seq = 1}});
  const auto marked = [&](const std::string& type) {
    PutSubscription put;
    put.subscription = *reader().ReadConfiguration()->subscriptions[0];
    put.expected_version = put.subscription.version;
    put.purge = PurgeFilter{.event_types = {type}, .accepted_before = {}};
    return (*CommitTo(std::nullopt, put).configured.at(0))->purge_marks.size();
  };
  EXPECT_EQ(marked("a.b"), 1U);
  EXPECT_EQ(marked("c.d"), 2U);
  Delete(100);
  EXPECT_EQ(marked("e.f"), 1U);
}

POSTRIDER_FOR_EACH_STORE(StoreRetention);

}  // namespace
}  // namespace postrider
