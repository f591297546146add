#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/model/event.h"
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
  };
  std::vector<Configured> configured;
  std::vector<Shard> shards;
};

// Turns many concurrent writes into few transactions.
//
// While one group is being written the next one gathers. There is no timer: an idle gateway commits
// at once, a busy one in large groups. A group takes all waiting configuration and outcomes first,
// then appends round robin by organization, up to kGroupBytesMax (S5). Owns no thread: gateway.cc
// runs Run() on the store thread, a simulation calls CommitWaiting() by hand.
class GroupCommit {
 public:
  using AppendDone = absl::AnyInvocable<void(absl::StatusOr<Appended>) &&>;
  using BatchDone = absl::AnyInvocable<void(const BatchResult&) &&>;
  using Committed = std::function<void(const CommittedGroup&)>;

  struct Options {
    size_t queue_bytes_max = kCommitQueueBytesMax;
  };

  // `store` and `clock` outlive this; the store is used by nobody else. `committed` is called on
  // the store thread after each group that changed the configuration or the log, before any `done`
  // of the group.
  GroupCommit(Store* store, const Clock* clock, Options options, Committed committed);

  // Queues an event for its shard. Thread-safe, never waits for the disk. Calls `done` exactly
  // once, on the store thread, after the commit (duplicates and conflicts too: a duplicate of an
  // event of the same group only after that group), or before returning when it is refused:
  //   RESOURCE_EXHAUSTED  the organization holds more than half of the queue; with RetryInfo.
  //   UNAVAILABLE         the queue is full, the store can't take more or is stopping; with
  //   RetryInfo.
  // Nothing was stored then. `path` is stored with it if not null.
  void Append(ShardId shard, std::shared_ptr<const Event> event, bool put_path, AppendDone done)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Queues outcomes, positions or configuration. Never refused for fullness (the engine bounds what
  // it has uncommitted, R7). The batches of one shard commit in the order given: one that was not
  // applied is tried again, after 100 ms doubling to 5 s, before any later one of its shard (R2).
  // `done` runs on the store thread, once it is committed or the process is stopping.
  void Submit(Batch batch, BatchDone done) ABSL_LOCKS_EXCLUDED(mutex_);

  // Commits all that may be committed now, as one group, and calls back. False if nothing waited.
  bool CommitWaiting() ABSL_LOCKS_EXCLUDED(mutex_);

  // Commits groups, and does maintenance between them, until Stop() was called and nothing is owed:
  // the store thread's whole life.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  // Refuses new appends from now on and lets Run() end once the queue is empty. Thread-safe.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);
};

}  // namespace postrider
