// What Commit() promises about events and attempts (docs/engine.md L1 to L6, S1, S2).

#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StoreAppend : public StoreContract {
 protected:
  std::vector<Seq> Log(ShardId shard) {
    const auto entries = reader().ReadLog(shard, 0, 1000, 1 << 20);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<Seq> seqs;
    for (const LogEntry& entry : *entries) {
      seqs.push_back(entry.seq);
    }
    return seqs;
  }
};

TEST_P(StoreAppend, SeqsAreDensePerShardFromOne) {
  for (uint64_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(Append(n).seq, n);
  }
  const std::string other = ShardOf("other", kShards) == shard() ? "another" : "other";
  ASSERT_NE(ShardOf(other, kShards), shard());
  EXPECT_EQ(Append(9, other).seq, 1U);
  EXPECT_THAT(Log(shard()), testing::ElementsAre(1, 2, 3));
}

TEST_P(StoreAppend, AnEventComesBackAsItWasGiven) {
  Event event = *NewEvent(1, "leaf", "{\"a\":1}");
  event.organization_path = {"root", "middle", "leaf"};
  event.time = absl::FromUnixSeconds(-5) + absl::Nanoseconds(123'456'789);
  event.ordering_key = "key";
  event.targets = {"one", "two"};
  event.traceparent = "00-aa-bb-01";
  event.expire_time = now_ + absl::Hours(1);
  event.body = std::string("\0\xFFplain", 7);
  const ShardId leaf = ShardOf("leaf", kShards);
  CommitTo(leaf, AppendEvent{std::make_shared<Event>(event)});
  Reopen();

  const auto entry = reader().ReadEvent(event.id, "leaf");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->shard, leaf);
  EXPECT_EQ(entry->seq, 1U);
  EXPECT_EQ(entry->accept_time, now_);
  const Event& stored = *entry->event;
  EXPECT_EQ(stored.id, event.id);
  EXPECT_EQ(stored.organization, event.organization);
  EXPECT_EQ(stored.organization_path, event.organization_path);
  EXPECT_EQ(stored.type, event.type);
  EXPECT_EQ(stored.time, event.time);
  EXPECT_EQ(stored.ordering_key, event.ordering_key);
  EXPECT_EQ(stored.targets, event.targets);
  EXPECT_EQ(stored.traceparent, event.traceparent);
  EXPECT_EQ(stored.expire_time, event.expire_time);
  EXPECT_EQ(stored.content_hash, event.content_hash);
  EXPECT_EQ(stored.body, event.body);
}

TEST_P(StoreAppend, APlainEventHasThePathOfItsOrganizationAlone) {
  Append(1);
  const auto entry = reader().ReadEvent(EventId(1), "acme");
  ASSERT_TRUE(entry.ok());
  EXPECT_THAT(entry->event->organization_path, testing::ElementsAre("acme"));
  EXPECT_EQ(entry->event->expire_time, std::nullopt);
  EXPECT_THAT(entry->event->targets, IsEmpty());
}

TEST_P(StoreAppend, TheSameAgainIsADuplicateWithTheFirstsPlaceAndTime) {
  const Appended first = Append(1);
  EXPECT_EQ(first.kind, Appended::Kind::kNew);
  now_ += absl::Seconds(60);
  Reopen();
  const Appended again = Append(1);
  EXPECT_EQ(again.kind, Appended::Kind::kDuplicate);
  EXPECT_EQ(again.seq, first.seq);
  EXPECT_EQ(again.accept_time, first.accept_time);
  EXPECT_THAT(Log(shard()), SizeIs(1));
}

TEST_P(StoreAppend, OtherContentIsAConflictAndTheStoredEventStays) {
  Append(1, "acme", "{\"a\":1}");
  EXPECT_EQ(Append(1, "acme", "{\"a\":2}").kind, Appended::Kind::kConflict);
  EXPECT_EQ(reader().ReadEvent(EventId(1), "acme")->event->body, "{\"a\":1}");
  EXPECT_EQ(Append(2).seq, 2U) << "a conflict must not use up a seq";
}

