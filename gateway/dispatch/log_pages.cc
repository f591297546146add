#include "gateway/dispatch/log_pages.h"

#include <utility>

#include "gateway/base/limits.h"

namespace postrider {

size_t BytesOf(const std::vector<LogEntry>& entries) {
  size_t bytes = 0;
  for (const LogEntry& entry : entries) {
    bytes += entry.bytes();
  }
  return bytes;
}

bool IsLastPage(const std::vector<LogEntry>& entries, size_t bytes_max) {
  return entries.size() < kReaderPageEvents && BytesOf(entries) < bytes_max / 2;
}

LogPages::Page LogPages::Find(const Key& key) const {
  const auto found = kept_.find(key);
  return found == kept_.end() ? nullptr : found->second;
}

bool LogPages::Ask(const Key& key, SubscriptionNumber number) {
  std::vector<SubscriptionNumber>& numbers = asked_[key];
  numbers.push_back(number);
  return numbers.size() == 1;
}

std::vector<SubscriptionNumber> LogPages::OnRead(const Key& key, const Page& page) {
  if (page->ok() && !IsLastPage(**page, key.bytes) && kept_.try_emplace(key, page).second) {
    order_.emplace_back(key, BytesOf(**page));
    bytes_ += order_.back().second;
  }
  while (bytes_ > bytes_max_) {
    bytes_ -= order_.front().second;
    kept_.erase(order_.front().first);
    order_.pop_front();
  }
  const auto found = asked_.find(key);
  if (found == asked_.end()) {
    return {};
  }
  std::vector<SubscriptionNumber> numbers = std::move(found->second);
  asked_.erase(found);
  return numbers;
}

}  // namespace postrider
