#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/announcer.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/mutex.h"
#include "gateway/dispatch/subscription_events.h"
#include "gateway/health_board.h"
#include "gateway/store/group_commit.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// Does what follows for a subscription from what the engine finds out about its subscriber: shows
// its health on a board, writes into its record that it is disabled, and announces what its
// organization may want to hear.
//
// Called on the loops, and on the store thread for what is committed; what it is given outlives
// them.
class SubscriberWatch final : public SubscriptionEvents {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    Loop* timer = nullptr;  // Any loop: where tries wait.
    GroupCommit* commits = nullptr;
    const SubscriptionRegistry* registry = nullptr;
    HealthBoard* board = nullptr;
    Announcer* announcer = nullptr;
  };

  explicit SubscriberWatch(const Parts& parts) : parts_(parts) {}

  void OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) override;
  void OnWarning(SubscriptionNumber number, int days) override;
  void OnMustDisable(SubscriptionNumber number, absl::string_view url,
                     absl::string_view reason) override;
  void OnRecovered(SubscriptionNumber number, absl::Time since) override;
  void OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) override;
  void OnExpired(SubscriptionNumber number, absl::Time before) override;
  void OnRemoved(SubscriptionNumber number) override;

  // Announces what a committed change of its record says: disabled, verified. `before`: null for a
  // new one.
  void OnChanged(const SubscriptionRegistry::Record& before,
                 const SubscriptionRegistry::Record& after);

 private:
  // Writes it, unless the record says so already or has another URL; again when another change came
  // first or the store did not take it.
  void Disable(SubscriptionNumber number, std::string url, std::string reason);

  const Parts parts_;
  Mutex mutex_;
  // When it was last said of whom that something has expired with its event.
  absl::flat_hash_map<SubscriptionNumber, absl::Time> expired_said_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
