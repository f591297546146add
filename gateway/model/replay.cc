#include "gateway/model/replay.h"

#include <numeric>

#include "gateway/model/event_pattern.h"
#include "gateway/model/scope.h"

namespace postrider {

bool Covers(const Subscription& subscription, const Event& event) {
  return InScope(subscription, event) && IsTarget(subscription, event) &&
         MatchesAny(subscription.event_types, event.type);
}

bool Replays(const Replay& replay, const Subscription& subscription, const Event& event,
             absl::Time now) {
  const bool wanted = replay.event_types.empty() || MatchesAny(replay.event_types, event.type);
  const bool expired = event.expire_time.has_value() && *event.expire_time <= now;
  return wanted && !expired && Covers(subscription, event);
}

std::vector<ShardId> ShardsOf(const Subscription& subscription, uint32_t shard_count) {
  if (subscription.scope == Scope::kSelf) {
    return {ShardOf(subscription.organization, shard_count)};
  }
  std::vector<ShardId> shards(shard_count);
  std::iota(shards.begin(), shards.end(), 0);
  return shards;
}

std::vector<ReaderRow> FirstReaders(const Subscription& subscription) {
  std::vector<ReaderRow> readers;
  if (!subscription.start_time.has_value() || subscription.start_seqs.empty()) {
    return readers;
  }
  const auto shard_count = static_cast<uint32_t>(subscription.start_seqs.size());
  for (const ShardId shard : ShardsOf(subscription, shard_count)) {
    readers.push_back({.subscription = subscription.number,
                       .shard = shard,
                       .next_seq = subscription.start_seqs[shard] + 1,
                       .settled = {}});
  }
  return readers;
}

}  // namespace postrider
