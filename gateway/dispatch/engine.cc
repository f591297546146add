#include "gateway/dispatch/engine.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/dispatch/log_pages.h"
#include "gateway/model/url.h"

namespace postrider {

Engine::Engine(const std::vector<LoopParts>& loops, uint32_t shard_count,
               const DispatchServices& services, const DeliveryQueue::Options& options,
               const SendTurns::Caps& caps)
    : loops_(loops),
      services_(services),
      kept_(options.retention),
      first_deletion_(options.first_deletion),
      handed_over_(shard_count) {
  Mesh* const mesh = this;
  SendTurns::Caps share = caps;
  share.in_flight = std::max(1, caps.in_flight / static_cast<int>(loops_.size()));
  DeliveryQueue::Options of_loop = options;
  of_loop.read_bytes_max /= loops_.size();
  for (const LoopParts& parts : loops_) {
    dispatchers_.push_back(
        std::make_unique<Dispatcher>(parts.loop, parts.poster, services, of_loop, share, mesh));
  }
}

absl::StatusOr<Engine::Recovery> Engine::Read(StoreReader& reader, uint32_t shard_count) {
  Recovery recovery;
  ASSIGN_OR_RETURN(recovery.configuration, reader.ReadConfiguration());
  for (ShardId shard = 0; shard < shard_count; ++shard) {
    ASSIGN_OR_RETURN(ShardRecovery of_shard, reader.ReadShard(shard));
    recovery.shards.push_back(std::move(of_shard));
  }
  ASSIGN_OR_RETURN(recovery.next_due, reader.ReadNextDue());
  ASSIGN_OR_RETURN(recovery.blocked_keys, reader.ReadBlockedKeys());
  return recovery;
}

void Engine::Recover(const Recovery& recovery) {
  const Configuration& configuration = recovery.configuration;
  const std::vector<ShardRecovery>& shards = recovery.shards;
  std::vector<Dispatcher::Configured> changes;
  changes.reserve(configuration.subscriptions.size());
  for (const std::shared_ptr<const Subscription>& subscription : configuration.subscriptions) {
    changes.push_back({.number = subscription->number,
                       .subscription = subscription,
                       .home = HomeOf(*subscription)});
  }
  for (const std::unique_ptr<Dispatcher>& dispatcher : dispatchers_) {
    dispatcher->RestoreConfiguration(changes);
  }
  for (ShardId shard = 0; shard < shards.size(); ++shard) {
    dispatchers_[LoopOfShard(shard)]->RestoreShard(shard, shards[shard]);
    for (const ReaderRow& row : shards[shard].readers) {
      if (const auto home = homes_.find(row.subscription); home != homes_.end()) {
        dispatchers_[home->second]->RestoreReader(row);
      }
    }
  }
  for (const StoredHealth& health : configuration.health) {
    if (const auto home = homes_.find(health.subscription); home != homes_.end()) {
      dispatchers_[home->second]->RestoreHealth(health);
    }
  }
  for (const ReplayRecord& record : configuration.replays) {
    if (const auto home = homes_.find(record.replay->subscription); home != homes_.end()) {
      dispatchers_[home->second]->RestoreReplay(record);
    }
  }
  for (const NextDue& due : recovery.next_due) {
    if (const auto home = homes_.find(due.subscription); home != homes_.end()) {
      dispatchers_[home->second]->RestoreExceptions(due);
    }
  }
  for (const BlockedKey& blocked : recovery.blocked_keys) {
    if (const auto home = homes_.find(blocked.subscription); home != homes_.end()) {
      dispatchers_[home->second]->RestoreBlockedKey(blocked);
    }
  }
  RecoverSuspects(configuration.suspects);
  MakeRetention(shards);
}

void Engine::RecoverSuspects(const std::vector<Suspect>& suspects) {
  for (const Suspect& suspect : suspects) {
    const WorkItem& item = suspect.item;
    const auto home = homes_.find(item.subscription);
    if (item.subscription == 0 && item.shard < handed_over_.size()) {
      dispatchers_[LoopOfShard(static_cast<ShardId>(item.shard))]->RestoreSuspect(suspect);
    } else if (home != homes_.end()) {
      dispatchers_[home->second]->RestoreSuspect(suspect);
    }
  }
}

void Engine::MakeRetention(const std::vector<ShardRecovery>& shards) {
  std::vector<Seq> first_seqs;
  first_seqs.reserve(shards.size());
  for (const ShardRecovery& shard : shards) {
    first_seqs.push_back(shard.position.first_seq);
  }
  LogRetention::Parts parts{.loop = loops_[0].loop,
                            .clock = services_.clock,
                            .commits = services_.commits,
                            .kept = kept_,
                            .first_pass = first_deletion_,
                            .on_step = {},
                            .on_pass = {}};
  parts.on_step = [this](ShardId shard, const DeletedEvents& deleted) {
    for (const auto& [subscription, changes] : deleted.exceptions) {
      OnExceptionsChanged(subscription, shard, changes);
    }
  };
  parts.on_pass = [this](const std::vector<Seq>& first) {
    for (size_t i = 0; i < loops_.size(); ++i) {
      loops_[i].loop->Post(
          [dispatcher = dispatchers_[i].get(), first] { dispatcher->OnLogBegins(first); });
    }
  };
  retention_ = std::make_unique<LogRetention>(std::move(parts), std::move(first_seqs));
}

void Engine::Start() {
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i].loop->Post([dispatcher = dispatchers_[i].get()] { dispatcher->Start(); });
  }
  retention_->Start();
}

