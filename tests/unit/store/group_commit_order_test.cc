// What GroupCommit does when the store fails: nothing overtakes (docs/engine.md R2, S2).

#include <set>
#include <string>
#include <vector>

#include "gateway/base/status.h"
#include "tests/unit/store/group_commit_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class GroupCommitOrder : public GroupCommitTest {
 protected:
  // Batches of these shards are not applied.
  void FailShards(std::set<ShardId> shards) {
    store_.state_of = [shards](const Batch& batch) {
      return batch.shard.has_value() && shards.count(*batch.shard) != 0 ? CommitState::kNotApplied
                                                                        : CommitState::kCommitted;
    };
  }
};

TEST_F(GroupCommitOrder, WhatWasNotAppliedGoesBeforeWhatCameLater) {
  FailShards({1});
  Submit(1, 10);
  Submit(1, 11);
  Submit(2, 20);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("batch 20: committed"));
  Submit(1, 12);
  Submit(2, 21);
  commit_->CommitWaiting();
  EXPECT_THAT(CommittedMarks(), ElementsAre(20, 21)) << "shard 1 waits, the others do not";
  EXPECT_THAT(store_.commits[1], SizeIs(1));

  store_.state_of = nullptr;
  EXPECT_FALSE(commit_->CommitWaiting()) << "not before 100 ms";
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(commit_->CommitWaiting());
  EXPECT_THAT(CommittedMarks(), ElementsAre(20, 21, 10, 11, 12));
  EXPECT_THAT(answers_,
              ElementsAre("batch 20: committed", "batch 21: committed", "batch 10: committed",
                          "batch 11: committed", "batch 12: committed"))
      << "each exactly once";
}

TEST_F(GroupCommitOrder, TriesComeApartUpToFiveSeconds) {
  FailShards({1});
  Submit(1, 10);
  commit_->CommitWaiting();
  for (const int wait : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
    clock_.Advance(absl::Milliseconds(wait - 1));
    EXPECT_FALSE(commit_->CommitWaiting()) << wait;
    clock_.Advance(absl::Milliseconds(1));
    EXPECT_TRUE(commit_->CommitWaiting()) << wait;
  }
  store_.state_of = nullptr;
  clock_.Advance(absl::Seconds(5));
  commit_->CommitWaiting();
  FailShards({1});
  Submit(1, 11);
  commit_->CommitWaiting();
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(commit_->CommitWaiting()) << "after a success the waits begin anew";
}

TEST_F(GroupCommitOrder, ConfigurationThatWasNotAppliedIsAnsweredAndNotTriedAgain) {
  store_.state_of = [](const Batch&) { return CommitState::kNotApplied; };
  Configure("a");
  Submit(0, 10);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("a: not applied")) << "the outcome waits for its next try";

  store_.state_of = nullptr;
  clock_.Advance(absl::Minutes(10));
  Configure("b");
  commit_->CommitWaiting();
  EXPECT_THAT(answers_,
              ElementsAre("a: not applied", "configured 1", "b: committed", "batch 10: committed"))
      << "who was told no finds nothing of it later";
}

TEST_F(GroupCommitOrder, SoMuchConfigurationWaitsAndNoMore) {
  for (size_t i = 0; i < kConfigurationBatchesMax; ++i) {
    Configure("waits");
  }
  EXPECT_THAT(answers_, IsEmpty());
  Configure("late");
  EXPECT_THAT(answers_, ElementsAre("late: not applied"));
  Submit(0, 10);
  EXPECT_THAT(answers_, SizeIs(1)) << "outcomes are never refused";
  commit_->CommitWaiting();
  Configure("again");
  commit_->CommitWaiting();
  EXPECT_EQ(answers_.back(), "again: committed");
}

TEST_F(GroupCommitOrder, AppendsThatWereNotAppliedAreRefusedWithRetryInfo) {
  FailShards({0});
  Append(1, "acme", 0);
  Append(2, "other", 1);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("shard 1: 1", "event 1: UNAVAILABLE", "event 2: NEW 1"));
  EXPECT_TRUE(refusals_[0].GetPayload(kRetryPayload).has_value());
  store_.state_of = nullptr;
  Append(1, "acme", 0);
  EXPECT_TRUE(commit_->CommitWaiting()) << "appends alone hold nothing up";
  EXPECT_EQ(answers_.back(), "event 1: NEW 1");
}

TEST_F(GroupCommitOrder, NoAppendOvertakesASettlementThatIsBeingRetried) {
  FailShards({0});
  Submit(0, 10);
  commit_->CommitWaiting();
  store_.state_of = nullptr;
  Append(1, "acme", 0);
  Append(2, "other", 1);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("shard 1: 1", "event 1: UNAVAILABLE", "event 2: NEW 1"));
}

TEST_F(GroupCommitOrder, AnUnknownOutcomeIsFatalBeforeAnyAnswer) {
  store_.state_of = [](const Batch&) { return CommitState::kUnknown; };
  Append(1);
  Submit(0, 10);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("fatal", "batch 10: unknown", "event 1: UNAVAILABLE"));

  store_.state_of = nullptr;
  Append(2);
  Submit(0, 11);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("fatal", "batch 10: unknown", "event 1: UNAVAILABLE",
                                    "event 2: UNAVAILABLE", "batch 11: unknown"));
  EXPECT_THAT(store_.committed, IsEmpty()) << "nothing is written on top of the unknown";
}

TEST_F(GroupCommitOrder, AFencedShardIsAnsweredAndNotTriedAgain) {
  store_.state_of = [](const Batch&) { return CommitState::kFenced; };
  Submit(0, 10);
  Append(1);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("batch 10: fenced", "event 1: UNAVAILABLE"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(commit_->CommitWaiting());
}

TEST_F(GroupCommitOrder, AStoppingProcessGivesUpOnAFailingStore) {
  FailShards({0});
  Submit(0, 10);
  commit_->Stop();
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, IsEmpty());
  clock_.Advance(absl::Seconds(6));
  commit_->Run();
  EXPECT_THAT(answers_, ElementsAre("batch 10: not applied"));
}

TEST_F(GroupCommitOrder, NothingIsCommittedAfterWhatWasGivenUp) {
  FailShards({0});
  commit_->Stop();
  clock_.Advance(absl::Seconds(6));
  Submit(0, 10);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("batch 10: not applied"));
  store_.state_of = nullptr;  // The disk has room again.
  Submit(0, 11);              // A position that rests on what was given up.
  Submit(1, 20);
  Configure("a");
  commit_->Run();
  EXPECT_THAT(answers_, ElementsAre("batch 10: not applied", "a: not applied",
                                    "batch 11: not applied", "batch 20: not applied"));
  EXPECT_THAT(store_.committed, IsEmpty());
}

TEST_F(GroupCommitOrder, EventsOfSubmittedBatchesAreAnnouncedWithTheOthers) {
  commit_->Submit(BatchOf(0, AppendEvent{NewEvent(1)}), [](const BatchResult&) {});
  Append(2);
  commit_->CommitWaiting();
  EXPECT_THAT(answers_, ElementsAre("shard 0: 1 2", "event 2: NEW 2"));
}

}  // namespace
}  // namespace postrider
