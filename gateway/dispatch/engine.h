#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "gateway/base/loop.h"
#include "gateway/dispatch/dispatcher.h"
#include "gateway/dispatch/log_retention.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/store.h"

namespace postrider {

// All dispatchers of a process, one a loop: takes what was committed to the loops that it concerns.
//
// Owns no thread. Everything that it is given outlives it, and no loop runs a task of its any more
// when it is destroyed.
class Engine final : private Mesh {
 public:
  struct LoopParts {
    Loop* loop = nullptr;
    Poster* poster = nullptr;
  };

  // `caps` are the process's: each loop has its part of what may be in flight, and an origin is on
  // one loop.
  Engine(const std::vector<LoopParts>& loops, uint32_t shard_count,
         const DispatchServices& services, const DeliveryQueue::Options& options,
         const SendTurns::Caps& caps);

  // What a store holds at the start; `shards[i]` is of shard i.
  struct Recovery {
    Configuration configuration;
    std::vector<ShardRecovery> shards;
    std::vector<NextDue> next_due;
    std::vector<BlockedKey> blocked_keys;
  };
  static absl::StatusOr<Recovery> Read(StoreReader& reader, uint32_t shard_count);

  // Takes it over. Before Start() and before any loop runs.
  void Recover(const Recovery& recovery);
  void Start();

  // The hook of GroupCommit; on the store thread. All loops hear of configuration before any of
  // them hears of the group's events, so that no pair meets a subscription that its loop does not
  // know.
  void OnCommitted(const CommittedGroup& group);

  // Runs `done` on one of the loops once every loop has done all that was posted to it so far (C1).
  // Thread-safe.
  void AfterAllLoops(absl::AnyInvocable<void() &&> done);

  // A batch of the shard has redriven or purged exceptions of the subscription. In the order of
  // commits: from the `done` of the batch, on the store thread.
  void OnExceptionsChanged(SubscriptionNumber subscription, ShardId shard,
                           const ExceptionChanges& changes);

  // What retention has done so far. Thread-safe.
  RetentionStats retention() const { return retention_->Stats(); }

  // Starts no more exchanges; runs `done` on one of the loops once nothing is on the wire and all
  // outcomes are committed. Thread-safe; once.
  void Drain(absl::AnyInvocable<void() &&> done);

  // The loop on which subscriptions with this URL begin their life. Pure.
  int HomeOfUrl(absl::string_view url) const;

  const DispatchCounters& counters(int loop) const { return dispatchers_[loop]->counters(); }
  int loops() const { return static_cast<int>(loops_.size()); }

 private:
  int LoopOfShard(ShardId shard) const override;
  void Send(int loop, std::vector<Message> messages) override;
  void OnHandedOver(ShardId shard, size_t bytes) override;

  // A function that runs `done` when it has been called once a loop.
  std::function<void()> MakeBarrier(absl::AnyInvocable<void() &&> done) const;
  int HomeOf(const Subscription& subscription);
  void RecoverSuspects(const std::vector<Suspect>& suspects);
  void PostConfigured(const std::vector<CommittedGroup::Configured>& configured);
  void PostReplay(const ReplayRecord& record);
  void PostEvents(const CommittedGroup::Shard& shard);

  void MakeRetention(const std::vector<ShardRecovery>& shards);

  const std::vector<LoopParts> loops_;
  const DispatchServices services_;
  const absl::Duration kept_;
  const absl::Duration first_deletion_;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  // Bytes of new events on their way to their tails, by shard (R6).
  std::vector<std::atomic<size_t>> handed_over_;
  // Where each subscription lives until this process ends, whatever becomes of its URL. Used by
  // Recover(), then by the store thread only.
  absl::flat_hash_map<SubscriptionNumber, int> homes_;
  std::unique_ptr<LogRetention> retention_;  // Since Recover().
};

}  // namespace postrider
