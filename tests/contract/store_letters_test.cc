// What the store promises about dead letters, purges and events that matched nobody
// (docs/engine.md C4, E1).

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StoreLetters : public StoreContract {
 protected:
  // An exception of subscription 7 for event `seq` of acme's shard.
  ExceptionRow Row(Seq seq, ExceptionState state, OrderingKey key = 0) {
    ExceptionRow row = NewException(shard(), 7, seq, now_);
    row.state = state;
    row.ordering_key = key;
    if (state == ExceptionState::kDead) row.dead_reason = DeadReason::kExhausted;
    return row;
  }
  void Put(Seq seq, ExceptionState state, OrderingKey key = 0) {
    CommitTo(shard(), PutException{Row(seq, state, key)});
  }
  void AppendEvents(uint64_t count, const std::string& type = "message.create") {
    for (uint64_t i = 0; i < count; ++i) Append(++events_, "acme", "{}", type);
  }
  // Which seqs of subscription 7 are due now.
  std::vector<Seq> Due() {
    std::vector<Seq> seqs;
    const auto rows = reader().ReadDue(7, shard(), now_, 1000, 1 << 20);
    for (const DueException& due : *rows) seqs.push_back(due.row.key.seq);
    return seqs;
  }
  // The seqs of subscription 7's dead letters, read in pages of `limit`.
  std::vector<Seq> Dead(size_t limit = 100) {
    std::vector<Seq> seqs;
    DeadLetterQuery query{.subscription = 7, .page = {}, .limit = limit};
    do {
      const auto page = reader().ListDeadLetters(query);
      for (const DeadLetter& letter : page->letters) seqs.push_back(letter.row.key.seq);
      query.page = page->next_page;
    } while (!query.page.empty());
    return seqs;
  }
  DeliveryRecord Read(uint64_t n) { return *reader().ReadDelivery(EventId(n), "acme", 7); }
  std::vector<Seq> Unmatched(EventQuery query = {}) {
    query.organization = "acme";
    std::vector<Seq> seqs;
    const absl::StatusOr<EventPage> page = reader().ListUnmatched(query);
    EXPECT_TRUE(page.ok()) << page.status();
    for (const LogEntry& entry : page->entries) seqs.push_back(entry.seq);
    return seqs;
  }

  uint64_t events_ = 0;
};

