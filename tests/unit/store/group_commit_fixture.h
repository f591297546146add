#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/store/group_commit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/manual_clock.h"
#include "tests/unit/store/fake_store.h"

namespace postrider {

// A GroupCommit that is turned by hand. What is answered is noted as one line each, in order:
// "event 3: NEW 1", "batch 5: committed".
class GroupCommitTest : public testing::Test {
 protected:
  explicit GroupCommitTest(size_t queue_bytes_max = kCommitQueueBytesMax) {
    GroupCommit::Options options;
    options.queue_bytes_max = queue_bytes_max;
    options.on_fatal = [this](const std::string&) { answers_.push_back("fatal"); };
    commit_ = std::make_unique<GroupCommit>(&store_, &clock_, std::move(options),
                                            [this](const CommittedGroup& group) { Note(group); });
  }

  void Append(uint64_t n, const std::string& organization = "acme", ShardId shard = 0,
              const std::string& body = "{}") {
    commit_->Append(shard, NewEvent(n, organization, body), false,
                    [this, n](absl::StatusOr<Appended> result) { Note(n, result); });
  }

  // An outcome of a shard, told apart by `mark`.
  void Submit(ShardId shard, uint64_t mark) {
    commit_->Submit(
        BatchOf(shard, AdvanceCursor{mark, 0}), [this, mark](const BatchResult& result) {
          answers_.push_back("batch " + std::to_string(mark) + ": " + StateText(result.state));
        });
  }

  // A subscription's creation.
  void Configure(const std::string& id) {
    commit_->Submit(BatchOf(std::nullopt, PutSubscription{NewSubscription(id), 0, true}),
                    [this, id](const BatchResult& result) {
                      answers_.push_back(id + ": " + StateText(result.state));
                    });
  }

  // The marks of what the store has committed, in order.
  std::vector<uint64_t> CommittedMarks() const {
    std::vector<uint64_t> marks;
    for (const Batch& batch : store_.committed) {
      if (const auto* advance = std::get_if<AdvanceCursor>(&batch.writes[0])) {
        marks.push_back(advance->cursor);
      }
    }
    return marks;
  }

  // The events of the store's commit `index`, in order, as numbers.
  std::vector<uint64_t> EventsOf(size_t index, uint64_t up_to = 100) const {
    std::vector<uint64_t> events;
    for (const Batch& batch : store_.commits[index]) {
      for (const Write& write : batch.writes) {
        const auto* append = std::get_if<AppendEvent>(&write);
        for (uint64_t n = 0; append != nullptr && n <= up_to; ++n) {
          if (append->event->id == EventId(n)) events.push_back(n);
        }
      }
    }
    return events;
  }

  static std::string StateText(CommitState state) {
    switch (state) {
      case CommitState::kCommitted: return "committed";
      case CommitState::kNotApplied: return "not applied";
      case CommitState::kUnknown: return "unknown";
      case CommitState::kFenced: return "fenced";
    }
    return "?";
  }

  FakeStore store_;
  ManualClock clock_;
  std::vector<std::string> answers_;
  std::vector<absl::Status> refusals_;
  std::unique_ptr<GroupCommit> commit_;

 private:
  void Note(uint64_t n, const absl::StatusOr<Appended>& result) {
    const std::string event = "event " + std::to_string(n) + ": ";
    if (!result.ok()) {
      answers_.push_back(event + absl::StatusCodeToString(result.status().code()));
      refusals_.push_back(result.status());
      return;
    }
    const char* kind = result->kind == Appended::Kind::kNew         ? "NEW "
                       : result->kind == Appended::Kind::kDuplicate ? "DUPLICATE "
                                                                    : "CONFLICT ";
    answers_.push_back(event + kind + std::to_string(result->seq));
  }

  void Note(const CommittedGroup& group) {
    for (const CommittedGroup::Configured& configured : group.configured) {
      answers_.push_back("configured " + std::to_string(configured.number));
    }
    for (const CommittedGroup::Shard& shard : group.shards) {
      std::string line = "shard " + std::to_string(shard.shard) + ":";
      for (const LogEntry& entry : shard.entries) {
        line += " " + std::to_string(entry.seq);
      }
      answers_.push_back(line);
    }
  }
};

}  // namespace postrider
