#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/dispatch/read_budget.h"
#include "gateway/dispatch/shard_progress.h"
#include "gateway/dispatch/suspects.h"
#include "gateway/model/replay.h"
#include "gateway/model/subscription.h"

namespace postrider {

// A page of the log for a replay.
struct ReplayRead {
  OriginId replay = kOriginLog;
  ShardId shard = 0;
  Seq after = 0;
  size_t events = 0;
  size_t bytes = 0;  // At most, or one event.
};

// One running replay: a reader with an end in each of its shards, with a rate of its own (C5).
//
// Does no I/O. Lives on the subscription's loop; all times but `now` are monotonic. Memory holds a
// page of events or two.
class ReplayLane {
 public:
  explicit ReplayLane(const ReplayRecord& record);

  // --- Reading: one page at a time ---
  std::optional<ReplayRead> NextRead(absl::Duration monotonic, size_t bytes);
  void OnRead(const ReplayRead& read, const absl::StatusOr<std::vector<LogEntry>>& entries,
              const Subscription& subscription, const Suspects& suspects, absl::Time now,
              absl::Duration monotonic);

  // --- Sending ---
  bool Ready(absl::Duration monotonic) const;
  // What Take() would give. Only if Ready().
  const LogEntry& front() const { return ready_.front(); }
  // Only if Ready(). It is owed until OnResult() or PutBack().
  LogEntry Take(absl::Duration monotonic);
  void PutBack(LogEntry entry);
  // The outcome of the first attempt will be submitted at once; then it is committed.
  void OnResult(ShardId shard, Seq seq, bool delivered);
  void OnCommitted() { --uncommitted_; }

  // Forgets what waits to be sent: it is read again when it may be.
  void Unload();
  // What waits to be sent or is on the wire, and the page that is being read.
  size_t held_bytes() const { return held_.bytes() + reading_bytes_; }

  // The position to write, as of all outcomes submitted so far; nullopt: nothing is read there.
  std::optional<ReplayPosition> PositionOf(ShardId shard) const;
  // All is read, sent and committed.
  bool finished() const;
  // When something may be to do that no event announces; never what is past. nullopt: none.
  std::optional<absl::Duration> next_poll(absl::Duration monotonic) const;

 private:
  struct Stretch {
    ShardProgress progress;
    Seq end = 0;
    uint64_t delivered = 0;
    uint64_t failed = 0;
    absl::Duration next_read;  // Not before.
    absl::Duration poll_delay;

    bool read_out() const { return progress.scan() > end; }
  };

  bool MayRead() const;
  bool reading() const { return reading_bytes_ > 0; }
  bool Readable(const Stretch& stretch) const;
  // When the next event may go; what is past: at once.
  absl::Duration SendTime() const;

  const std::shared_ptr<const Replay> replay_;
  absl::btree_map<ShardId, Stretch> stretches_;
  std::deque<LogEntry> ready_;
  size_t ready_bytes_ = 0;
  ReadEntries held_;
  size_t reading_bytes_ = 0;  // What the read under way may bring; 0: there is none.
  int uncommitted_ = 0;
  // The rate: when the next event is due if all go evenly. Some may go before that, in a burst.
  absl::Duration even_time_;
};

}  // namespace postrider
