#include "gateway/subscriber_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"

namespace postrider {
namespace {

constexpr int kDisableTries = 8;

// The reason stands in the log, for the operator; the subscription's id is what he knows.
std::string IdOf(const SubscriptionRegistry& registry, SubscriptionNumber number) {
  const SubscriptionRegistry::Record record = registry.FindNumber(number);
  return record == nullptr ? absl::StrCat("number ", number) : record->id;
}

}  // namespace

void SubscriberWatch::OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) {
  board_->Put(number, health);
}

void SubscriberWatch::OnWarning(SubscriptionNumber number, int days) {
  LogWarning(
      absl::StrCat("subscription ", IdOf(*registry_, number), ": failing for ", days, " days"));
}

void SubscriberWatch::OnMustDisable(SubscriptionNumber number, absl::string_view reason) {
  Disable(number, std::string(reason), kDisableTries);
}

void SubscriberWatch::OnRecovered(SubscriptionNumber /*number*/) {}

void SubscriberWatch::OnDead(SubscriptionNumber /*number*/, const LogEntry& /*entry*/,
                             DeadReason /*reason*/) {}

void SubscriberWatch::OnRemoved(SubscriptionNumber number) { board_->Erase(number); }

void SubscriberWatch::Disable(SubscriptionNumber number, std::string reason, int tries) {
  const SubscriptionRegistry::Record current = registry_->FindNumber(number);
  if (current == nullptr || !current->disabled_reason.empty()) {
    return;
  }
  LogWarning(absl::StrCat("subscription ", current->id, ": disabled: ", reason));
  PutSubscription write{.subscription = *current, .expected_version = current->version};
  write.subscription.disabled_reason = reason;
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  commits_->Submit(std::move(batch),
                   [this, number, reason = std::move(reason), tries](const BatchResult& result) {
                     const bool outdated = !result.configured.empty() &&
                                           absl::IsAborted(result.configured[0].status());
                     if (outdated && tries > 1) Disable(number, reason, tries - 1);
                   });
}

}  // namespace postrider
