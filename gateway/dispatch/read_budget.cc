#include "gateway/dispatch/read_budget.h"

namespace postrider {

void ReadEntries::Add(ShardId shard, Seq seq, size_t bytes) {
  if (entries_.try_emplace({shard, seq}, bytes).second) {
    bytes_ += bytes;
  }
}

void ReadEntries::Drop(ShardId shard, Seq seq) {
  const auto found = entries_.find({shard, seq});
  if (found != entries_.end()) {
    bytes_ -= found->second;
    entries_.erase(found);
  }
}

void ReadBudget::SetHeld(SubscriptionNumber number, size_t bytes) {
  const auto found = held_.find(number);
  const size_t before = found == held_.end() ? 0 : found->second;
  used_ = used_ - before + bytes;
  if (bytes > 0) {
    held_[number] = bytes;
  } else if (found != held_.end()) {
    held_.erase(found);
  }
}

void ReadBudget::Wait(SubscriptionNumber number) {
  if (places_.try_emplace(number, next_place_).second) {
    line_.emplace(next_place_++, number);
  }
}

void ReadBudget::StopWaiting(SubscriptionNumber number) {
  const auto found = places_.find(number);
  if (found != places_.end()) {
    line_.erase(found->second);
    places_.erase(found);
  }
}

std::optional<SubscriptionNumber> ReadBudget::TakeWaiting() {
  if (line_.empty() || !has_room()) {
    return std::nullopt;
  }
  const SubscriptionNumber number = line_.begin()->second;
  StopWaiting(number);
  return number;
}

void ReadBudget::Remove(SubscriptionNumber number) {
  SetHeld(number, 0);
  StopWaiting(number);
}

}  // namespace postrider
