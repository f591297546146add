// The part of Dispatcher that tells others how subscribers do.

#include <algorithm>

#include "gateway/dispatch/dispatcher.h"

namespace postrider {
namespace {

// What may be in flight changes with every window of successes.
constexpr absl::Duration kLimitShownInterval = absl::Seconds(1);

// Why the delivery of `record` is dead; kNone: it is not.
DeadReason DeadReasonOf(const OutcomeRecord& record) {
  if (record.put_exception.has_value()) {
    return record.put_exception->row.dead_reason;
  }
  if (record.resolve_exception.has_value() && record.resolve_exception->next.has_value()) {
    return record.resolve_exception->next->dead_reason;
  }
  return DeadReason::kNone;
}

}  // namespace

void Dispatcher::RestoreHealth(const StoredHealth& stored) {
  if (Slot* const slot = SlotOf(stored.subscription); slot != nullptr) {
    slot->queue.RestoreHealth(stored.health);
    Wake(stored.subscription);
  }
}

void Dispatcher::TellHealth(SubscriptionNumber number, Slot& slot, absl::Duration monotonic) {
  const HealthChanges changes = slot.queue.TakeHealthChanges();
  if (changes.stored) {
    Batch batch;
    batch.writes.emplace_back(PutHealth{.subscription = number, .health = slot.queue.health()});
    services_.commits->Submit(std::move(batch), [](const BatchResult&) {});
  }
  SubscriptionEvents* const events = services_.events;
  if (events == nullptr) {
    return;
  }
  slot.limit_changed = slot.limit_changed || changes.limit;
  if (changes.shown ||
      (slot.limit_changed && monotonic >= slot.limit_shown + kLimitShownInterval)) {
    slot.limit_changed = false;
    slot.limit_shown = monotonic;
    events->OnHealth(number, slot.queue.health());
  }
  if (changes.warning_days > 0) {
    events->OnWarning(number, changes.warning_days);
  }
  if (changes.recovered_since.has_value()) {
    events->OnRecovered(number, *changes.recovered_since);
  }
  if (!changes.disable_reason.empty()) {
    events->OnMustDisable(number, slot.queue.subscription().url, changes.disable_reason);
  }
}

void Dispatcher::TellDead(SubscriptionNumber number, const LogEntry& entry,
                          const OutcomeRecord& record) {
  const DeadReason reason = DeadReasonOf(record);
  if (services_.events != nullptr && reason != DeadReason::kNone) {
    services_.events->OnDead(number, entry, reason);
  }
}

void Dispatcher::UpdateThrottled(SubscriptionNumber number, Slot& slot) {
  const absl::Duration since = slot.queue.throttled_since().value_or(absl::InfiniteDuration());
  if (since == slot.throttled) {
    return;
  }
  throttled_.erase({slot.throttled, number});
  if (since != absl::InfiniteDuration()) {
    throttled_.insert({since, number});
  }
  slot.throttled = since;
}

void Dispatcher::UpdateGauges(const Moment& now) {
  absl::Duration tail_due = absl::InfiniteDuration();
  for (const auto& [shard, tail] : tails_) {
    tail_due = std::min(tail_due, tail->oldest_unsettled().value_or(absl::InfiniteDuration()));
  }
  absl::Duration retry_due = absl::InfiniteDuration();
  if (!due_.empty()) {
    retry_due = now.monotonic + (due_.begin()->first - now.wall);
  }
  // What is infinite is the largest number.
  counters_.tail_due = absl::ToInt64Nanoseconds(tail_due);
  counters_.retry_due = absl::ToInt64Nanoseconds(retry_due);
  counters_.throttled_due = absl::ToInt64Nanoseconds(
      throttled_.empty() ? absl::InfiniteDuration() : throttled_.begin()->first);
}

}  // namespace postrider
