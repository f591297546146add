#include "gateway/subscription_registry.h"

#include <utility>

namespace postrider {

void SubscriptionRegistry::Put(Record subscription) {
  const MutexLock lock(&mutex_);
  Insert(std::move(subscription));
}

void SubscriptionRegistry::Apply(const std::vector<CommittedGroup::Configured>& changes) {
  const MutexLock lock(&mutex_);
  for (const CommittedGroup::Configured& change : changes) {
    if (change.subscription == nullptr) {
      Remove(change.number);
    } else {
      Insert(change.subscription);
    }
  }
}

void SubscriptionRegistry::Insert(Record subscription) {
  Remove(subscription->number);
  by_id_[subscription->id] = subscription->number;
  ordered_[{subscription->organization, subscription->id}] = subscription->number;
  const SubscriptionNumber number = subscription->number;
  by_number_[number] = std::move(subscription);
}

void SubscriptionRegistry::Remove(SubscriptionNumber number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) {
    return;
  }
  by_id_.erase(found->second->id);
  ordered_.erase({found->second->organization, found->second->id});
  by_number_.erase(found);
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

size_t SubscriptionRegistry::size() const {
  const MutexLock lock(&mutex_);
  return by_number_.size();
}

}  // namespace postrider
