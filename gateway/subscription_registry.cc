#include "gateway/subscription_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "gateway/model/event_pattern.h"

namespace postrider {
namespace {

bool Listens(const Subscription& subscription) {
  const std::vector<std::string>& patterns = subscription.event_types;
  return std::any_of(patterns.begin(), patterns.end(), [](const std::string& pattern) {
    return absl::StartsWith(pattern, kOperationalPrefix);
  });
}

}  // namespace

void SubscriptionRegistry::Put(Record subscription) {
  const MutexLock lock(&mutex_);
  Insert(std::move(subscription));
}

std::vector<SubscriptionRegistry::Record> SubscriptionRegistry::Apply(
    const std::vector<CommittedGroup::Configured>& changes) {
  const MutexLock lock(&mutex_);
  std::vector<Record> before;
  before.reserve(changes.size());
  for (const CommittedGroup::Configured& change : changes) {
    before.push_back(change.subscription == nullptr ? Remove(change.number)
                                                    : Insert(change.subscription));
  }
  return before;
}

SubscriptionRegistry::Record SubscriptionRegistry::Insert(Record subscription) {
  Record before = Remove(subscription->number);
  by_id_[subscription->id] = subscription->number;
  ordered_[{subscription->organization, subscription->id}] = subscription->number;
  const SubscriptionNumber number = subscription->number;
  if (Listens(*subscription)) {
    listeners_[subscription->organization].insert(number);
  }
  by_number_[number] = std::move(subscription);
  return before;
}

SubscriptionRegistry::Record SubscriptionRegistry::Remove(SubscriptionNumber number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) {
    return nullptr;
  }
  by_id_.erase(found->second->id);
  ordered_.erase({found->second->organization, found->second->id});
  const auto listeners = listeners_.find(found->second->organization);
  if (listeners != listeners_.end() && listeners->second.erase(number) > 0 &&
      listeners->second.empty()) {
    listeners_.erase(listeners);
  }
  Record before = std::move(found->second);
  by_number_.erase(found);
  return before;
}

SubscriptionRegistry::Record SubscriptionRegistry::Find(absl::string_view id) const {
  const MutexLock lock(&mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : by_number_.at(found->second);
}

SubscriptionRegistry::Record SubscriptionRegistry::FindNumber(SubscriptionNumber number) const {
  const MutexLock lock(&mutex_);
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

std::vector<SubscriptionRegistry::Record> SubscriptionRegistry::List(
    const std::string& organization, const std::string& after_id, size_t limit) const {
  const MutexLock lock(&mutex_);
  std::vector<Record> records;
  for (auto place = ordered_.upper_bound({organization, after_id});
       place != ordered_.end() && place->first.first == organization && records.size() < limit;
       ++place) {
    records.push_back(by_number_.at(place->second));
  }
  return records;
}

std::vector<SubscriptionRegistry::Record> SubscriptionRegistry::Unverified() const {
  const MutexLock lock(&mutex_);
  std::vector<Record> records;
  for (const auto& [number, record] : by_number_) {
    if (record->state() == SubscriptionState::kUnverified) {
      records.push_back(record);
    }
  }
  return records;
}

bool SubscriptionRegistry::AnyHears(const std::vector<std::string>& path, absl::string_view type,
                                    absl::string_view about) const {
  const MutexLock lock(&mutex_);
  for (const std::string& organization : path) {
    const auto listeners = listeners_.find(organization);
    if (listeners == listeners_.end()) {
      continue;
    }
    for (const SubscriptionNumber number : listeners->second) {
      const Subscription& subscription = *by_number_.at(number);
      const bool in_scope = subscription.scope == Scope::kSubtree || &organization == &path.back();
      if (in_scope && subscription.id != about && MatchesAny(subscription.event_types, type)) {
        return true;
      }
    }
  }
  return false;
}

size_t SubscriptionRegistry::size() const {
  const MutexLock lock(&mutex_);
  return by_number_.size();
}

}  // namespace postrider
