#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gateway/model/event.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"
#include "gateway/model/subscription.h"
#include "gateway/store/store.h"

namespace postrider {

// Which deliveries of one subscription wait for an earlier one of their key (E4, E5).
//
// Of each key one delivery is under way: it is among those ready to be sent, or on the wire, or it
// is dead and that is not committed yet. Later ones are held here, in the order of the log. When
// one fails it becomes an exception, and those behind it become parked ones: rows without an
// attempt, which the store releases one by one, each in the transaction that ends the one before
// it. A strict subscription is one whose shard is the key and that parks nothing: it reads no
// further until the exception is gone. Pure bookkeeping on the subscription's loop.
class DeliveryOrder {
 public:
  explicit DeliveryOrder(OrderMode mode) : mode_(mode) {}

  // The key of an event for this subscription; 0: it waits for no other.
  OrderingKey KeyOf(const LogEntry& entry) const;

  // At the start: the exception waits or is parked.
  void Restore(const BlockedKey& blocked);

  // --- What comes, in the order of the log per shard ---
  enum class Place { kReady, kHeld, kParked };
  // Where the event goes. kHeld: it is kept here. kParked: it must become a parked exception.
  Place Arrive(const LogEntry& entry);

  // --- What became of the one that was under way; key 0 is ignored ---
  // Each returns the next that may be sent, if there is one.
  std::optional<LogEntry> OnDelivered(ShardId shard, OrderingKey key);
  // It waits as an exception; NextToPark() gives those behind it.
  void OnExcepted(ShardId shard, OrderingKey key, Seq seq);
  // The next one goes when that has been committed.
  void OnDead(ShardId shard, OrderingKey key, Seq seq);
  std::optional<LogEntry> OnDeathCommitted(ShardId shard, OrderingKey key, Seq seq);

  // An exception of the key is no more: delivered, dead, or deleted by its owner. What is parked
  // behind it is the store's to release. The second time for the same one nothing happens.
  enum class End { kDelivered, kDead, kDeleted };
  std::optional<LogEntry> OnResolved(ShardId shard, OrderingKey key, Seq seq, End end);

  // Takes an event that is held behind exceptions and for which there is room as a parked one.
  std::optional<LogEntry> NextToPark();

  // --- Memory ---
  // Drops all that is held of a shard, to be read again; appends their seqs.
  void UnloadHeld(ShardId shard, std::vector<Seq>* seqs);
  // Drops for good those of which `drop` says so.
  template <typename Drop>
  void DropHeld(Drop drop);
  // A ready one was dropped, to be read again. What was held behind it was before.
  void OnUnloaded(const LogEntry& entry);
  size_t held() const { return held_; }
  size_t held_bytes() const { return held_bytes_; }

  // Whether no more should be read of the shard, because it could only be held.
  bool Stopped(ShardId shard) const;
  bool AnyStopped() const { return !stopped_.empty(); }
  bool empty() const { return keys_.empty(); }

 private:
  using Key = std::pair<ShardId, OrderingKey>;
  struct State {
    bool busy = false;         // One is ready, on the wire, or dead and not yet committed.
    Seq dying = 0;             // The one that is dead and not yet committed; 0: none.
    std::set<Seq> exceptions;  // Rows that wait or are parked, those submitted included.
    std::deque<LogEntry> held;
  };

  bool RoomToPark(const State& state) const;
  void AddException(State& state, Seq seq);
  std::optional<LogEntry> Free(const Key& key);
  void Hold(State& state, LogEntry entry);
  LogEntry Unhold(State& state);
  // After each change of a key's state.
  void Update(const Key& key, const State& state);

  const OrderMode mode_;
  std::map<Key, State> keys_;
  std::set<Key> stopped_;    // Behind exceptions, with what can't be parked.
  std::set<Key> to_park_;    // Behind exceptions, with what can.
  uint64_t exceptions_ = 0;  // Of all keys.
  size_t held_ = 0;
  size_t held_bytes_ = 0;
};

template <typename Drop>
void DeliveryOrder::DropHeld(Drop drop) {
  for (auto place = keys_.begin(); place != keys_.end();) {
    const auto current = place++;  // Update() may erase it.
    State& state = current->second;
    std::deque<LogEntry> kept;
    while (!state.held.empty()) {
      LogEntry entry = Unhold(state);
      if (!drop(entry)) kept.push_back(std::move(entry));
    }
    for (LogEntry& entry : kept) {
      Hold(state, std::move(entry));
    }
    Update(Key(current->first), state);
  }
}

}  // namespace postrider
