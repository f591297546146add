#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/limits.h"
#include "gateway/base/mutex.h"
#include "gateway/model/event.h"
#include "gateway/store/commit_group.h"
#include "gateway/store/group_queue.h"
#include "gateway/store/store.h"

namespace postrider {

// A snapshot for metrics.
struct GroupCommitStats {
  size_t queue_bytes = 0;  // Appends waiting.
  size_t waiting_appends = 0;
  size_t waiting_batches = 0;
  uint64_t groups = 0;         // Committed.
  uint64_t appended = 0;       // New events.
  uint64_t not_applied = 0;    // Groups that failed, in whole or in part.
  uint64_t refused = 0;        // Appends answered RESOURCE_EXHAUSTED or UNAVAILABLE.
  absl::Duration last_commit;  // How long the last one took.
  absl::Duration longest_commit;
  absl::Duration total_commit;
};

// Turns many concurrent writes into few transactions.
//
// While one group is being written the next one gathers. There is no timer where a publisher waits:
// an idle gateway commits at once, a busy one in large groups; outcomes alone gather for up to 5
// ms. A group takes all waiting configuration and outcomes first, then appends round robin by
// organization, up to kGroupBytesMax (S5). Owns no thread: gateway.cc runs Run() on the store
// thread, a simulation calls CommitWaiting() by hand.
//
// The mutex stands between those who queue and the store thread; it is never held during a commit
// or a callback.
class GroupCommit {
 public:
  using AppendDone = absl::AnyInvocable<void(absl::StatusOr<Appended>) &&>;
  using BatchDone = absl::AnyInvocable<void(const BatchResult&) &&>;
  using Committed = std::function<void(const CommittedGroup&)>;

  struct Options {
    size_t queue_bytes_max = kCommitQueueBytesMax;
    // Called on the store thread when nobody knows what the disk holds (S2), before any `done`: the
    // process must end. Should it return, everything is refused from then on.
    std::function<void(const std::string& error)> on_fatal;
  };

  // `store` and `clock` outlive this; the store is used by nobody else. `committed` is called on
  // the store thread after each group that changed the configuration or the log, before any `done`
  // of the group.
  GroupCommit(Store* store, const Clock* clock, Options options, Committed committed);
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Queues an event for its shard. Thread-safe, never waits for the disk. Calls `done` exactly
  // once, on the store thread, after the commit (duplicates and conflicts too: a duplicate of an
  // event of the same group only after that group), or before returning when it is refused:
  //   RESOURCE_EXHAUSTED  the organization holds more than half of the queue; with RetryInfo.
  //   UNAVAILABLE         the queue is full, the store can't take more or is stopping; with
  //   RetryInfo.
  // Nothing was stored then, but after `on_fatal`: then nobody knows. `put_path` says whether the
  // event's organization_path becomes its organization's, in the same commit and before it (L6).
  // `gate`, if there is one, is asked on the store thread just before the event enters a group: if
  // it refuses, `done` gets its status. All answers of earlier groups have been given by then, so a
  // publisher's order can be kept across a refused group.
  using Gate = std::function<absl::Status()>;
  void Append(ShardId shard, std::shared_ptr<const Event> event, bool put_path, AppendDone done,
              Gate gate = nullptr) ABSL_LOCKS_EXCLUDED(mutex_);

  // Queues outcomes, positions or configuration. `done` runs exactly once, on the store thread, or
  // before this returns if the batch is refused.
  //
  // A shard's batches are never refused for fullness (the engine bounds what it has uncommitted,
  // R7) and commit in the order given: one that was not applied is tried again, after 100 ms
  // doubling to 5 s, before any later one of its shard (R2). `done` hears of another state than
  // kCommitted only after `on_fatal`, or when the process is stopping and the store has failed for
  // 5 s: from then on nothing is committed any more.
  //
  // The configuration is tried once: `done` gets kNotApplied if the store did not take it, for
  // whoever asked for the change would not know what a later try does. Whose own wish it is submits
  // it again. Refused, as kNotApplied, when kConfigurationBatchesMax wait. After Run() has ended
  // everything is.
  void Submit(Batch batch, BatchDone done) ABSL_LOCKS_EXCLUDED(mutex_);

  // Commits all that may be committed now, as one group, and calls back. False if nothing waited.
  bool CommitWaiting() ABSL_LOCKS_EXCLUDED(mutex_);

  // Commits groups, and does maintenance between them, until Stop() was called and nothing is owed:
  // the store thread's whole life.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  // Refuses new appends from now on and lets Run() end once the queue is empty. Thread-safe.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  GroupCommitStats Stats() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class Sleep { kAwake, kIdle, kGathering };  // What the store thread waits for.
  enum class Work { kCommit, kMaintain, kEnd };

  absl::Status Admit(const Event& event, size_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False: nothing waits.
  bool Take(CommitGroup* group) ABSL_LOCKS_EXCLUDED(mutex_);
  void Commit(CommitGroup* group) ABSL_LOCKS_EXCLUDED(mutex_);
  void CheckKnown(const CommitGroup& group) ABSL_LOCKS_EXCLUDED(mutex_);
  void AnswerBatches(CommitGroup* group) ABSL_LOCKS_EXCLUDED(mutex_);
  bool failed() const ABSL_LOCKS_EXCLUDED(mutex_);
  // What every batch is answered without being written; nullopt: they are to be written.
  std::optional<BatchResult> RefusalOfAll() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Why the batch is not queued; empty: it is.
  const char* RefusalOf(const Batch& batch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Work AwaitWork() ABSL_LOCKS_EXCLUDED(mutex_);
  bool CommitDue(absl::Duration now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitForWork(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Maintain(bool idle);

  Store* const store_;
  const Clock* const clock_;
  const Options options_;
  const Committed committed_;

  mutable Mutex mutex_;
  CondVar wake_;
  AppendQueue appends_ ABSL_GUARDED_BY(mutex_);
  BatchQueue batches_ ABSL_GUARDED_BY(mutex_);
  // When the oldest waiting batch came, on the monotonic clock.
  absl::Duration batches_since_ ABSL_GUARDED_BY(mutex_);
  GroupCommitStats stats_ ABSL_GUARDED_BY(mutex_);
  Sleep sleep_ ABSL_GUARDED_BY(mutex_) = Sleep::kAwake;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration stop_time_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  // A batch was answered that was not committed: what comes later may rest on it (R2).
  bool gave_up_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the store thread alone.
  bool maintenance_wanted_ = true;
  absl::Duration next_maintenance_;
  SpareWrites spare_writes_;
};

}  // namespace postrider
