// The part of DeliveryQueue that reads the log by itself: pages, positions, rejoining (R3, R4).

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/dispatch/delivery_queue.h"
#include "gateway/dispatch/log_pages.h"

namespace postrider {
namespace {

constexpr absl::Duration kPollDelayMin = absl::Milliseconds(5);
constexpr absl::Duration kPollDelayMax = absl::Milliseconds(200);
// Who may not come back to the tail looks for something to probe with less often.
constexpr absl::Duration kProbePollDelayMax = absl::Seconds(5);

}  // namespace

void DeliveryQueue::RestoreReader(const ReaderRow& row) { lanes_[row.shard].progress.Restore(row); }

bool DeliveryQueue::MayRead() const {
  return !Rests() && !reading_ && !ExceptionsFull() && ready_.size() < kReaderPageEvents / 2 &&
         ready_bytes_ < kReaderPageBytes && order_.held() < kHeldEventsMax &&
         order_.held_bytes() < kHeldBytesMax;
}

// Who may not come back to the tail goes on reading at the end: his probe may come only then.
bool DeliveryQueue::AtEnd(const Lane& lane) const { return lane.caught_up && !health_.away(); }

void DeliveryQueue::AskLeave(ShardId shard) {
  const auto lane = lanes_.find(shard);
  if (lane == lanes_.end() || lane->second.progress.mode() != ShardProgress::Mode::kTail ||
      lane->second.asked_to_leave) {
    return;
  }
  lane->second.asked_to_leave = true;
  outbox_->ToShard(shard, AskLeaveMessage{.subscription = subscription_->number, .shard = shard});
}

bool DeliveryQueue::Owes(ShardId shard, Seq seq) const {
  const auto lane = lanes_.find(shard);
  if (lane == lanes_.end()) {
    return false;
  }
  const std::deque<Seq>& owed = lane->second.progress.owed();
  return !owed.empty() && owed.front() <= seq;
}

std::optional<DeliveryQueue::Read> DeliveryQueue::NextRead(absl::Duration monotonic, size_t bytes) {
  if (!MayRead()) {
    return std::nullopt;
  }
  // Round robin: the lowest shard above the last one that was read, else the lowest.
  std::optional<ShardId> above;
  std::optional<ShardId> lowest;
  for (const auto& [shard, lane] : lanes_) {
    if (lane.progress.mode() != ShardProgress::Mode::kReading || AtEnd(lane) ||
        lane.next_read > monotonic || lane.progress.WindowFull(lane.progress.scan()) ||
        order_.Stopped(shard)) {
      continue;
    }
    lowest = std::min(lowest.value_or(shard), shard);
    if (shard > last_read_shard_) {
      above = std::min(above.value_or(shard), shard);
    }
  }
  if (!lowest.has_value()) {
    return std::nullopt;
  }
  reading_ = true;
  reading_bytes_ = bytes;
  last_read_shard_ = above.value_or(*lowest);
  return Read{.shard = last_read_shard_,
              .after = lanes_[last_read_shard_].progress.scan() - 1,
              .bytes = bytes};
}

void DeliveryQueue::OnRead(const Read& read, const absl::StatusOr<std::vector<LogEntry>>& entries,
                           absl::Duration monotonic) {
  reading_ = false;
  Lane& lane = lanes_[read.shard];
  ShardProgress& progress = lane.progress;
  if (progress.mode() != ShardProgress::Mode::kReading || progress.scan() != read.after + 1) {
    return;  // Unloaded meanwhile: read again from where it is now.
  }
  if (!entries.ok() || entries->empty()) {
    const absl::Duration longest = health_.away() ? kProbePollDelayMax : kPollDelayMax;
    lane.poll_delay = std::clamp(2 * lane.poll_delay, kPollDelayMin, longest);
    lane.next_read = monotonic + lane.poll_delay;
    lane.caught_up = entries.ok() && !progress.above_scan();
    return;
  }
  lane.poll_delay = absl::ZeroDuration();
  lane.caught_up = false;
  expired_ = progress.JumpTo(entries->front().seq) || expired_;  // The log has no gaps but this.
  for (const LogEntry& entry : *entries) {
    if (progress.WindowFull(entry.seq)) {
      return;
    }
    if (!progress.ReadPast(entry.seq) && WantsRead(entry)) {
      progress.Owe(entry.seq);
      read_entries_.Add(read.shard, entry.seq, entry.bytes());
      Accept(entry);
    }
  }
  lane.caught_up = IsLastPage(*entries, read.bytes) && !progress.above_scan();
  if (Rests()) {
    UnloadAll();  // It began to rest while this was read.
  }
}

std::optional<ShardId> DeliveryQueue::WantsRejoin() const {
  if (Rests() || health_.away() || ExceptionsFull() || waiting_bytes() > kQueueBytesMax / 2) {
    return std::nullopt;
  }
  for (const auto& [shard, lane] : lanes_) {
    if (lane.progress.mode() == ShardProgress::Mode::kReading && lane.caught_up &&
        !order_.Stopped(shard)) {
      return shard;
    }
  }
  return std::nullopt;
}

void DeliveryQueue::AskRejoin(ShardId shard) {
  Lane& lane = lanes_[shard];
  const std::deque<Seq>& owed = lane.progress.owed();
  if (lane.refused_at != 0 && !owed.empty() && owed.front() == lane.refused_at) {
    lane.caught_up = false;  // What stood in the way still does: go on reading.
    return;
  }
  lane.progress.set_mode(ShardProgress::Mode::kAsking);
  outbox_->ToShard(shard, AskRejoinMessage{.subscription = subscription_->number,
                                           .shard = shard,
                                           .scan = lane.progress.scan(),
                                           .unsettled = {owed.begin(), owed.end()}});
}

bool DeliveryQueue::ReadsItself(ShardId shard) const {
  const auto lane = lanes_.find(shard);
  return lane != lanes_.end() && lane->second.progress.mode() != ShardProgress::Mode::kTail;
}

std::optional<ReaderRow> DeliveryQueue::ReaderRowOf(ShardId shard) const {
  if (!ReadsItself(shard)) {
    return std::nullopt;
  }
  return lanes_.at(shard).progress.Row(subscription_->number, shard);
}

uint64_t DeliveryQueue::EpochOf(ShardId shard) const {
  const auto lane = lanes_.find(shard);
  return lane == lanes_.end() ? 0 : lane->second.epoch;
}

void DeliveryQueue::OnRowCommitted(ShardId shard, uint64_t epoch) {
  const auto lane = lanes_.find(shard);
  if (lane == lanes_.end() || lane->second.epoch != epoch ||
      lane->second.progress.mode() != ShardProgress::Mode::kLeaving) {
    return;
  }
  lane->second.progress.set_mode(ShardProgress::Mode::kReading);
  outbox_->ToShard(shard, LeftMessage{.subscription = subscription_->number, .shard = shard});
}

void DeliveryQueue::UnloadReady(ShardId shard, Lane& lane, size_t keep) {
  std::vector<Seq> unloaded;
  order_.UnloadHeld(shard, &unloaded);  // Before what they wait for: the order stays.
  for (const Seq seq : unloaded) {
    read_entries_.Drop(shard, seq);
  }
  bool full = false;
  size_t kept = 0;
  size_t kept_bytes = 0;
  std::deque<LogEntry> still_ready;
  for (LogEntry& entry : ready_) {
    const bool mine = entry.shard == shard;
    full = full || (mine && (kept >= keep || kept_bytes >= kReaderPageBytes));
    if (!mine || !full) {
      kept += mine ? 1 : 0;
      kept_bytes += mine ? entry.bytes() : 0;
      still_ready.push_back(std::move(entry));
    } else {
      unloaded.push_back(entry.seq);
      read_entries_.Drop(shard, entry.seq);
      ready_bytes_ -= entry.bytes();
      order_.OnUnloaded(entry);
    }
  }
  ready_ = std::move(still_ready);
  std::sort(unloaded.begin(), unloaded.end());
  lane.progress.Unload(unloaded);
}

void DeliveryQueue::UnloadAll() {
  retries_.Unload();
  replays_.Unload();
  for (auto& [shard, lane] : lanes_) {
    if (lane.progress.mode() == ShardProgress::Mode::kReading ||
        lane.progress.mode() == ShardProgress::Mode::kLeaving) {
      lane.caught_up = false;
      UnloadReady(shard, lane, 0);
    }
  }
}

std::optional<absl::Duration> DeliveryQueue::next_poll(absl::Time now,
                                                       absl::Duration monotonic) const {
  // Nothing that is past: an alarm that goes off at once would find nothing to do, again and again.
  std::optional<absl::Duration> earliest;
  if (Rests()) {
    return earliest;
  }
  if (fault_until_ > monotonic) {
    earliest = fault_until_;
  } else if (!ready_.empty() || retries_.HasLoaded() || replays_.Ready(monotonic)) {
    earliest = health_.NextStart(monotonic);
  }
  if (!earliest.has_value() && !ready_.empty() && FirstDue(now) > now) {
    earliest = monotonic + (FirstDue(now) - now);
  }
  if (const auto poll = replays_.next_poll(monotonic); poll.has_value() && !ExceptionsFull()) {
    earliest = std::min(earliest.value_or(*poll), *poll);
  }
  if (!MayRead()) {
    return earliest;
  }
  for (const auto& [shard, lane] : lanes_) {
    if (lane.progress.mode() == ShardProgress::Mode::kReading && !AtEnd(lane) &&
        lane.next_read > monotonic && !lane.progress.WindowFull(lane.progress.scan()) &&
        !order_.Stopped(shard)) {
      earliest = std::min(earliest.value_or(lane.next_read), lane.next_read);
    }
  }
  return earliest;
}

}  // namespace postrider
