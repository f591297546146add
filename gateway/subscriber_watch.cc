#include "gateway/subscriber_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/operational_event.h"
#include "gateway/base/log.h"

namespace postrider {
namespace {

constexpr absl::Duration kDisableRetry = absl::Seconds(1);
constexpr absl::Duration kExpiredSaidInterval = absl::Hours(24);

}  // namespace

void SubscriberWatch::OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) {
  parts_.board->Put(number, health);
}

void SubscriberWatch::OnWarning(SubscriptionNumber number, int days) {
  const SubscriptionRegistry::Record record = parts_.registry->FindNumber(number);
  if (record == nullptr) {
    return;
  }
  LogWarning(absl::StrCat("subscription ", record->id, ": failing for ", days, " days"));
  const SubscriptionHealth health = parts_.board->Find(number).value_or(SubscriptionHealth());
  parts_.announcer->Announce(SubscriptionFailing(*record, health, days, parts_.clock->Now()));
}

void SubscriberWatch::OnMustDisable(SubscriptionNumber number, absl::string_view url,
                                    absl::string_view reason) {
  Disable(number, std::string(url), std::string(reason));
}

void SubscriberWatch::OnRecovered(SubscriptionNumber number, absl::Time since) {
  const SubscriptionRegistry::Record record = parts_.registry->FindNumber(number);
  if (record != nullptr) {
    parts_.announcer->Announce(SubscriptionRecovered(*record, since, parts_.clock->Now()));
  }
}

void SubscriberWatch::OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) {
  if (!entry.event->about.empty()) {
    return;  // News about news would never end.
  }
  const SubscriptionRegistry::Record record = parts_.registry->FindNumber(number);
  if (record != nullptr) {
    parts_.announcer->Announce(DeliveryDead(*record, entry, reason, parts_.clock->Now()));
  }
}

void SubscriberWatch::OnExpired(SubscriptionNumber number, absl::Time before) {
  const SubscriptionRegistry::Record record = parts_.registry->FindNumber(number);
  if (record == nullptr) {
    return;
  }
  const absl::Time now = parts_.clock->Now();
  {
    const MutexLock lock(&mutex_);
    absl::Time& said = expired_said_.try_emplace(number, absl::InfinitePast()).first->second;
    if (now - said < kExpiredSaidInterval) {
      return;
    }
    said = now;
  }
  LogWarning(absl::StrCat("subscription ", record->id, ": what was accepted before ",
                          absl::FormatTime(before, absl::UTCTimeZone()),
                          " is not kept any more, and not all of it was sent"));
  parts_.announcer->Announce(DeliveriesExpired(*record, before, now));
}

void SubscriberWatch::OnRemoved(SubscriptionNumber number) {
  parts_.board->Erase(number);
  const MutexLock lock(&mutex_);
  expired_said_.erase(number);
}

void SubscriberWatch::OnChanged(const SubscriptionRegistry::Record& before,
                                const SubscriptionRegistry::Record& after) {
  if (before == nullptr) {
    return;
  }
  if (before->disabled_reason.empty() && !after->disabled_reason.empty()) {
    LogWarning(absl::StrCat("subscription ", after->id, ": disabled: ", after->disabled_reason));
    parts_.announcer->Announce(SubscriptionDisabled(*after, parts_.clock->Now()));
  }
  if (!before->verified && after->verified) {
    parts_.announcer->Announce(SubscriptionVerified(*after, parts_.clock->Now()));
  }
}

void SubscriberWatch::Disable(SubscriptionNumber number, std::string url, std::string reason) {
  const SubscriptionRegistry::Record current = parts_.registry->FindNumber(number);
  if (current == nullptr || !current->disabled_reason.empty() || current->url != url) {
    return;
  }
  PutSubscription write{.subscription = *current, .expected_version = current->version};
  write.subscription.disabled_reason = reason;
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  auto done = [this, number, url = std::move(url),
               reason = std::move(reason)](const BatchResult& result) {
    if (result.state == CommitState::kCommitted &&
        !absl::IsAborted(result.configured[0].status())) {
      return;
    }
    parts_.timer->Post([this, number, url, reason] {
      parts_.timer->After(kDisableRetry,
                          [this, number, url, reason] { Disable(number, url, reason); });
    });
  };
  parts_.commits->Submit(std::move(batch), std::move(done));
}

}  // namespace postrider
