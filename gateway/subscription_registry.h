#pragma once

#include <map>
#include <memory>
#include <set>
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
  // What stood in the place of each change before it; null: nothing.
  std::vector<Record> Apply(const std::vector<CommittedGroup::Configured>& changes)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Null if there is none.
  Record Find(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mutex_);
  Record FindNumber(SubscriptionNumber number) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The organization's own subscriptions with ids after `after_id`, by id: at most `limit`.
  std::vector<Record> List(const std::string& organization, const std::string& after_id,
                           size_t limit) const ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<Record> Unverified() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether anybody wants this operational event, of the organization at the end of `path`: some
  // subscription other than `about`. Looks at no subscription that has no pattern for such events.
  bool AnyHears(const std::vector<std::string>& path, absl::string_view type,
                absl::string_view about) const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What it was; null if there was none.
  Record Remove(SubscriptionNumber number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Record Insert(Record subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  absl::flat_hash_map<SubscriptionNumber, Record> by_number_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, SubscriptionNumber> by_id_ ABSL_GUARDED_BY(mutex_);
  // By organization, then id.
  std::map<std::pair<std::string, std::string>, SubscriptionNumber> ordered_
      ABSL_GUARDED_BY(mutex_);
  // By organization: those with a pattern for operational events.
  absl::flat_hash_map<std::string, std::set<SubscriptionNumber>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
