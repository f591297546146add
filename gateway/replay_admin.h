#pragma once

#include <memory>
#include <utility>

#include "gateway/answers.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/read_pool.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// Starts and cancels replays, and counts what one would send (C5).
//
// Thread-safe. Everything that it is given outlives its calls.
class ReplayAdmin {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    Random* random = nullptr;
    GroupCommit* commits = nullptr;
    Engine* engine = nullptr;
    ReadPool* reads = nullptr;
    const SubscriptionRegistry* registry = nullptr;
    uint32_t shard_count = 0;
  };

  explicit ReplayAdmin(Parts parts) : parts_(parts) {}

  // As Gateway's calls of these names.
  void StartReplay(const ReplayWish& wish, Gateway::Done<ReplayRecord> done);
  void CountReplay(const ReplayWish& wish, Gateway::Done<ReplayCount> done);
  // Of the one that is stored as `replay`.
  void CancelReplay(const ReplayRecord& replay, Gateway::Done<ReplayRecord> done);

 private:
  struct Counting;

  // The write that the wish comes to; NOT_FOUND or INVALID_ARGUMENT.
  absl::StatusOr<CreateReplay> Checked(const ReplayWish& wish) const;
  // Counts on, a page of the log at a time, so that other queries get their turns.
  void CountOn(std::shared_ptr<Counting> counting);

  const Parts parts_;
};

// A replay by its id. NOT_FOUND with the resource. On a reader thread.
absl::StatusOr<ReplayRecord> FindReplay(StoreReader& reader, const std::string& id);

}  // namespace postrider
