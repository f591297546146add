// The part of DeliveryQueue that takes care of what brought earlier processes down (E8).

#include "gateway/base/crash_point.h"
#include "gateway/base/work_item.h"
#include "gateway/dispatch/delivery_queue.h"
#include "gateway/dispatch/match.h"
#include "gateway/model/scope.h"

namespace postrider {

bool DeliveryQueue::MustRunAlone(Kind kind, absl::Duration monotonic) const {
  if (suspects_->empty()) {
    return false;
  }
  switch (kind) {
    case Kind::kFirst: return suspects_->RunsAlone(ItemOf(ready_.front()));
    case Kind::kRetry: return suspects_->RunsAlone(ItemOf(retries_.front().entry));
    case Kind::kReplay: return suspects_->RunsAlone(ItemOf(replays_.Front(monotonic)));
  }
  return false;
}

bool DeliveryQueue::WantsRead(const LogEntry& entry) const {
  const WorkItem item = ItemOf(entry);
  if (suspects_->Quarantined(item)) {
    return InScope(*subscription_, *entry.event) &&
           MatchPosition(*subscription_, entry) == Match::kOwed;
  }
  const WorkScope scope(item);
  FaultPoint("match", entry.event->type);
  return directory_->Wants(subscription_->number, entry);
}

}  // namespace postrider
