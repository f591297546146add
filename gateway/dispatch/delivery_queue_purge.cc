// The part of DeliveryQueue that gives up what its owner has purged (C4).

#include <utility>

#include "gateway/dispatch/delivery_queue.h"
#include "gateway/dispatch/match.h"

namespace postrider {

// The mark is committed: whoever reads the log again passes over what is dropped here.
void DeliveryQueue::DropNotOwed() {
  const auto drop = [this](const LogEntry& entry) {
    if (MatchPosition(*subscription_, entry) == Match::kOwed) return false;
    lanes_[entry.shard].progress.Settle(entry.seq);
    read_entries_.Drop(entry.shard, entry.seq);
    TellSettled(entry.shard, entry.seq, /*attempt_head=*/0);
    return true;
  };
  order_.DropHeld(drop);  // First: none of them is to follow one that is dropped.
  std::deque<LogEntry> owed;
  std::vector<LogEntry> next;
  for (LogEntry& entry : ready_) {
    if (!drop(entry)) {
      owed.push_back(std::move(entry));
      continue;
    }
    ready_bytes_ -= entry.bytes();
    if (std::optional<LogEntry> held = order_.OnDelivered(entry.shard, order_.KeyOf(entry))) {
      next.push_back(*std::move(held));
    }
  }
  ready_ = std::move(owed);
  for (LogEntry& entry : next) {
    MakeReady(std::move(entry));
  }
}

bool DeliveryQueue::IsPurged(const Exchange& exchange) const {
  // The row of a retry is taken away by the purge itself, and a replay is asked for past it.
  return !exchange.retry.has_value() && exchange.origin == kOriginLog &&
         MatchPosition(*subscription_, exchange.entry) != Match::kOwed;
}

void DeliveryQueue::OnExceptionsChanged(ShardId shard, const ExceptionChanges& changes,
                                        absl::Time now) {
  for (const auto& [seq, key] : changes.ordered) {
    MakeReady(order_.OnResolved(shard, key, seq, DeliveryOrder::End::kDeleted));
  }
  retries_.OnChanged(shard, changes, now);
  expired_ = expired_ || changes.expired;
}

}  // namespace postrider
