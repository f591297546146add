#include "gateway/dispatch/replay_lane.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/base/work_item.h"
#include "gateway/model/scope.h"

namespace postrider {
namespace {

constexpr absl::Duration kPollDelayMin = absl::Milliseconds(5);
constexpr absl::Duration kPollDelayMax = absl::Seconds(1);
// What a rate allows at once: timers are not exact enough for a thousand a second one by one.
constexpr absl::Duration kBurst = absl::Milliseconds(100);

}  // namespace

ReplayLane::ReplayLane(const ReplayRecord& record) : replay_(record.replay) {
  for (const ReplayPosition& position : record.positions) {
    Stretch& stretch = stretches_[position.shard];
    stretch.progress.Restore({.subscription = replay_->subscription,
                              .shard = position.shard,
                              .next_seq = position.next_seq,
                              .settled = position.settled});
    stretch.end = position.end_seq;
    stretch.delivered = position.delivered;
    stretch.failed = position.failed;
  }
}

// --- Reading -------------------------------------------------------------------------------------

bool ReplayLane::MayRead() const {
  return !reading() && ready_.size() < kReplayReadyEvents && ready_bytes_ < kReaderPageBytes;
}

bool ReplayLane::Readable(const Stretch& stretch) const {
  return !stretch.read_out() && !stretch.progress.WindowFull(stretch.progress.scan());
}

std::optional<ReplayRead> ReplayLane::NextRead(absl::Duration monotonic, size_t bytes) {
  if (!MayRead()) {
    return std::nullopt;
  }
  for (const auto& [shard, stretch] : stretches_) {
    if (!Readable(stretch) || stretch.next_read > monotonic) {
      continue;
    }
    reading_bytes_ = bytes;
    const Seq scan = stretch.progress.scan();
    return ReplayRead{.replay = replay_->number,
                      .shard = shard,
                      .after = scan - 1,
                      .events = std::min<size_t>(kReaderPageEvents, stretch.end - scan + 1),
                      .bytes = bytes};
  }
  return std::nullopt;
}

void ReplayLane::OnRead(const ReplayRead& read,
                        const absl::StatusOr<std::vector<LogEntry>>& entries,
                        const Subscription& subscription, const Suspects& suspects, absl::Time now,
                        absl::Duration monotonic) {
  reading_bytes_ = 0;
  Stretch& stretch = stretches_[read.shard];
  if (stretch.progress.scan() != read.after + 1) {
    return;  // Unloaded meanwhile: read again from where it is now.
  }
  if (!entries.ok()) {
    stretch.poll_delay = std::clamp(2 * stretch.poll_delay, kPollDelayMin, kPollDelayMax);
    stretch.next_read = monotonic + stretch.poll_delay;
    return;
  }
  stretch.poll_delay = absl::ZeroDuration();
  if (!entries->empty()) {
    stretch.progress.JumpTo(std::min(entries->front().seq, stretch.end + 1));  // C7.
  }
  for (const LogEntry& entry : *entries) {
    if (entry.seq > stretch.end) {
      break;
    }
    if (stretch.progress.WindowFull(entry.seq)) {
      return;
    }
    const WorkItem item = ItemOf(subscription.number, entry.shard, entry.seq);
    const WorkScope scope(item);
    // What may not be looked at any more has its turn, and is a dead letter then (E8).
    const bool wanted =
        suspects.Quarantined(item)
            ? InScope(subscription, *entry.event) && IsTarget(subscription, *entry.event)
            : Replays(*replay_, subscription, *entry.event, now);
    if (!stretch.progress.ReadPast(entry.seq) && wanted) {
      stretch.progress.Owe(entry.seq);
      ready_bytes_ += entry.bytes();
      held_.Add(entry.shard, entry.seq, entry.bytes());
      ready_.push_back(entry);
    }
  }
  if (!stretch.read_out() && (entries->empty() || entries->back().seq >= stretch.end)) {
    stretch.progress.ReadPast(stretch.end);  // The rest of the range is not there any more.
  }
}

// --- Sending -------------------------------------------------------------------------------------

absl::Duration ReplayLane::SendTime() const {
  if (replay_->rate <= 0) {
    return -absl::InfiniteDuration();
  }
  const absl::Duration interval = absl::Seconds(1) / replay_->rate;
  return even_time_ - std::max(kBurst - interval, absl::ZeroDuration());
}

bool ReplayLane::Ready(absl::Duration monotonic) const {
  return !ready_.empty() && SendTime() <= monotonic;
}

LogEntry ReplayLane::Take(absl::Duration monotonic) {
  if (replay_->rate > 0) {
    even_time_ = std::max(even_time_, monotonic) + absl::Seconds(1) / replay_->rate;
  }
  LogEntry entry = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= entry.bytes();
  return entry;
}

void ReplayLane::PutBack(LogEntry entry) {
  ready_bytes_ += entry.bytes();
  ready_.push_front(std::move(entry));
}

void ReplayLane::OnResult(ShardId shard, Seq seq, bool delivered) {
  Stretch& stretch = stretches_[shard];
  stretch.progress.Settle(seq);
  held_.Drop(shard, seq);
  ++(delivered ? stretch.delivered : stretch.failed);
  ++uncommitted_;
}

void ReplayLane::Unload() {
  for (auto& [shard, stretch] : stretches_) {
    std::vector<Seq> unloaded;
    for (const LogEntry& entry : ready_) {
      if (entry.shard == shard) unloaded.push_back(entry.seq);
    }
    std::sort(unloaded.begin(), unloaded.end());
    stretch.progress.Unload(unloaded);
  }
  for (const LogEntry& entry : ready_) {
    held_.Drop(entry.shard, entry.seq);
  }
  ready_.clear();
  ready_bytes_ = 0;
}

std::optional<ReplayPosition> ReplayLane::PositionOf(ShardId shard) const {
  const auto found = stretches_.find(shard);
  if (found == stretches_.end()) {
    return std::nullopt;
  }
  const Stretch& stretch = found->second;
  ReaderRow row = stretch.progress.Row(replay_->subscription, shard);
  return ReplayPosition{.replay = replay_->number,
                        .shard = shard,
                        .next_seq = row.next_seq,
                        .end_seq = stretch.end,
                        .settled = std::move(row.settled),
                        .delivered = stretch.delivered,
                        .failed = stretch.failed};
}

bool ReplayLane::finished() const {
  const auto done = [](const auto& stretch) {
    return stretch.second.read_out() && stretch.second.progress.owed().empty();
  };
  return uncommitted_ == 0 && std::all_of(stretches_.begin(), stretches_.end(), done);
}

std::optional<absl::Duration> ReplayLane::next_poll(absl::Duration monotonic) const {
  std::optional<absl::Duration> earliest;
  if (!ready_.empty() && SendTime() > monotonic) {
    earliest = SendTime();
  }
  if (!MayRead()) {
    return earliest;
  }
  for (const auto& [shard, stretch] : stretches_) {
    if (Readable(stretch) && stretch.next_read > monotonic) {
      earliest = std::min(earliest.value_or(stretch.next_read), stretch.next_read);
    }
  }
  return earliest;
}

}  // namespace postrider
