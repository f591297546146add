// The part of ShardTail that sends members away and takes them back (R3, R4, R5).

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/base/work_item.h"
#include "gateway/dispatch/shard_tail.h"

namespace postrider {
namespace {

// How much of its oldest stretch a tail that is too long clears in one sweep over the members.
constexpr uint64_t kSweepEvents = 512;

}  // namespace

void ShardTail::StartLeaving(SubscriptionNumber number, Member& member, Seq from) {
  member.membership = Membership::kLeaving;
  member.leaving_from = from;
  leaving_from_.insert(from);
  LeaveMessage message{.subscription = number, .shard = shard_, .from = from, .settled = {}};
  for (const auto& [subscription, seq] : settled_before_) {
    if (subscription == number && seq >= from) {
      message.settled.push_back(seq);
    }
  }
  outbox_->ToSubscription(number, std::move(message));
}

void ShardTail::EnforceLength() {
  const WindowEntry* const entry = At(cursor_ + 1);
  if (entry == nullptr || entry->owed == 0 || cursor_ + 1 <= swept_) {
    return;
  }
  swept_ = std::min(cursor_ + kSweepEvents, next_ - 1);
  Sweep(swept_);
}

void ShardTail::Sweep(Seq mark) {
  const bool too_long = TooLong(kLeaveEvents, kLeaveBytes);
  const uint64_t many = (next_ - 1 - cursor_) / kShareThatIsMany;
  for (auto& [number, member] : members_) {
    if (member.membership != Membership::kTail || member.owed.empty() ||
        member.owed.front() > mark) {
      continue;
    }
    if (too_long && member.owed.size() > many) {
      StartLeaving(number, member, std::max(next_, member.feed_from));
    } else {
      outbox_->ToSubscription(
          number,
          HoldsUpMessage{.subscription = number, .shard = shard_, .seq = member.owed.front()});
    }
  }
}

std::optional<absl::Duration> ShardTail::EnforceAge(absl::Duration now) {
  if (fanning_out_) {
    return now;  // Right after it.
  }
  const Seq oldest = cursor_ + 1;
  if (oldest >= next_) {
    return std::nullopt;
  }
  // Nothing is fanned out while it is full: then its holders are looked at more often.
  const absl::Duration age = TooLong(kTailEventsMax, kTailBytesMax) ? kFullTailAgeMax : kTailAgeMax;
  const absl::Duration due = std::max(At(oldest)->received, swept_at_) + age;
  if (due > now) {
    return due;
  }
  Seq mark = oldest;
  while (mark + 1 < next_ && At(mark + 1)->received + age <= now) {
    ++mark;
  }
  swept_at_ = now;
  Sweep(mark);
  return now + age;
}

void ShardTail::OnAskLeave(const AskLeaveMessage& message) {
  FinishFanOut();
  if (directory_->Find(message.subscription) == nullptr) {
    return;  // Deleted meanwhile.
  }
  Member& member = members_[message.subscription];
  if (member.membership == Membership::kTail) {
    StartLeaving(message.subscription, member, std::max(next_, member.feed_from));
  }
}

void ShardTail::OnLeft(const LeftMessage& message) {
  const auto found = members_.find(message.subscription);
  if (found == members_.end() || found->second.membership != Membership::kLeaving) {
    return;
  }
  Release(found->second);
  found->second.membership = Membership::kReading;
  MoveCursor();
}

void ShardTail::OnAskRejoin(const AskRejoinMessage& message, absl::Duration now) {
  FinishFanOut();
  const auto found = members_.find(message.subscription);
  if (found == members_.end() || found->second.membership != Membership::kReading) {
    return;  // Deleted meanwhile.
  }
  std::vector<Seq> missed;
  const bool granted = MayRejoin(message, now, &missed);
  outbox_->ToSubscription(
      message.subscription,
      RejoinAnswerMessage{
          .subscription = message.subscription, .shard = shard_, .granted = granted});
  if (!granted) {
    return;
  }
  Member& member = found->second;
  member.membership = Membership::kTail;
  member.feed_from = message.scan;
  for (const Seq seq : message.unsettled) {
    Hold(member, seq, now);
  }
  for (const Seq seq : missed) {
    Hold(member, seq, now);
    outbox_->ToSubscription(message.subscription, PairMessage{.subscription = message.subscription,
                                                              .entry = At(seq)->entry});
  }
  if (!member.owed.empty()) {
    MoveCursorBack(member.owed.front() - 1);
  }
  swept_ = cursor_;
}

bool ShardTail::MayRejoin(const AskRejoinMessage& message, absl::Duration now,
                          std::vector<Seq>* missed) {
  const SubscriptionDirectory::Entry* const entry = directory_->Find(message.subscription);
  if (entry == nullptr || !entry->subscription->may_send() || message.scan < window_first_ ||
      message.scan > last_received() + 1) {
    return false;
  }
  for (Seq seq = message.scan; seq < next_; ++seq) {
    if (Wants(message.subscription, At(seq)->entry)) {
      missed->push_back(seq);
    }
  }
  // What counts is the cursor that may be durable; the one in memory can still go back (R4).
  const bool holds_unsettled =
      message.unsettled.empty() || cursor_taken_ < message.unsettled.front();
  const bool holds_missed = missed->empty() || cursor_taken_ < missed->front();
  // Who holds so much that he would soon be sent away again may not come; and what he then owes
  // must fit into the window of a reader row.
  const Seq lowest = std::min(message.unsettled.empty() ? next_ : message.unsettled.front(),
                              missed->empty() ? next_ : missed->front());
  if (!holds_unsettled || !holds_missed || next_ - std::min(lowest, next_) >= kLeaveEvents ||
      (!message.unsettled.empty() && message.unsettled.front() < window_first_)) {
    return false;
  }
  // Nor who would hold what others hold too long already: he would be sent away with them.
  const WindowEntry* const held = At(lowest);
  return held == nullptr || held->owed == 0 || held->received + kTailAgeMax > now;
}

bool ShardTail::Wants(SubscriptionNumber number, const LogEntry& entry) const {
  const WorkScope scope(ItemOf(/*subscription=*/0, shard_, entry.seq));
  return !given_up_.contains(entry.seq) && directory_->Wants(number, entry);
}

void ShardTail::Hold(Member& member, Seq seq, absl::Duration now) {
  WindowEntry& window_entry = *At(seq);
  if (window_entry.owed == 0) {
    window_entry.received = now;  // Its time on the tail begins anew (R5).
  }
  ++window_entry.owed;
  member.owed.push_back(seq);
}

void ShardTail::OnRemoved(SubscriptionNumber subscription) {
  const auto found = members_.find(subscription);
  if (found == members_.end()) {
    return;
  }
  Release(found->second);
  members_.erase(found);
  MoveCursor();
}

}  // namespace postrider
