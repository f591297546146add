#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "gateway/model/ids.h"

namespace postrider {

// The bytes of events that one subscription has read from the log by itself and still owes.
class ReadEntries {
 public:
  void Add(ShardId shard, Seq seq, size_t bytes);
  // One that was not added: nothing happens.
  void Drop(ShardId shard, Seq seq);
  size_t bytes() const { return bytes_; }

 private:
  absl::flat_hash_map<std::pair<ShardId, Seq>, size_t> entries_;
  size_t bytes_ = 0;
};

// What the subscriptions of one loop hold in memory that each has read for itself: pages of the
// log, also for replays, and exceptions (R8). Events of the tail are shared, and bounded there.
//
// While there is room each reads as it likes. Without room only who holds nothing reads, and no
// more than it needs to go on, so that nobody waits for another; the rest stand in line until bytes
// come back. Lives on one loop.
class ReadBudget {
 public:
  explicit ReadBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  bool has_room() const { return used_ < bytes_max_; }
  size_t used() const { return used_; }

  // What the subscription holds now, and what it has asked to read.
  void SetHeld(SubscriptionNumber number, size_t bytes);

  // Puts it at the end of the line, unless it stands there.
  void Wait(SubscriptionNumber number);
  void StopWaiting(SubscriptionNumber number);
  // Takes the first of the line, if there is room.
  std::optional<SubscriptionNumber> TakeWaiting();

  // It is gone, and what it held.
  void Remove(SubscriptionNumber number);

 private:
  const size_t bytes_max_;
  size_t used_ = 0;
  absl::flat_hash_map<SubscriptionNumber, size_t> held_;  // Of those that hold anything.
  std::map<uint64_t, SubscriptionNumber> line_;           // By place.
  absl::flat_hash_map<SubscriptionNumber, uint64_t> places_;
  uint64_t next_place_ = 0;
};

}  // namespace postrider
