#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/store/store.h"

namespace postrider {

// A store in memory that fails when told to, and remembers what it was asked.
class FakeStore final : public Store {
 public:
  std::vector<BatchResult> Commit(absl::Span<const Batch> batches, absl::Time now) override {
    commits.emplace_back(batches.begin(), batches.end());
    std::vector<BatchResult> results(batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
      results[i].state = state_of ? state_of(batches[i]) : CommitState::kCommitted;
      if (results[i].state == CommitState::kCommitted) {
        Apply(batches[i], now, &results[i]);
      }
    }
    if (after_commit) {
      after_commit();
    }
    return results;
  }

  bool Maintain() override {
    ++maintained;
    return false;
  }

  bool AcceptsAppends(absl::Time) override { return accepts_appends; }

  std::function<CommitState(const Batch&)> state_of;  // Null: everything is committed.
  std::function<void()> after_commit;
  bool accepts_appends = true;

  std::vector<std::vector<Batch>> commits;
  std::vector<Batch> committed;  // In order.
  std::map<ShardId, Seq> heads;
  int maintained = 0;

 private:
  void Apply(const Batch& batch, absl::Time now, BatchResult* result) {
    committed.push_back(batch);
    for (const Write& write : batch.writes) {
      if (const auto* append = std::get_if<AppendEvent>(&write)) {
        result->appended.push_back(Append(*batch.shard, *append->event, now));
      } else if (const auto* put = std::get_if<PutSubscription>(&write)) {
        auto stored = std::make_shared<Subscription>(put->subscription);
        stored->number = ++subscriptions_;
        result->configured.emplace_back(std::move(stored));
      } else if (std::holds_alternative<DeleteSubscription>(write)) {
        result->configured.emplace_back(absl::NotFoundError("none"));
      }
    }
    result->attempt_head = 7;
  }

  Appended Append(ShardId shard, const Event& event, absl::Time now) {
    const auto key = std::make_pair(event.id, event.organization);
    const auto [known, is_new] = events_.try_emplace(key);
    if (is_new) {
      known->second.seq = ++heads[shard];
      known->second.accept_time = now;
      return known->second;
    }
    Appended duplicate = known->second;
    duplicate.kind = Appended::Kind::kDuplicate;
    return duplicate;
  }

  std::map<std::pair<Uuid, std::string>, Appended> events_;
  SubscriptionNumber subscriptions_ = 0;
};

}  // namespace postrider
