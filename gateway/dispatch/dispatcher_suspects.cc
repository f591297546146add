// The part of Dispatcher that deals with what brought earlier processes down (E8).

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/dispatch/dispatcher.h"

namespace postrider {

void Dispatcher::RestoreSuspect(const Suspect& suspect) {
  suspects_.Add(suspect);
  const WorkItem& item = suspect.item;
  const auto tail = tails_.find(static_cast<ShardId>(item.shard));
  if (item.subscription != 0 || !suspects_.Quarantined(item) || tail == tails_.end()) {
    return;
  }
  // Whom it should go to cannot be found out.
  tail->second->GiveUp(item.seq);
  ++counters_.events_given_up;
  LogError(absl::StrCat("event ", item.seq, " of shard ", item.shard, " has brought the gateway ",
                        "down ", suspect.deaths, " times while it was matched: it goes to nobody"));
}

bool Dispatcher::WireIsReserved() const {
  return (runs_alone_ || waits_to_run_alone_.has_value()) && turns_.in_flight() > 0;
}

std::optional<SubscriptionNumber> Dispatcher::NextInTurn(const Moment& now) {
  runs_alone_ = runs_alone_ && turns_.in_flight() > 0;
  const auto waiting = std::exchange(waits_to_run_alone_, std::nullopt);
  if (waiting.has_value() && FindSlot(*waiting) != nullptr) {
    turns_.Wake(*waiting, now.monotonic);
    return waiting;
  }
  return turns_.PickNext(now.monotonic);
}

// What was worked on to its end was not what the process died of, or it will be again.
void Dispatcher::ForgetSuspect(const WorkItem& item, absl::Duration monotonic) {
  if (suspects_.RunsAlone(item)) {
    suspects_.Forget(item);
    outcomes_.AddForget(item, monotonic);
  }
}

void Dispatcher::ForgetEvents(ShardId shard, Seq cursor, absl::Duration monotonic) {
  if (suspects_.empty()) {
    return;
  }
  for (const WorkItem& item : suspects_.TakeEvents(shard, cursor)) {
    outcomes_.AddForget(item, monotonic);
  }
}

void Dispatcher::TellQuarantined(const Subscription& subscription, const LogEntry& entry) {
  ++counters_.quarantined;
  LogError(absl::StrCat("event `", entry.event->id.ToString(), "` for subscription `",
                        subscription.id, "` has brought the gateway down ", kDeathsMax,
                        " times: it is a dead letter"));
}

}  // namespace postrider
