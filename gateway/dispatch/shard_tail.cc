#include "gateway/dispatch/shard_tail.h"

#include <algorithm>
#include <utility>

#include "gateway/base/crash_point.h"
#include "gateway/base/limits.h"
#include "gateway/base/work_item.h"

namespace postrider {
namespace {

// Kept behind the cursor, so that a reader that has caught up finds its place in memory (R4).
constexpr uint64_t kRejoinEvents = 512;
constexpr size_t kRejoinBytes = 2 * 1024 * 1024;

}  // namespace

ShardTail::ShardTail(ShardId shard, const ShardRecovery& recovery,
                     const SubscriptionDirectory* directory, Outbox* outbox)
    : shard_(shard),
      directory_(directory),
      outbox_(outbox),
      head_(recovery.position.head),
      next_(recovery.position.cursor + 1),
      cursor_(recovery.position.cursor),
      cursor_taken_(recovery.position.cursor),
      recovered_head_(recovery.position.head),
      last_floor_(recovery.position.attempt_floor),
      attempt_head_(recovery.position.attempt_head),
      window_first_(recovery.position.cursor + 1),
      settled_before_(recovery.settled.begin(), recovery.settled.end()) {
  for (const ReaderRow& row : recovery.readers) {
    members_[row.subscription].membership = Membership::kReading;
  }
}

// --- Events --------------------------------------------------------------------------------------

size_t ShardTail::Receive(const std::vector<LogEntry>& entries, AttemptSeq attempt_head,
                          absl::Duration now) {
  size_t not_taken = 0;
  for (const LogEntry& entry : entries) {
    if (entry.seq == last_received() + 1) {
      Push(entry, attempt_head_, now, /*handed_off=*/true);
    } else {
      not_taken += entry.bytes();
    }
    head_ = std::max(head_, entry.seq);
  }
  attempt_head_ = std::max(attempt_head_, attempt_head);
  return not_taken;
}

void ShardTail::NoteHead(Seq head) { head_ = std::max(head_, head); }

std::optional<Seq> ShardTail::WantsLogAfter() const {
  if (last_received() >= head_ || next_ <= last_received()) {
    return std::nullopt;
  }
  return last_received();
}

void ShardTail::ReceiveRead(const std::vector<LogEntry>& entries, absl::Duration now) {
  for (const LogEntry& entry : entries) {
    // Not beyond the head that was handed over: a subscription that is owed what is newer may not
    // be known here yet (C1). Readers may have made attempts already, so the floor does not rise.
    if (entry.seq == last_received() + 1 && entry.seq <= head_) {
      Push(entry, last_floor_, now, /*handed_off=*/false);
    }
  }
}

void ShardTail::Push(const LogEntry& entry, AttemptSeq floor, absl::Duration now, bool handed_off) {
  window_.push_back(WindowEntry{.entry = entry,
                                .attempt_floor = floor,
                                .received = now,
                                .owed = 0,
                                .handed_off = handed_off});
  last_floor_ = floor;
}

bool ShardTail::FanOut(size_t pairs_max, absl::Duration now) {
  size_t pairs = 0;
  while (next_ <= last_received()) {
    if (!fanning_out_ && TooLong(kLeaveEvents, kLeaveBytes)) {
      EnforceLength();
    }
    if (!fanning_out_ && TooLong(kTailEventsMax, kTailBytesMax)) {
      return false;  // Until those who were sent away have left.
    }
    if (pairs >= pairs_max) {
      return true;
    }
    pairs += 1 + FanOutNext(pairs_max - pairs, now);
  }
  return false;
}

size_t ShardTail::FanOutNext(size_t pairs_max, absl::Duration now) {
  WindowEntry& window_entry = *At(next_);
  const WorkScope scope(ItemOf(/*subscription=*/0, shard_, next_));
  if (!fanning_out_) {
    fanning_out_ = true;
    fed_ = 0;
    matched_.clear();
    if (!given_up_.contains(next_)) {
      FaultPoint("match", window_entry.entry.event->type);
      directory_->Match(window_entry.entry, &matched_);
    }
    window_entry.received = now;
  }
  const size_t pairs = std::min(pairs_max, matched_.size() - fed_);
  for (const size_t end = fed_ + pairs; fed_ < end; ++fed_) {
    Owe(matched_[fed_], window_entry);
  }
  if (fed_ == matched_.size()) {
    fanning_out_ = false;
    if (matched_.empty()) {
      unmatched_.push_back(next_);
    }
    ++next_;
    unsettled_bytes_ += window_entry.entry.bytes();
    if (window_entry.handed_off) {
      fanned_out_bytes_ += window_entry.entry.bytes();
    }
    MoveCursor();
  }
  return pairs;
}

void ShardTail::FinishFanOut() {
  if (fanning_out_) {
    FanOutNext(matched_.size(), At(next_)->received);
  }
}

void ShardTail::Owe(SubscriptionNumber number, WindowEntry& window_entry) {
  const Seq seq = window_entry.entry.seq;
  const auto found = members_.find(number);
  const bool reads_itself =
      found != members_.end() &&
      (found->second.membership != Membership::kTail || seq < found->second.feed_from);
  if (reads_itself || IsSettledBefore(number, seq)) {
    return;
  }
  Member& member = members_[number];
  if (!directory_->Find(number)->subscription->may_send()) {
    StartLeaving(number, member, seq);  // C3: costs a row from here on, and nothing until here.
    return;
  }
  Feed(number, member, window_entry);
}

void ShardTail::Feed(SubscriptionNumber number, Member& member, WindowEntry& window_entry) {
  member.owed.push_back(window_entry.entry.seq);
  ++window_entry.owed;
  outbox_->ToSubscription(number, PairMessage{.subscription = number, .entry = window_entry.entry});
}

bool ShardTail::IsSettledBefore(SubscriptionNumber number, Seq seq) const {
  return seq <= recovered_head_ && settled_before_.contains({number, seq});
}

size_t ShardTail::TakeFannedOutBytes() { return std::exchange(fanned_out_bytes_, 0); }

// --- Settling ------------------------------------------------------------------------------------

void ShardTail::OnSettled(const SettledMessage& message) {
  attempt_head_ = std::max(attempt_head_, message.attempt_head);
  const auto found = members_.find(message.subscription);
  if (found == members_.end()) {
    return;
  }
  std::deque<Seq>& owed = found->second.owed;
  const auto place = std::lower_bound(owed.begin(), owed.end(), message.seq);
  if (place == owed.end() || *place != message.seq) {
    return;
  }
  owed.erase(place);
  --At(message.seq)->owed;
  if (owed.empty() && found->second.membership == Membership::kTail &&
      found->second.feed_from <= next_) {
    members_.erase(found);
  }
  MoveCursor();
}

void ShardTail::Release(Member& member) {
  if (member.membership == Membership::kLeaving) {
    leaving_from_.erase(leaving_from_.find(member.leaving_from));
  }
  for (const Seq seq : member.owed) {
    --At(seq)->owed;
  }
  member.owed.clear();
}

void ShardTail::MoveCursor() {
  // Who is leaving is not fed any more: until his row is committed he holds all that he will read.
  const Seq end = leaving_from_.empty() ? next_ : std::min(next_, *leaving_from_.begin());
  while (cursor_ + 1 < end && At(cursor_ + 1)->owed == 0) {
    ++cursor_;
    const size_t bytes = At(cursor_)->entry.bytes();
    unsettled_bytes_ -= bytes;
    behind_bytes_ += bytes;
  }
  if (cursor_ >= recovered_head_ && !settled_before_.empty()) {
    settled_before_.clear();
  }
  TrimWindow();
}

void ShardTail::MoveCursorBack(Seq cursor) {
  while (cursor_ > cursor) {
    const size_t bytes = At(cursor_)->entry.bytes();
    unsettled_bytes_ += bytes;
    behind_bytes_ -= bytes;
    --cursor_;
  }
}

void ShardTail::TrimWindow() {
  while (window_first_ <= cursor_ &&
         (cursor_ - window_first_ >= kRejoinEvents || behind_bytes_ > kRejoinBytes)) {
    const size_t bytes = window_.front().entry.bytes();
    behind_bytes_ -= bytes;
    window_.pop_front();
    ++window_first_;
  }
}

std::optional<AdvanceCursor> ShardTail::TakeCursor() {
  if (!cursor_moved()) {
    return std::nullopt;
  }
  cursor_taken_ = cursor_;
  const WindowEntry* const next_entry = At(cursor_ + 1);
  const AttemptSeq floor_behind = head_ > cursor_ ? last_floor_ : attempt_head_;
  return AdvanceCursor{
      .cursor = cursor_,
      .attempt_floor = next_entry != nullptr ? next_entry->attempt_floor : floor_behind};
}

std::vector<Seq> ShardTail::TakeUnmatched() {
  const auto end = std::upper_bound(unmatched_.begin(), unmatched_.end(), cursor_taken_);
  std::vector<Seq> taken(unmatched_.begin(), end);
  unmatched_.erase(unmatched_.begin(), end);
  return taken;
}

bool ShardTail::TooLong(uint64_t events, size_t bytes) const {
  return next_ - 1 - cursor_ >= events || unsettled_bytes_ >= bytes;
}

std::optional<absl::Duration> ShardTail::oldest_unsettled() const {
  if (cursor_ + 1 >= next_) {
    return std::nullopt;
  }
  return window_[cursor_ + 1 - window_first_].received;
}

ShardTail::WindowEntry* ShardTail::At(Seq seq) {
  if (seq < window_first_ || seq >= window_first_ + window_.size()) {
    return nullptr;
  }
  return &window_[seq - window_first_];
}

}  // namespace postrider
