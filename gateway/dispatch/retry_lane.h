#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/store/store.h"

namespace postrider {

// One subscription's exceptions that wait for a retry: rows in the store, of which memory holds
// when the next is due and the few that may be sent now (E2). Lives on the subscription's loop.
class RetryLane {
 public:
  // What to read: exceptions of `shard` by due time, at most `limit` and `bytes`.
  struct Load {
    ShardId shard = 0;
    size_t limit = 0;
    size_t bytes = 0;
  };

  // At the start: what the store has.
  void Restore(const NextDue& next_due);

  // The next read that is worth making at `now`, if any, of at most `rows` that are not in memory
  // yet; the answer goes to OnLoaded().
  std::optional<Load> NextLoad(absl::Time now, size_t rows = kLoadedExceptionsMax);
  void OnLoaded(const Load& load, std::vector<DueException> rows, absl::Time now);
  void OnLoadFailed(const Load& load, absl::Time try_again);

  // Takes a loaded exception that is due. It stays outstanding until OnResolved() or PutBack().
  std::optional<DueException> Take();
  // It was not tried after all: read again, if it is still there, when it is due.
  void PutBack(const ExceptionRow& row);
  bool HasLoaded() const { return !loaded_.empty(); }
  // What Take() would give. Only if HasLoaded().
  const DueException& front() const { return loaded_.front(); }
  // Whether one is loaded or being read, or is due and will be.
  bool HasDue(absl::Time now) const;

  // A new exception is committed.
  void OnAdded(const ExceptionKey& key, absl::Time due_time);
  // The outcome of a retry is committed; `next_due` if it waits again.
  void OnResolved(const ExceptionKey& key, std::optional<absl::Time> next_due);

  // A parked exception of the shard waits for `due_time` from now on (E4).
  void OnReleased(ShardId shard, absl::Time due_time);
  // The outcome of a retry is committed, but its row had been purged meanwhile (E1).
  void OnStale(const ExceptionKey& key) { Forget(key); }
  // Exceptions of the shard were redriven or purged by that commit. All are read anew.
  void OnChanged(ShardId shard, const ExceptionChanges& changes, absl::Time now);
  // Forgets what a canceled replay has waiting; what of it is on the wire ends unnoticed.
  void Cancel(OriginId replay);

  // Forgets what is loaded and not taken: the rows are read again when they may be sent.
  void Unload();

  // When there may be something to load; InfiniteFuture: nothing waits, or what is being read or
  // loaded comes first.
  absl::Time next_due() const;
  uint64_t waiting() const { return waiting_; }
  bool loading() const { return loading_; }
  // Of events: loaded, on the wire or uncommitted, and what a full read under way may bring.
  size_t held_bytes() const { return outstanding_bytes_ + loading_bytes_; }

 private:
  // Whether it is of a replay that has been canceled.
  bool IsCanceled(const ExceptionKey& key) const {
    return key.origin != kOriginLog && !waiting_of_replay_.contains(key.origin);
  }
  void Forget(const ExceptionKey& key);
  void LowerNextDue(ShardId shard, absl::Time due_time);

  absl::flat_hash_map<ShardId, absl::Time> next_due_;  // Shards in which something may wait.
  std::deque<DueException> loaded_;                    // At most kLoadedExceptionsMax.
  // Loaded, on the wire or uncommitted, with the bytes of their events.
  std::map<ExceptionKey, size_t> outstanding_;
  size_t outstanding_bytes_ = 0;
  // Resolved since the read under way began: it may still show them as they were.
  std::set<ExceptionKey> resolved_while_loading_;
  std::set<OriginId> canceled_while_loading_;  // Likewise.
  bool loading_ = false;
  size_t loading_bytes_ = 0;
  bool changed_while_loading_ = false;  // The read under way may show what is purged.
  uint64_t waiting_ = 0;
  absl::flat_hash_map<OriginId, uint64_t> waiting_of_replay_;  // What of it is of which; not 0.
};

}  // namespace postrider
