#include "gateway/dispatch/replay_lanes.h"

#include <algorithm>

namespace postrider {

void ReplayLanes::Start(const ReplayRecord& record) {
  lanes_.try_emplace(record.replay->number, record);
}

ReplayLane* ReplayLanes::Find(OriginId replay) {
  const auto found = lanes_.find(replay);
  return found == lanes_.end() ? nullptr : &found->second;
}

std::optional<ReplayRead> ReplayLanes::NextRead(absl::Duration monotonic, size_t bytes) {
  auto next = lanes_.upper_bound(last_read_);
  for (size_t i = 0; i < lanes_.size(); ++i, ++next) {
    if (next == lanes_.end()) {
      next = lanes_.begin();
    }
    if (std::optional<ReplayRead> read = next->second.NextRead(monotonic, bytes)) {
      last_read_ = next->first;
      return read;
    }
  }
  return std::nullopt;
}

void ReplayLanes::OnRead(const ReplayRead& read,
                         const absl::StatusOr<std::vector<LogEntry>>& entries,
                         const Subscription& subscription, const Suspects& suspects, absl::Time now,
                         absl::Duration monotonic) {
  if (ReplayLane* const lane = Find(read.replay); lane != nullptr) {
    lane->OnRead(read, entries, subscription, suspects, now, monotonic);
  }
}

bool ReplayLanes::Ready(absl::Duration monotonic) const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [monotonic](const auto& lane) { return lane.second.Ready(monotonic); });
}

ReplayLanes::Lanes::const_iterator ReplayLanes::NextLane(absl::Duration monotonic) const {
  const auto ready = [monotonic](const auto& lane) { return lane.second.Ready(monotonic); };
  const auto next = std::find_if(lanes_.upper_bound(last_), lanes_.end(), ready);
  return next == lanes_.end() ? std::find_if(lanes_.begin(), lanes_.end(), ready) : next;
}

std::pair<OriginId, LogEntry> ReplayLanes::Take(absl::Duration monotonic) {
  last_ = NextLane(monotonic)->first;
  return {last_, lanes_.at(last_).Take(monotonic)};
}

void ReplayLanes::PutBack(OriginId replay, LogEntry entry) {
  if (ReplayLane* const lane = Find(replay); lane != nullptr) {
    lane->PutBack(std::move(entry));
  }
}

void ReplayLanes::OnResult(OriginId replay, ShardId shard, Seq seq, bool delivered) {
  if (ReplayLane* const lane = Find(replay); lane != nullptr) {
    lane->OnResult(shard, seq, delivered);
  }
}

bool ReplayLanes::OnCommitted(OriginId replay) {
  ReplayLane* const lane = Find(replay);
  if (lane == nullptr) {
    return false;
  }
  lane->OnCommitted();
  return true;
}

void ReplayLanes::Unload() {
  for (auto& [replay, lane] : lanes_) {
    lane.Unload();
  }
}

size_t ReplayLanes::held_bytes() const {
  size_t bytes = 0;
  for (const auto& [replay, lane] : lanes_) {
    bytes += lane.held_bytes();
  }
  return bytes;
}

std::optional<ReplayPosition> ReplayLanes::PositionOf(OriginId replay, ShardId shard) const {
  const auto found = lanes_.find(replay);
  return found == lanes_.end() ? std::nullopt : found->second.PositionOf(shard);
}

std::optional<absl::Duration> ReplayLanes::next_poll(absl::Duration monotonic) const {
  std::optional<absl::Duration> earliest;
  for (const auto& [replay, lane] : lanes_) {
    const std::optional<absl::Duration> poll = lane.next_poll(monotonic);
    if (poll.has_value()) {
      earliest = std::min(earliest.value_or(*poll), *poll);
    }
  }
  return earliest;
}

std::optional<OriginId> ReplayLanes::TakeFinished() {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                  [](const auto& lane) { return lane.second.finished(); });
  if (found == lanes_.end()) {
    return std::nullopt;
  }
  const OriginId replay = found->first;
  lanes_.erase(found);
  return replay;
}

}  // namespace postrider
