#include "gateway/dispatch/subscription_directory.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gateway/dispatch/match.h"

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
    return MatchPosition(*entries_.at(number).subscription, entry) != Match::kOwed;
  };
  out->erase(
      std::remove_if(out->begin() + static_cast<std::ptrdiff_t>(before), out->end(), not_owed),
      out->end());
}

bool SubscriptionDirectory::Wants(SubscriptionNumber number, const LogEntry& entry) const {
  const Entry* const found = Find(number);
  return found != nullptr && MatchEvent(*found->subscription, entry) == Match::kOwed;
}

}  // namespace postrider