TEST_P(StoreAppend, OneIdInTwoOrganizationsIsTwoEvents) {
  EXPECT_EQ(Append(1, "acme").kind, Appended::Kind::kNew);
  EXPECT_EQ(Append(1, "other").kind, Appended::Kind::kNew);
}

TEST_P(StoreAppend, InOneGroupTheSecondIsJudgedAgainstTheFirst) {
  const auto results =
      Commit({BatchOf(shard(), AppendEvent{NewEvent(1, "acme", "a")},
                      AppendEvent{NewEvent(1, "acme", "a")}, AppendEvent{NewEvent(2)}),
              BatchOf(shard(), AppendEvent{NewEvent(1, "acme", "b")})});
  ASSERT_THAT(results[0].appended, SizeIs(3));
  EXPECT_EQ(results[0].appended[0].kind, Appended::Kind::kNew);
  EXPECT_EQ(results[0].appended[1].kind, Appended::Kind::kDuplicate);
  EXPECT_EQ(results[0].appended[1].seq, 1U);
  EXPECT_EQ(results[0].appended[2].seq, 2U);
  ASSERT_THAT(results[1].appended, SizeIs(1));
  EXPECT_EQ(results[1].appended[0].kind, Appended::Kind::kConflict);
}

TEST_P(StoreAppend, AcceptTimesOfAShardNeverGoBack) {
  const absl::Time first = Append(1).accept_time;
  EXPECT_EQ(first, now_);
  now_ -= absl::Hours(1);
  EXPECT_EQ(Append(2).accept_time, first);
  Reopen();
  EXPECT_EQ(Append(3).accept_time, first);
  EXPECT_EQ(reader().ReadShard(shard())->last_accept_time, first);
}

TEST_P(StoreAppend, AttemptSeqsAreDenseAndTheHeadIsAnswered) {
  Append(1);
  BatchResult result = CommitTo(shard(), RecordAttempt{NewAttempt(1, 1)});
  EXPECT_EQ(result.attempt_head, 1U);
  result = CommitTo(shard(), RecordAttempt{NewAttempt(2, 1)}, RecordAttempt{NewAttempt(3, 1)});
  EXPECT_EQ(result.attempt_head, 3U);
  Reopen();
  EXPECT_EQ(CommitTo(shard(), RecordAttempt{NewAttempt(4, 1)}).attempt_head, 4U);
  const std::string other = ShardOf("other", kShards) == shard() ? "another" : "other";
  EXPECT_EQ(CommitTo(ShardOf(other, kShards), AppendEvent{NewEvent(2, other)}).attempt_head, 0U);
}

TEST_P(StoreAppend, TheOrganizationsPathIsTheLastOneWritten) {
  CommitTo(shard(), PutOrganizationPath{"acme", {"root", "acme"}}, AppendEvent{NewEvent(1)});
  CommitTo(shard(), PutOrganizationPath{"acme", {"new-root", "acme"}});
  Reopen();
  const auto configuration = reader().ReadConfiguration();
  ASSERT_TRUE(configuration.ok());
  ASSERT_THAT(configuration->organizations, SizeIs(1));
  EXPECT_EQ(configuration->organizations[0].organization, "acme");
  EXPECT_THAT(configuration->organizations[0].path, testing::ElementsAre("new-root", "acme"));
}

TEST_P(StoreAppend, ALargeBodySurvives) {
  const std::string body(1 << 20, 'x');
  Append(1, "acme", body);
  EXPECT_EQ(reader().ReadEvent(EventId(1), "acme")->event->body, body);
}

TEST_P(StoreAppend, AnEmptyCommitIsAnswered) { EXPECT_THAT(Commit({}), IsEmpty()); }

POSTRIDER_FOR_EACH_STORE(StoreAppend);

}  // namespace
}  // namespace postrider
