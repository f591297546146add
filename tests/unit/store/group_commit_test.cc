// What GroupCommit takes, how it shares, and whom it answers what (docs/engine.md S5).

#include "gateway/store/group_commit.h"

#include <string>
#include <vector>

#include "gateway/base/status.h"
#include "tests/unit/store/group_commit_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(GroupCommitTest, AllThatWaitsIsOneGroup) {
  EXPECT_FALSE(commit_->CommitWaiting());
  Append(1);
  Append(2, "other", 3);
  Submit(0, 10);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_TRUE(commit_->CommitWaiting());
  EXPECT_THAT(store_.commits, SizeIs(1));
  EXPECT_THAT(answers_, ElementsAre("shard 0: 1", "shard 3: 1", "batch 10: committed",
                                    "event 1: NEW 1", "event 2: NEW 1"))
      << "the engine hears before the publishers";
  EXPECT_FALSE(commit_->CommitWaiting());
}

TEST_F(GroupCommitTest, ConfigurationGoesFirstThenOutcomesThenAppends) {
  Append(1);
  Submit(0, 10);
  commit_->Submit(BatchOf(std::nullopt, PutSubscription{NewSubscription("a"), 0, true}),
                  [this](const BatchResult&) { answers_.push_back("configuration"); });
  commit_->CommitWaiting();
  const std::vector<Batch>& group = store_.commits[0];
  ASSERT_THAT(group, SizeIs(3));
  EXPECT_FALSE(group[0].shard.has_value());
  EXPECT_TRUE(std::holds_alternative<AdvanceCursor>(group[1].writes[0]));
  EXPECT_TRUE(std::holds_alternative<AppendEvent>(group[2].writes[0]));
  EXPECT_EQ(answers_[0], "configured 1");
  EXPECT_EQ(answers_[1], "shard 0: 1");
}

TEST_F(GroupCommitTest, AFailedConfigurationIsNotAnnounced) {
  commit_->Submit(BatchOf(std::nullopt, DeleteSubscription{9, 0}),
                  [this](const BatchResult& result) {
                    answers_.push_back(result.configured[0].ok() ? "OK" : "NOT_FOUND");
                  });
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("NOT_FOUND"));
}

TEST_F(GroupCommitTest, HealthIsNoChangeOfTheConfiguration) {
  Batch batch = BatchOf(std::nullopt, PutHealth{1, {}});
  batch.writes.emplace_back(PutSubscription{NewSubscription("a"), 0, true});
  commit_->Submit(std::move(batch), [this](const BatchResult&) { answers_.push_back("done"); });
  commit_->Submit(BatchOf(std::nullopt, PutHealth{1, {}}),
                  [this](const BatchResult&) { answers_.push_back("done"); });
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("configured 1", "done", "done"));
}

TEST_F(GroupCommitTest, ADuplicateInTheGroupIsAnsweredAfterIt) {
  Append(1);
  Append(1);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("shard 0: 1", "event 1: NEW 1", "event 1: DUPLICATE 1"));
}

TEST_F(GroupCommitTest, ThePathIsWrittenBeforeItsEvent) {
  auto event = std::make_shared<Event>(*NewEvent(1, "leaf"));
  event->organization_path = {"root", "leaf"};
  commit_->Append(2, event, true, [](absl::StatusOr<Appended>) {});
  commit_->CommitWaiting();
  const std::vector<Write>& writes = store_.commits[0][0].writes;
  ASSERT_THAT(writes, SizeIs(2));
  EXPECT_EQ(std::get<PutOrganizationPath>(writes[0]).path, event->organization_path);
  EXPECT_TRUE(std::holds_alternative<AppendEvent>(writes[1]));
}

TEST_F(GroupCommitTest, NoOrganizationWaitsForAnothersWholeLine) {
  const std::string body(1 << 20, 'x');  // Seven of these fill a group.
  for (uint64_t n = 1; n <= 20; ++n) {
    Append(n, "loud", 0, body);
  }
  Append(50, "quiet", 1, body);
  Append(51, "quiet", 1, body);
  Append(60, "calm", 2, body);
  commit_->CommitWaiting();
  EXPECT_THAT(EventsOf(0), ElementsAre(1, 2, 3, 4, 50, 51, 60))
      << "each organization in turn, an organization's own in order";
  commit_->CommitWaiting();
  EXPECT_THAT(EventsOf(1), ElementsAre(5, 6, 7, 8, 9, 10, 11));
}

TEST_F(GroupCommitTest, AnEventLargerThanAGroupGoesAlone) {
  Append(1, "acme", 0, std::string(kGroupBytesMax + 1, 'x'));
  Append(2);
  commit_->CommitWaiting();
  EXPECT_THAT(EventsOf(0), ElementsAre(1));
  commit_->CommitWaiting();
  EXPECT_THAT(EventsOf(1), ElementsAre(2));
}

