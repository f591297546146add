#pragma once

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/dispatch/subscription_index.h"
#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// One loop's copy of the configuration: every subscription, which loop it lives on, and the index
// that says who wants an event. Changed in commit order (C1); used on its loop only.
class SubscriptionDirectory {
 public:
  struct Entry {
    std::shared_ptr<const Subscription> subscription;
    int home = 0;  // The loop where it lives, as long as this process runs.
  };

  void Put(std::shared_ptr<const Subscription> subscription, int home);
  void Remove(SubscriptionNumber number);

  // Null if there is no such subscription.
  const Entry* Find(SubscriptionNumber number) const;

  // Who is owed `entry` by patterns, scope, targets, start and purges (C2, C3, C4), each once.
  void Match(const LogEntry& entry, std::vector<SubscriptionNumber>* out) const;

  // Whether `number` is among them.
  bool Wants(SubscriptionNumber number, const LogEntry& entry) const;

 private:
  absl::flat_hash_map<SubscriptionNumber, Entry> entries_;
  SubscriptionIndex index_;
};

}  // namespace postrider
