#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/dispatch/replay_lane.h"

namespace postrider {

// The running replays of one subscription, which take turns. At most kReplaysUnfinishedMax; of one
// that has been canceled, or is done, all that comes late is ignored. Lives on one loop.
class ReplayLanes {
 public:
  // From where its positions say.
  void Start(const ReplayRecord& record);
  void Cancel(OriginId replay) { lanes_.erase(replay); }
  bool empty() const { return lanes_.empty(); }

  // As ReplayLane's calls of these names.
  std::optional<ReplayRead> NextRead(absl::Duration monotonic, size_t bytes);
  void OnRead(const ReplayRead& read, const absl::StatusOr<std::vector<LogEntry>>& entries,
              const Subscription& subscription, const Suspects& suspects, absl::Time now,
              absl::Duration monotonic);
  bool Ready(absl::Duration monotonic) const;
  // Only if Ready(): what Take() would give.
  const LogEntry& Front(absl::Duration monotonic) const {
    return NextLane(monotonic)->second.front();
  }
  // Only if Ready(): the next event, and whose it is.
  std::pair<OriginId, LogEntry> Take(absl::Duration monotonic);
  void PutBack(OriginId replay, LogEntry entry);
  void OnResult(OriginId replay, ShardId shard, Seq seq, bool delivered);
  // False: it is not running any more.
  bool OnCommitted(OriginId replay);
  void Unload();
  size_t held_bytes() const;
  std::optional<ReplayPosition> PositionOf(OriginId replay, ShardId shard) const;
  std::optional<absl::Duration> next_poll(absl::Duration monotonic) const;

  // Takes one that is finished: it must be recorded as done.
  std::optional<OriginId> TakeFinished();

 private:
  using Lanes = std::map<OriginId, ReplayLane>;

  ReplayLane* Find(OriginId replay);
  // Whose turn it is. Only if Ready().
  Lanes::const_iterator NextLane(absl::Duration monotonic) const;

  Lanes lanes_;
  OriginId last_ = kOriginLog;       // Whose turn to send it was.
  OriginId last_read_ = kOriginLog;  // Whose turn to read it was.
};

}  // namespace postrider
