#pragma once

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "gateway/base/mutex.h"
#include "gateway/model/health.h"
#include "gateway/model/ids.h"

namespace postrider {

// How subscribers have been answering, as their loops last told: for those who show it. Holds one
// entry a subscription at most; nothing is stored.
//
// Thread-safe.
class HealthBoard {
 public:
  void Put(SubscriptionNumber number, SubscriptionHealth health) ABSL_LOCKS_EXCLUDED(mutex_);

  // To be called when the subscription is deleted.
  void Erase(SubscriptionNumber number) ABSL_LOCKS_EXCLUDED(mutex_);

  // None if nothing has been told.
  std::optional<SubscriptionHealth> Find(SubscriptionNumber number) const
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<SubscriptionNumber, SubscriptionHealth> by_number_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
