#include "gateway/health_board.h"

#include <utility>

namespace postrider {

void HealthBoard::Put(SubscriptionNumber number, SubscriptionHealth health) {
  const MutexLock lock(&mutex_);
  by_number_[number] = std::move(health);
}

void HealthBoard::Erase(SubscriptionNumber number) {
  const MutexLock lock(&mutex_);
  by_number_.erase(number);
}

std::optional<SubscriptionHealth> HealthBoard::Find(SubscriptionNumber number) const {
  const MutexLock lock(&mutex_);
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace postrider