TEST_P(StoreLetters, DeadLettersComeInPagesWithTheirEvents) {
  AppendEvents(5, "a.b");
  for (const Seq seq : {5, 1, 4, 2}) {
    Put(seq, ExceptionState::kDead);
  }
  Put(3, ExceptionState::kWaiting);
  EXPECT_THAT(Dead(1), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(Dead(4), ElementsAre(1, 2, 4, 5));
  const DeadLetter letter =
      reader().ListDeadLetters({.subscription = 7, .page = {}, .limit = 1})->letters[0];
  EXPECT_EQ(letter.event_id, EventId(1));
  EXPECT_EQ(letter.organization, "acme");
  EXPECT_EQ(letter.event_type, "a.b");
  EXPECT_EQ(letter.accept_time, now_);
  EXPECT_EQ(letter.row.dead_reason, DeadReason::kExhausted);
  EXPECT_EQ(letter.row.key, Row(1, ExceptionState::kDead).key);
  EXPECT_FALSE(letter.expire_time.has_value());
  EXPECT_THAT(reader().ListDeadLetters({.subscription = 8, .page = {}, .limit = 9})->letters,
              IsEmpty());
  EXPECT_TRUE(absl::IsInvalidArgument(
      reader().ListDeadLetters({.subscription = 7, .page = "1.x", .limit = 9}).status()));
}

TEST_P(StoreLetters, ADeadLetterIsRedrivenAsIfItHadNeverBeenTried) {
  AppendEvents(2);
  Put(1, ExceptionState::kDead, 77);
  Put(2, ExceptionState::kWaiting);
  now_ += absl::Hours(1);
  const ExceptionKey dead = Row(1, ExceptionState::kDead).key;
  const ExceptionKey waiting = Row(2, ExceptionState::kWaiting).key;
  const BatchResult result =
      CommitTo(shard(), RedriveException{dead}, RedriveException{dead}, RedriveException{waiting});
  EXPECT_EQ(result.exceptions.rows, 1U);
  EXPECT_EQ(result.exceptions.waiting, 1);
  EXPECT_THAT(Dead(), IsEmpty());
  const auto due = reader().ReadDue(7, shard(), now_, 10, 1 << 20);
  ASSERT_THAT(*due, SizeIs(2));
  const ExceptionRow& row = (*due)[1].row;
  EXPECT_EQ(row.key.seq, 1U);
  EXPECT_EQ(row.attempts, 0);
  EXPECT_EQ(row.due_time, now_);
  EXPECT_EQ(row.first_attempt_time, now_);
  EXPECT_EQ(row.ordering_key, 0U);
  EXPECT_TRUE(row.redriven);
  EXPECT_GT(row.generation, 1U);
  EXPECT_EQ((*due)[0].row.generation, 1U) << "one that waits is left as it is";
}

TEST_P(StoreLetters, AnOutcomeOfAPurgedExceptionIsReportedAsStale) {
  AppendEvents(1);
  Put(1, ExceptionState::kWaiting);
  const ExceptionKey key = Row(1, ExceptionState::kWaiting).key;
  EXPECT_EQ(CommitTo(shard(), PurgeExceptions{.subscription = 7}).exceptions.rows, 1U);
  const ExceptionRow next = Row(1, ExceptionState::kDead);
  EXPECT_THAT(CommitTo(shard(), ResolveException{key, 1, next}).stale, ElementsAre(key));
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_THAT(Dead(), IsEmpty());
  Put(1, ExceptionState::kWaiting);
  EXPECT_THAT(CommitTo(shard(), ResolveException{key, 1, next}).stale, IsEmpty());
}

TEST_P(StoreLetters, APurgeTakesWhatItsFilterCovers) {
  AppendEvents(2, "a.b");
  now_ += absl::Hours(1);
  AppendEvents(2, "c.d");
  AppendEvents(1, "a.b");
  for (Seq seq = 1; seq <= 5; ++seq) {
    Put(seq, seq == 2 ? ExceptionState::kDead : ExceptionState::kWaiting);
  }
  PurgeExceptions purge{.subscription = 7};
  purge.filter = {.event_types = {"a.*"}, .accepted_before = now_};
  const BatchResult filtered = CommitTo(shard(), purge);
  EXPECT_EQ(filtered.exceptions.rows, 2U);
  EXPECT_EQ(filtered.exceptions.waiting, -1) << "a dead letter did not wait";
  EXPECT_THAT(Due(), ElementsAre(3, 4, 5));

  EXPECT_EQ(CommitTo(shard(), PurgeExceptions{.subscription = 7, .through = 3}).exceptions.rows,
            1U);
  Put(1, ExceptionState::kDead);
  EXPECT_EQ(
      CommitTo(shard(), PurgeExceptions{.subscription = 7, .dead_only = true}).exceptions.rows, 1U);
  EXPECT_EQ(CommitTo(shard(), PurgeExceptions{.subscription = 8}).exceptions.rows, 0U);
  EXPECT_THAT(Due(), ElementsAre(4, 5));
}

TEST_P(StoreLetters, APurgeGoesInStepsThatLookAtSoManyAndNotMore) {
  AppendEvents(5);
  for (Seq seq = 1; seq <= 5; ++seq) {
    Put(seq, seq == 4 ? ExceptionState::kWaiting : ExceptionState::kDead);
  }
  ExceptionRow other_origin = Row(2, ExceptionState::kDead);
  other_origin.key.origin = 3;
  CommitTo(shard(), PutException{other_origin});
  PurgeExceptions purge{.subscription = 7, .dead_only = true, .limit = 2};
  std::vector<uint64_t> rows;
  while (true) {
    const ExceptionChanges changes = CommitTo(shard(), purge).exceptions;
    rows.push_back(changes.rows);
    if (!changes.purged_to.has_value()) break;
    purge.after = *changes.purged_to;
  }
  EXPECT_THAT(rows, ElementsAre(2, 2, 1, 0));
  EXPECT_THAT(Dead(), IsEmpty());
  EXPECT_THAT(Due(), ElementsAre(4));
}

TEST_P(StoreLetters, TenThousandGoInTwentySteps) {
  Batch put;
  put.shard = shard();
  for (Seq seq = 1; seq <= 10'000; ++seq) {
    put.writes.emplace_back(PutException{Row(seq, ExceptionState::kDead)});
  }
  Commit({put});
  PurgeExceptions purge{.subscription = 7};
  int steps = 0;
  while (const auto to = CommitTo(shard(), purge).exceptions.purged_to) {
    purge.after = *to;
    ++steps;
  }
  EXPECT_EQ(steps, 20);
  EXPECT_THAT(Dead(), IsEmpty());
}

TEST_P(StoreLetters, WhoIsParkedBehindAPurgedOneIsNotStranded) {
  AppendEvents(6);
  Put(1, ExceptionState::kWaiting, 77);
  Put(2, ExceptionState::kParked, 77);
  Put(3, ExceptionState::kParked, 77);
  Put(4, ExceptionState::kWaiting, 88);
  Put(5, ExceptionState::kParked, 88);
  ExceptionRow other = Row(6, ExceptionState::kParked, 77);
  other.key.subscription = 8;
  ExceptionRow head_of_other = Row(1, ExceptionState::kWaiting, 77);
  head_of_other.key.subscription = 8;
  CommitTo(shard(), PutException{head_of_other}, PutException{other});
  EXPECT_EQ(Read(3).parked_behind, EventId(1));
  const auto through = [](Seq seq) { return PurgeExceptions{.subscription = 7, .through = seq}; };
  const BatchResult first = CommitTo(shard(), through(1));
  EXPECT_EQ(first.exceptions.rows, 1U);
  EXPECT_EQ(first.exceptions.waiting, 0) << "one went, one waits in its place";
  EXPECT_THAT(Due(), testing::UnorderedElementsAre(2, 4));
  EXPECT_EQ(Read(2).exceptions[0].generation, 2U);
  // Of key 88 one still waits: the parked one stays where it is.
  CommitTo(shard(), through(3));
  EXPECT_THAT(Due(), ElementsAre(4));
  EXPECT_THAT(*reader().ReadDue(8, shard(), now_, 10, 1 << 20), SizeIs(1)) << "another's";
}

TEST_P(StoreLetters, ADeliveryIsReadWithAllThatIsKnownOfIt) {
  AppendEvents(3);
  Attempt attempt = NewAttempt(7, 2, Disposition::kException);
  CommitTo(shard(), RecordAttempt{NewAttempt(8, 2)}, RecordAttempt{attempt},
           RecordAttempt{NewAttempt(7, 3)}, AdvanceCursor{1, 0});
  attempt.number = 2;
  for (const bool indexed : {false, true}) {
    if (indexed) Maintain();
    EXPECT_EQ(Read(2).last_attempt->number, 1);
    EXPECT_FALSE(Read(1).last_attempt.has_value());
  }
  CommitTo(shard(), RecordAttempt{attempt});
  Put(2, ExceptionState::kWaiting);
  const DeliveryRecord on_tail = Read(2);
  EXPECT_EQ(on_tail.last_attempt->number, 2);
  EXPECT_EQ(on_tail.entry.seq, 2U);
  ASSERT_THAT(on_tail.exceptions, SizeIs(1));
  EXPECT_EQ(on_tail.exceptions[0].key.subscription, 7U);
  EXPECT_EQ(on_tail.position.cursor, 1U);
  EXPECT_EQ(on_tail.position.head, 3U);
  EXPECT_FALSE(on_tail.reader.has_value());
  ReaderRow row{.subscription = 7, .shard = shard(), .next_seq = 2};
  row.settled.Add(1);
  CommitTo(shard(), PutReader{row});
  EXPECT_TRUE(Read(2).reader->settled.Contains(1));
  EXPECT_TRUE(absl::IsNotFound(reader().ReadDelivery(EventId(9), "acme", 7).status()));
}

TEST_P(StoreLetters, EventsThatMatchedNobodyAreListedNewestFirst) {
  AppendEvents(3, "a.b");
  AppendEvents(1, "c.d");
  Append(100, "other");
  CommitTo(shard(), NoteUnmatched{{1, 3, 4}}, NoteUnmatched{{3}}, AdvanceCursor{4, 0});
  EXPECT_THAT(Unmatched(), ElementsAre(4, 3, 1));
  EXPECT_THAT(Unmatched({.type = "a.b"}), ElementsAre(3, 1));
  EventQuery query;
  query.organization = "acme";
  query.limit = 2;
  EventPage page = *reader().ListUnmatched(query);
  EXPECT_THAT(page.entries, SizeIs(2));
  EXPECT_EQ(page.next_before, 3U);
  query.before_seq = page.next_before;
  page = *reader().ListUnmatched(query);
  ASSERT_THAT(page.entries, SizeIs(1));
  EXPECT_EQ(page.entries[0].seq, 1U);
  EXPECT_EQ(page.next_before, 0U);
}

// --- Marks ---------------------------------------------------------------------------------------

class StorePurgeMarks : public StoreContract {
 protected:
  StorePurgeMarks() {
    Append(1);
    subscription_ = Create("s");
    Append(2);
  }
  absl::Status Purge(const std::string& pattern) {
    PutSubscription put;
    put.subscription = *subscription_;
    put.expected_version = subscription_->version;
    put.purge = PurgeFilter{.event_types = {pattern}, .accepted_before = {}};
    ConfigResult result = CommitTo(std::nullopt, put).configured[0];
    if (result.ok()) subscription_ = *result;
    return result.status();
  }
  std::vector<std::string> Marks() {
    std::vector<std::string> patterns;
    for (const PurgeMark& mark : subscription_->purge_marks) {
      patterns.push_back(mark.filter.event_types[0]);
    }
    return patterns;
  }

  std::shared_ptr<const Subscription> subscription_;
};

TEST_P(StorePurgeMarks, AMarkReachesToTheHeadsOfItsTransactionAndOutlivesARestart) {
  ASSERT_TRUE(Purge("a").ok());
  Append(3);
  Reopen();
  const Subscription stored = *(*reader().ReadConfiguration()).subscriptions[0];
  ASSERT_THAT(stored.purge_marks, SizeIs(1));
  EXPECT_EQ(stored.purge_marks[0].through[shard()], 2U);
  EXPECT_EQ(stored.purge_marks[0].filter, subscription_->purge_marks[0].filter);
  EXPECT_EQ(stored.start_seqs[shard()], 1U);
}

TEST_P(StorePurgeMarks, MarksThatAllPositionsHavePassedGoAndTheSameFilterHasOne) {
  ASSERT_TRUE(Purge("a").ok());
  ASSERT_TRUE(Purge("a").ok());
  EXPECT_THAT(Marks(), ElementsAre("a"));
  CommitTo(shard(),
           PutReader{{.subscription = subscription_->number, .shard = shard(), .next_seq = 2}},
           AdvanceCursor{2, 0});
  ASSERT_TRUE(Purge("b").ok());
  EXPECT_THAT(Marks(), ElementsAre("a", "b")) << "it still reads what the mark is about";
  CommitTo(shard(), EraseReader{subscription_->number});
  Append(3);
  ASSERT_TRUE(Purge("c").ok());
  EXPECT_THAT(Marks(), ElementsAre("c"));
}

TEST_P(StorePurgeMarks, ThereIsABound) {
  for (size_t i = 0; i < kPurgeMarksMax; ++i) {
    ASSERT_TRUE(Purge(absl::StrCat("p", i)).ok());
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(Purge("one-more")));
  EXPECT_TRUE(Purge("p3").ok());
}

POSTRIDER_FOR_EACH_STORE(StoreLetters);
POSTRIDER_FOR_EACH_STORE(StorePurgeMarks);

}  // namespace
}  // namespace postrider
