// The part of Dispatcher that follows the old end of the log (C7).

#include <algorithm>

#include "gateway/dispatch/dispatcher.h"

namespace postrider {

void Dispatcher::OnLogBegins(const std::vector<Seq>& first_seqs) {
  for (auto& [number, slot] : slots_) {
    if (slot->queue.OnLogBegins(first_seqs)) {
      Wake(number);
    }
  }
  EndTurn();
}

void Dispatcher::TellExpired(SubscriptionNumber number, Slot& slot, absl::Time now) {
  if (slot.queue.TakeExpired() && services_.events != nullptr) {
    services_.events->OnExpired(number, now - options_.retention);
  }
}

// What was about to wait is a dead letter already.
void Dispatcher::TakeLate(const LateException& late) {
  if (Slot* const slot = FindSlot(late.key.subscription); slot != nullptr) {
    slot->queue.OnLate(late);
    Wake(late.key.subscription);
  }
}

}  // namespace postrider
