// The part of DeliveryQueue that has deliveries wait for earlier ones of their key (E4, E5).

#include <utility>

#include "gateway/dispatch/delivery_queue.h"

namespace postrider {

void DeliveryQueue::Accept(LogEntry entry) {
  switch (order_.Arrive(entry)) {
    case DeliveryOrder::Place::kReady: return MakeReady(std::move(entry));
    case DeliveryOrder::Place::kParked: return to_park_.push_back(std::move(entry));
    case DeliveryOrder::Place::kHeld: return;
  }
}

void DeliveryQueue::MakeReady(std::optional<LogEntry> entry) {
  if (entry.has_value()) {
    ready_bytes_ += entry->bytes();
    ready_.push_back(*std::move(entry));
  }
}

void DeliveryQueue::AdvanceOrder(const Exchange& exchange, const NextStep& step) {
  const ShardId shard = exchange.entry.shard;
  const Seq seq = exchange.entry.seq;
  const OrderingKey key = exchange.ordering_key;
  // What is purged leaves nothing that could be waited for.
  const bool delivered = step.disposition == Disposition::kDelivered || step.purged;
  const bool excepted = step.disposition == Disposition::kException;
  if (exchange.retry.has_value()) {
    const auto end = delivered ? DeliveryOrder::End::kDelivered : DeliveryOrder::End::kDead;
    MakeReady(excepted ? std::nullopt : order_.OnResolved(shard, key, seq, end));
  } else if (excepted) {
    order_.OnExcepted(shard, key, seq);
  } else if (delivered) {
    MakeReady(order_.OnDelivered(shard, key));
  } else {
    order_.OnDead(shard, key, seq);
  }
}

std::optional<OutcomeRecord> DeliveryQueue::NextParked() {
  std::optional<LogEntry> entry;
  if (!to_park_.empty()) {
    entry = std::move(to_park_.front());
    to_park_.pop_front();
  } else {
    entry = order_.NextToPark();
  }
  if (!entry.has_value()) {
    return std::nullopt;
  }
  lanes_[entry->shard].progress.Settle(entry->seq);
  read_entries_.Drop(entry->shard, entry->seq);
  ++uncommitted_;
  return MakeParkedRecord(subscription_->number, *entry, order_.KeyOf(*entry));
}

}  // namespace postrider
