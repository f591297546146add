#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/store.h"

namespace postrider {

// A snapshot for metrics.
struct RetentionStats {
  uint64_t deleted = 0;              // Events, by this process.
  std::optional<absl::Time> oldest;  // When the oldest event was accepted; none: nothing is known.
};

// Deletes what is older than the log is kept (C7): once a minute it goes through the shards, in
// steps of a few milliseconds with a pause after each, so that nobody who waits for the store
// notices.
//
// What was accepted when is the wall clock's to say, which may be wrong: what it says at the start,
// and each step forward, is believed after an hour only, for what is deleted does not come back.
//
// Lives on one loop; Stats() may be asked from any thread.
class LogRetention {
 public:
  struct Parts {
    Loop* loop = nullptr;
    const Clock* clock = nullptr;
    GroupCommit* commits = nullptr;
    absl::Duration kept;                         // Infinite: nothing is deleted.
    absl::Duration first_pass = absl::Hours(1);  // How long after the start.
    // Hears of each step that is committed; on the store thread, in the order of commits.
    std::function<void(ShardId shard, const DeletedEvents& deleted)> on_step;
    // Hears after each pass over all shards where their logs begin; on the loop.
    std::function<void(const std::vector<Seq>& first_seqs)> on_pass;
  };

  // What it is given outlives it. `first_seqs`: by shard.
  LogRetention(Parts parts, std::vector<Seq> first_seqs);

  // Both from any thread; after Stop() nothing more is begun.
  void Start();
  void Stop();

  RetentionStats Stats() const;

 private:
  struct Shard {
    Seq first_seq = 1;
    absl::Time oldest = absl::InfinitePast();  // No event that is kept is older.
    absl::Time looked_at = absl::InfinitePast();
  };

  void BeginPass();
  // The next step of the pass that is worth a transaction; else the pass ends.
  void GoOn();
  void Step(ShardId shard);
  void OnStep(ShardId shard, const DeletedEvents& deleted);
  void EndPass();
  void NoteOldest();
  bool IsDue(const Shard& shard) const;
  // The wall clock's time, or an earlier one while it is not believed.
  absl::Time BelievedNow();

  const Parts parts_;
  std::vector<Shard> shards_;
  ShardId next_shard_ = 0;
  absl::Time pass_time_;    // When the pass under way began.
  absl::Time pass_before_;  // What is older goes.
  // When both clocks were last believed, and since when the wall clock has not been.
  absl::Time believed_wall_;
  absl::Duration believed_monotonic_;
  std::optional<absl::Duration> doubted_since_;
  absl::Duration doubted_lead_;  // By how much it was ahead then.

  std::atomic<bool> stopped_{false};
  std::atomic<uint64_t> deleted_{0};
  std::atomic<int64_t> oldest_micros_{0};  // Since 1970; 0: nothing is known.
};

}  // namespace postrider