void Engine::OnCommitted(const CommittedGroup& group) {
  if (!group.configured.empty()) {
    PostConfigured(group.configured);
  }
  for (const ReplayRecord& record : group.replays) {
    PostReplay(record);
  }
  for (const CommittedGroup::Shard& shard : group.shards) {
    PostEvents(shard);
  }
}

void Engine::PostConfigured(const std::vector<CommittedGroup::Configured>& configured) {
  std::vector<Dispatcher::Configured> changes;
  changes.reserve(configured.size());
  for (const CommittedGroup::Configured& change : configured) {
    const bool deleted = change.subscription == nullptr;
    changes.push_back({.number = change.number,
                       .subscription = change.subscription,
                       .home = deleted ? 0 : HomeOf(*change.subscription),
                       .readers = change.readers});
    if (deleted) {
      homes_.erase(change.number);
    }
  }
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i].loop->Post(
        [dispatcher = dispatchers_[i].get(), changes] { dispatcher->OnConfigured(changes); });
  }
  // A tail hears of the subscription before it can be asked to take it back.
  for (const Dispatcher::Configured& change : changes) {
    if (!change.readers.empty()) {
      loops_[change.home].loop->Post(
          [dispatcher = dispatchers_[change.home].get(), readers = change.readers] {
            dispatcher->OnFirstReaders(readers);
          });
    }
  }
}

void Engine::PostReplay(const ReplayRecord& record) {
  const auto home = homes_.find(record.replay->subscription);
  if (home != homes_.end()) {
    loops_[home->second].loop->Post(
        [dispatcher = dispatchers_[home->second].get(), record] { dispatcher->OnReplay(record); });
  }
}

void Engine::PostEvents(const CommittedGroup::Shard& shard) {
  if (shard.entries.empty()) {
    return;
  }
  const size_t bytes = BytesOf(shard.entries);
  const int loop = LoopOfShard(shard.shard);
  Dispatcher* const dispatcher = dispatchers_[loop].get();
  const size_t before = handed_over_[shard.shard].load();
  if (before > 0 && before + bytes > kTailBytesMax) {
    // The tail is behind: it reads the log from its own position when it gets there (R6).
    loops_[loop].loop->Post([dispatcher, id = shard.shard, head = shard.entries.back().seq] {
      dispatcher->OnHead(id, head);
    });
    return;
  }
  handed_over_[shard.shard] += bytes;
  loops_[loop].loop->Post([dispatcher, shard] { dispatcher->OnEvents(shard); });
}

std::function<void()> Engine::MakeBarrier(absl::AnyInvocable<void() &&> done) const {
  struct Barrier {
    std::atomic<size_t> missing;
    absl::AnyInvocable<void() &&> done;
  };
  auto barrier = std::make_shared<Barrier>();
  barrier->missing = loops_.size();
  barrier->done = std::move(done);
  return [barrier] {
    if (--barrier->missing == 0) std::move(barrier->done)();
  };
}

void Engine::AfterAllLoops(absl::AnyInvocable<void() &&> done) {
  const std::function<void()> arrive = MakeBarrier(std::move(done));
  for (const LoopParts& parts : loops_) {
    parts.loop->Post(arrive);
  }
}

void Engine::OnExceptionsChanged(SubscriptionNumber subscription, ShardId shard,
                                 const ExceptionChanges& changes) {
  const auto home = homes_.find(subscription);
  if (home == homes_.end() || changes.rows == 0) {
    return;  // Deleted meanwhile, or nothing was there.
  }
  Dispatcher* const dispatcher = dispatchers_[home->second].get();
  loops_[home->second].loop->Post([dispatcher, subscription, shard, changes] {
    dispatcher->OnExceptionsChanged(subscription, shard, changes);
  });
}

void Engine::Drain(absl::AnyInvocable<void() &&> done) {
  retention_->Stop();
  const std::function<void()> arrive = MakeBarrier(std::move(done));
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i].loop->Post(
        [dispatcher = dispatchers_[i].get(), arrive] { dispatcher->Drain(arrive); });
  }
}

int Engine::HomeOf(const Subscription& subscription) {
  const auto known = homes_.find(subscription.number);
  if (known != homes_.end()) {
    return known->second;
  }
  const int home = HomeOfUrl(subscription.url);
  homes_[subscription.number] = home;
  return home;
}

int Engine::HomeOfUrl(absl::string_view url) const {
  return static_cast<int>(ShardOf(OriginOfUrl(url), loops_.size()));
}

int Engine::LoopOfShard(ShardId shard) const { return static_cast<int>(shard % loops_.size()); }

void Engine::Send(int loop, std::vector<Message> messages) {
  loops_[loop].loop->Post(
      [dispatcher = dispatchers_[loop].get(), messages = std::move(messages)]() mutable {
        dispatcher->OnMessages(std::move(messages));
      });
}

void Engine::OnHandedOver(ShardId shard, size_t bytes) { handed_over_[shard] -= bytes; }

}  // namespace postrider
