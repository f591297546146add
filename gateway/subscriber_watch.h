#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gateway/dispatch/subscription_events.h"
#include "gateway/health_board.h"
#include "gateway/store/group_commit.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// Does what follows for a subscription from what the engine finds out about its subscriber: shows
// its health on a board, and writes into its record that it is disabled.
//
// Called on the loops; what it is given outlives them.
class SubscriberWatch final : public SubscriptionEvents {
 public:
  SubscriberWatch(GroupCommit* commits, const SubscriptionRegistry* registry, HealthBoard* board)
      : commits_(commits), registry_(registry), board_(board) {}

  void OnHealth(SubscriptionNumber number, const SubscriptionHealth& health) override;
  void OnWarning(SubscriptionNumber number, int days) override;
  void OnMustDisable(SubscriptionNumber number, absl::string_view reason) override;
  void OnRecovered(SubscriptionNumber number) override;
  void OnDead(SubscriptionNumber number, const LogEntry& entry, DeadReason reason) override;
  void OnRemoved(SubscriptionNumber number) override;

 private:
  // Writes it, unless the record says so already; again when another change came first.
  void Disable(SubscriptionNumber number, std::string reason, int tries);

  GroupCommit* const commits_;
  const SubscriptionRegistry* const registry_;
  HealthBoard* const board_;
};

}  // namespace postrider
