#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/base/mutex.h"
#include "gateway/model/subscription.h"
#include "gateway/store/group_commit.h"

namespace postrider {

// The committed subscriptions, for those who ask by id or by organization. Thread-safe; changed on
// the store thread in commit order, before anybody is told of the commit.
class SubscriptionRegistry {
 public:
  using Record = std::shared_ptr<const Subscription>;

  void Put(Record subscription) ABSL_LOCKS_EXCLUDED(mutex_);
  void Apply(const std::vector<CommittedGroup::Configured>& changes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Null if there is none.
  Record Find(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mutex_);
  Record FindNumber(SubscriptionNumber number) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The organization's own subscriptions with ids after `after_id`, by id: at most `limit`.
  std::vector<Record> List(const std::string& organization, const std::string& after_id,
                           size_t limit) const ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<Record> Unverified() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Remove(SubscriptionNumber number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Insert(Record subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  absl::flat_hash_map<SubscriptionNumber, Record> by_number_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, SubscriptionNumber> by_id_ ABSL_GUARDED_BY(mutex_);
  // By organization, then id.
  std::map<std::pair<std::string, std::string>, SubscriptionNumber> ordered_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
