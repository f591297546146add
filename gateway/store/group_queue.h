#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/store/store.h"

namespace postrider {

// What waits for the next group of a GroupCommit, whose mutex guards it.

struct PendingAppend {
  ShardId shard = 0;
  std::shared_ptr<const Event> event;
  bool put_path = false;
  absl::AnyInvocable<void(absl::StatusOr<Appended>) &&> done;
  std::function<absl::Status()> gate;

  // What it costs in the queue's budget.
  size_t bytes() const;
};

// Events in the order given per organization, organizations in turn (S5).
class AppendQueue {
 public:
  void Push(PendingAppend append);

  // Moves appends to `taken`, one of each organization a turn, until they have `bytes_max`: at
  // least one if there is any.
  void Take(size_t bytes_max, std::vector<PendingAppend>* taken);

  bool empty() const { return turns_.empty(); }
  size_t bytes() const { return bytes_; }
  size_t count() const { return count_; }
  size_t bytes_of(absl::string_view organization) const;

 private:
  struct Line {
    std::deque<PendingAppend> waiting;
    size_t bytes = 0;
  };

  absl::flat_hash_map<std::string, std::unique_ptr<Line>> lines_;
  std::deque<Line*> turns_;
  size_t bytes_ = 0;
  size_t count_ = 0;
};

struct PendingBatch {
  Batch batch;
  absl::AnyInvocable<void(const BatchResult&) &&> done;
};

// Batches in the order given per shard, the configuration being a shard of its own. A shard whose
// batch was not applied waits, and all behind it (R2); the configuration is never returned.
class BatchQueue {
 public:
  void Push(PendingBatch batch);

  // Moves to `taken` what is not held up at `now`, the configuration first.
  void Take(absl::Duration now, std::vector<PendingBatch>* taken);

  // Puts batches that were not applied before all others of their shards, in the order given, to be
  // taken after 100 ms doubling to 5 s.
  void Return(absl::Duration now, std::vector<PendingBatch> batches);
  // A batch of the shard was committed: its next failure waits 100 ms again.
  void Succeeded(std::optional<ShardId> shard);

  bool HeldUp(ShardId shard, absl::Duration now) const;
  // Whether Take() would take anything.
  bool Ready(absl::Duration now) const;
  // When the next held-up shard may be tried; infinite if none is.
  absl::Duration NextRetry(absl::Duration now) const;

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }
  size_t configuration_count() const { return lanes_.empty() ? 0 : lanes_[0].waiting.size(); }

 private:
  struct Lane {
    std::vector<PendingBatch> waiting;
    absl::Duration delay;       // Before the next try; zero: no failure.
    absl::Duration not_before;  // On the monotonic clock.
  };

  static size_t LaneOf(std::optional<ShardId> shard) { return shard.has_value() ? *shard + 1 : 0; }
  Lane* At(std::optional<ShardId> shard);

  std::vector<Lane> lanes_;  // The configuration's, then the shards'.
  size_t count_ = 0;
};

}  // namespace postrider