class SmallQueue : public GroupCommitTest {
 protected:
  SmallQueue() : GroupCommitTest(100'000) {}
  const std::string body_ = std::string(20'000, 'x');
};

TEST_F(SmallQueue, OneOrganizationMayHoldHalfOfIt) {
  Append(1, "loud", 0, body_);
  Append(2, "loud", 0, body_);
  EXPECT_THAT(answers_, IsEmpty());
  Append(3, "loud", 0, body_);
  EXPECT_THAT(answers_, ElementsAre("event 3: RESOURCE_EXHAUSTED"));
  EXPECT_TRUE(refusals_[0].GetPayload(kRetryPayload).has_value());
  Append(4, "quiet", 1, body_);
  EXPECT_THAT(answers_, SizeIs(1));
  commit_->CommitWaiting();
  Append(5, "loud", 0, body_);
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "event 5: NEW 3");
  EXPECT_EQ(commit_->Stats().refused, 1U);
}

TEST_F(SmallQueue, AFullQueueIsUnavailable) {
  for (uint64_t n = 1; n <= 4; ++n) {
    Append(n, "org" + std::to_string(n), 0, body_);
  }
  EXPECT_THAT(answers_, IsEmpty());
  Append(5, "org5", 0, body_);
  EXPECT_THAT(answers_, ElementsAre("event 5: UNAVAILABLE"));
  EXPECT_TRUE(refusals_[0].GetPayload(kRetryPayload).has_value());
  Submit(0, 10);
  EXPECT_THAT(answers_, SizeIs(1)) << "outcomes are never refused";
}

TEST_F(SmallQueue, AnEmptyQueueTakesAnythingOnce) {
  Append(1, "acme", 0, std::string(500'000, 'x'));
  EXPECT_THAT(answers_, IsEmpty());
  Append(2, "acme", 0, "{}");
  EXPECT_THAT(answers_, ElementsAre("event 2: RESOURCE_EXHAUSTED"));
}

TEST_F(GroupCommitTest, AFullDiskRefusesEventsButTakesOutcomes) {
  store_.accepts_appends = false;
  Append(1);
  Submit(0, 10);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("batch 10: committed", "event 1: UNAVAILABLE"));
  EXPECT_TRUE(refusals_[0].GetPayload(kRetryPayload).has_value());
  EXPECT_THAT(EventsOf(0), IsEmpty());
  store_.accepts_appends = true;
  Append(1);
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "event 1: NEW 1");
}

TEST_F(GroupCommitTest, NothingButRefusedEventsIsNoCommit) {
  store_.accepts_appends = false;
  Append(1);
  EXPECT_TRUE(commit_->CommitWaiting());
  EXPECT_THAT(store_.commits, IsEmpty());
}

TEST_F(GroupCommitTest, StoppingRefusesAppendsAndCommitsTheRest) {
  Append(1);
  Submit(0, 10);
  commit_->Stop();
  Append(2);
  Submit(0, 11);
  EXPECT_THAT(answers_, ElementsAre("event 2: UNAVAILABLE"));
  commit_->Run();
  EXPECT_THAT(answers_, ElementsAre("event 2: UNAVAILABLE", "shard 0: 1", "batch 10: committed",
                                    "batch 11: committed", "event 1: NEW 1"));
  Submit(0, 12);
  EXPECT_EQ(answers_.back(), "batch 12: not applied") << "nobody is there to commit it";
}

TEST_F(GroupCommitTest, WhatComesDuringACommitIsTheNextGroup) {
  store_.after_commit = [this] {
    if (store_.commits.size() == 1) Append(2);
  };
  Append(1);
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "event 1: NEW 1");
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "event 2: NEW 2");
}

TEST_F(GroupCommitTest, CallbacksMayQueueMore) {
  commit_->Append(0, NewEvent(1), false, [this](absl::StatusOr<Appended>) { Append(2); });
  commit_->CommitWaiting();
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "event 2: NEW 2");
}

TEST_F(GroupCommitTest, StatsCount) {
  Append(1);
  Append(1);
  Submit(0, 10);
  EXPECT_EQ(commit_->Stats().waiting_appends, 2U);
  EXPECT_EQ(commit_->Stats().waiting_batches, 1U);
  EXPECT_GT(commit_->Stats().queue_bytes, 0U);
  store_.after_commit = [this] { clock_.Advance(absl::Milliseconds(3)); };
  commit_->CommitWaiting();
  const GroupCommitStats stats = commit_->Stats();
  EXPECT_EQ(stats.groups, 1U);
  EXPECT_EQ(stats.appended, 1U);
  EXPECT_EQ(stats.queue_bytes, 0U);
  EXPECT_EQ(stats.last_commit, absl::Milliseconds(3));
  EXPECT_EQ(stats.longest_commit, absl::Milliseconds(3));
}

}  // namespace
}  // namespace postrider
