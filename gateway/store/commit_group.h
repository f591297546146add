#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/model/event.h"
#include "gateway/model/subscription.h"
#include "gateway/store/group_queue.h"
#include "gateway/store/store.h"

namespace postrider {

// What one group changed, in commit order: configuration first, then each shard's new events.
struct CommittedGroup {
  struct Shard {
    ShardId shard = 0;
    std::vector<LogEntry> entries;  // The new ones, ascending and without gaps.
    AttemptSeq attempt_head = 0;    // As BatchResult::attempt_head.
  };
  // Created, changed (the record) or deleted (null record) subscriptions.
  struct Configured {
    SubscriptionNumber number = 0;
    std::shared_ptr<const Subscription> subscription;
    std::vector<ReaderRow> readers;  // Of one that has just started, in the past.
  };
  std::vector<Configured> configured;
  std::vector<ReplayRecord> replays;  // Created or canceled ones: the replay's state says which.
  std::vector<Shard> shards;

  bool empty() const { return configured.empty() && replays.empty() && shards.empty(); }
};

// Emptied lists of writes that keep their room for the next group.
using SpareWrites = std::vector<std::vector<Write>>;

// One group on its way through the store: what was taken from the queue becomes batches, their
// results become answers. Of the store thread.
class CommitGroup {
 public:
  std::vector<PendingBatch> submitted;
  std::vector<PendingAppend> appends;
  std::vector<absl::Status> refusals;  // One an append; not OK: it is not to be written.

  bool empty() const { return submitted.empty() && appends.empty(); }

  // Asks the gates of those that are not refused yet.
  void AskGates();

  // Makes the batches: the submitted ones, then one a shard that is appended to.
  void Build(SpareWrites* spare);
  const std::vector<Batch>& batches() const { return batches_; }

  // What the store answered, one a batch.
  void set_results(std::vector<BatchResult> results) { results_ = std::move(results); }
  const std::vector<BatchResult>& results() const { return results_; }

  // What the engine must hear of, in commit order. Once, after set_results().
  CommittedGroup TakeChanges();

  // The batch of `submitted[index]`, to be tried again. It must not have been committed.
  Batch TakeBatch(size_t index) { return std::move(batches_[index]); }

  struct Answered {
    size_t appended = 0;  // New events.
    size_t refused = 0;   // Not stored, or nobody knows.
  };
  // Calls every append's `done`.
  Answered AnswerAppends();

  // Gives the lists of writes back.
  void Recycle(SpareWrites* spare);

 private:
  Batch* AppendBatch(ShardId shard, std::vector<size_t>* index_of_shard, SpareWrites* spare);

  std::vector<Batch> batches_;
  std::vector<size_t> batch_of_append_;  // The index in batches_.
  std::vector<BatchResult> results_;
};

// UNAVAILABLE: the store can't take events now; with a reason and RetryInfo.
absl::Status StoreFailing();

}  // namespace postrider
