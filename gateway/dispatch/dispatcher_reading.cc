// The part of Dispatcher that reads for the queues: pages of the log, exceptions, and the budget
// that both have (R8).

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/dispatch/dispatcher.h"

namespace postrider {

void Dispatcher::StartReads(SubscriptionNumber number, Slot& slot, const Moment& now) {
  if (draining_) {
    return;
  }
  const auto account = [this, number, &queue = slot.queue] {
    read_budget_.SetHeld(number, queue.page_bytes() + queue.retry_bytes() + queue.replay_bytes());
  };
  const auto page_bytes = [this] {
    return read_budget_.has_room() ? kReaderPageBytes : kScarcePageBytes;
  };
  account();
  const bool pages_wait = !read_budget_.has_room() && slot.queue.page_bytes() > 0;
  if (!pages_wait) {
    StartRead(number, slot, page_bytes(), now);
    account();
  }
  slot.loads_wait = !read_budget_.has_room() && slot.queue.retry_bytes() > 0;
  if (!slot.loads_wait) {
    StartLoad(number, slot, read_budget_.has_room() ? kLoadedExceptionsMax : 1, now);
    account();
  }
  bool replays_wait = !read_budget_.has_room() && slot.queue.replay_bytes() > 0;
  while (!replays_wait && StartReplayRead(number, slot, page_bytes(), now)) {
    account();
    replays_wait = !read_budget_.has_room();
  }
  if (pages_wait || slot.loads_wait || replays_wait) {
    read_budget_.Wait(number);
  } else {
    read_budget_.StopWaiting(number);
  }
}

void Dispatcher::StartRead(SubscriptionNumber number, Slot& slot, size_t bytes, const Moment& now) {
  const std::optional<DeliveryQueue::Read> next = slot.queue.NextRead(now.monotonic, bytes);
  if (!next.has_value()) {
    return;
  }
  const LogPages::Key key{.shard = next->shard, .after = next->after, .bytes = next->bytes};
  if (LogPages::Page page = pages_.Find(key); page != nullptr) {
    loop_->Post([this, number, read = *next, page] { OnRead(number, read, *page); });
    return;
  }
  if (!pages_.Ask(key, number)) {
    return;
  }
  services_.reads->Run([this, read = *next](StoreReader& reader) {
    auto page = std::make_shared<const absl::StatusOr<std::vector<LogEntry>>>(
        reader.ReadLog(read.shard, read.after, kReaderPageEvents, read.bytes));
    loop_->Post([this, read, page = std::move(page)] { OnPage(read, page); });
  });
}

// A turn for each that waited for it.
void Dispatcher::OnPage(const DeliveryQueue::Read& read, const LogPages::Page& page) {
  const LogPages::Key key{.shard = read.shard, .after = read.after, .bytes = read.bytes};
  for (const SubscriptionNumber number : pages_.OnRead(key, page)) {
    loop_->Post([this, number, read, page] { OnRead(number, read, *page); });
  }
}

void Dispatcher::StartLoad(SubscriptionNumber number, Slot& slot, size_t rows, const Moment& now) {
  const std::optional<RetryLane::Load> next = slot.queue.NextLoad(now.wall, rows);
  if (!next.has_value()) {
    return;
  }
  services_.reads->Run([this, number, load = *next](StoreReader& reader) {
    auto due = reader.ReadDue(number, load.shard, absl::InfiniteFuture(), load.limit, load.bytes);
    loop_->Post([this, number, load, due = std::move(due)]() mutable {
      OnLoaded(number, load, std::move(due));
    });
  });
}

// Wakes the first of those that wait for the read budget, if it has room.
bool Dispatcher::WakeReader() {
  const std::optional<SubscriptionNumber> number = read_budget_.TakeWaiting();
  if (number.has_value()) {
    Wake(*number);
  }
  return number.has_value();
}

void Dispatcher::OnRead(SubscriptionNumber number, const DeliveryQueue::Read& read,
                        const absl::StatusOr<std::vector<LogEntry>>& entries) {
  if (!entries.ok()) {
    LogError(absl::StrCat("reading the log for a subscription: ", entries.status().ToString()));
  }
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    slot->queue.OnRead(read, entries, services_.clock->Monotonic());
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::OnLoaded(SubscriptionNumber number, const RetryLane::Load& load,
                          absl::StatusOr<std::vector<DueException>> rows) {
  if (!rows.ok()) {
    LogError(absl::StrCat("reading exceptions: ", rows.status().ToString()));
  }
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    slot->queue.OnLoaded(load, std::move(rows), Now());
    Wake(number);
  }
  EndTurn();
}

}  // namespace postrider
