#include "gateway/dispatch/subscription_directory.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "gateway/model/event_pattern.h"

namespace postrider {

void SubscriptionDirectory::Put(std::shared_ptr<const Subscription> subscription, int home) {
  index_.Put(subscription);
  const SubscriptionNumber number = subscription->number;
  entries_[number] = Entry{.subscription = std::move(subscription), .home = home};
}

void SubscriptionDirectory::Remove(SubscriptionNumber number) {
  index_.Remove(number);
  entries_.erase(number);
}

const SubscriptionDirectory::Entry* SubscriptionDirectory::Find(SubscriptionNumber number) const {
  const auto found = entries_.find(number);
  return found == entries_.end() ? nullptr : &found->second;
}

void SubscriptionDirectory::Match(const LogEntry& entry,
                                  std::vector<SubscriptionNumber>* out) const {
  const size_t before = out->size();
  size_t nodes_visited = 0;
  index_.Match(entry.event->organization_path, entry.event->type, out, &nodes_visited);
  const auto not_owed = [this, &entry](SubscriptionNumber number) {
    return !IsOwed(*entries_.at(number).subscription, entry);
  };
  out->erase(
      std::remove_if(out->begin() + static_cast<std::ptrdiff_t>(before), out->end(), not_owed),
      out->end());
}

bool SubscriptionDirectory::Wants(SubscriptionNumber number, const LogEntry& entry) const {
  const Entry* const found = Find(number);
  if (found == nullptr || !IsOwed(*found->subscription, entry)) {
    return false;
  }
  const Subscription& subscription = *found->subscription;
  const Event& event = *entry.event;
  const bool own = event.organization == subscription.organization;
  const bool below = subscription.scope == Scope::kSubtree &&
                     std::find(event.organization_path.begin(), event.organization_path.end(),
                               subscription.organization) != event.organization_path.end();
  return (own || below) && MatchesAny(subscription.event_types, event.type);
}

bool SubscriptionDirectory::IsOwed(const Subscription& subscription, const LogEntry& entry) {
  if (entry.shard >= subscription.start_seqs.size() ||
      entry.seq <= subscription.start_seqs[entry.shard]) {
    return false;
  }
  if (entry.event->about == subscription.id) {
    return false;
  }
  const std::vector<std::string>& targets = entry.event->targets;
  return targets.empty() ||
         std::find(targets.begin(), targets.end(), subscription.id) != targets.end();
}

}  // namespace postrider
