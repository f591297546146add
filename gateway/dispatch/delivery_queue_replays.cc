// The part of DeliveryQueue that sends the past once more (C5).

#include <utility>

#include "gateway/dispatch/delivery_queue.h"

namespace postrider {

void DeliveryQueue::CancelReplay(OriginId replay) {
  replays_.Cancel(replay);
  retries_.Cancel(replay);
}

std::optional<ReplayRead> DeliveryQueue::NextReplayRead(absl::Duration monotonic, size_t bytes) {
  if (Rests() || ExceptionsFull()) {
    return std::nullopt;
  }
  return replays_.NextRead(monotonic, bytes);
}

void DeliveryQueue::OnReplayRead(const ReplayRead& read,
                                 const absl::StatusOr<std::vector<LogEntry>>& entries,
                                 absl::Time now, absl::Duration monotonic) {
  replays_.OnRead(read, entries, *subscription_, *suspects_, now, monotonic);
  if (Rests()) {
    replays_.Unload();
  }
}

Exchange DeliveryQueue::StartReplayed(absl::Time now, absl::Duration monotonic) {
  Exchange exchange;
  std::tie(exchange.origin, exchange.entry) = replays_.Take(monotonic);
  return Started(std::move(exchange), now);
}

}  // namespace postrider
