#include "gateway/dispatch/delivery_order.h"

#include "gateway/base/limits.h"

namespace postrider {
namespace {

// The one key of a shard for a strict subscription.
constexpr OrderingKey kWholeShard = 1;

}  // namespace

OrderingKey DeliveryOrder::KeyOf(const LogEntry& entry) const {
  switch (mode_) {
    case OrderMode::kUnordered: return 0;
    case OrderMode::kStrict: return kWholeShard;
    case OrderMode::kByKey: break;
  }
  const Event& event = *entry.event;
  return event.ordering_key.empty() ? 0 : OrderingKeyOf(event.organization, event.ordering_key);
}

void DeliveryOrder::Restore(ShardId shard, OrderingKey key, uint64_t rows) {
  State& state = keys_[{shard, key}];
  state.exceptions += rows;
  exceptions_ += rows;
  Update({shard, key}, state);
}

DeliveryOrder::Place DeliveryOrder::Arrive(const LogEntry& entry) {
  const Key key{entry.shard, KeyOf(entry)};
  if (key.second == 0) {
    return Place::kReady;
  }
  State& state = keys_[key];
  if (!state.busy && state.exceptions == 0 && state.held.empty()) {
    state.busy = true;
    return Place::kReady;
  }
  if (state.exceptions > 0 && state.held.empty() && RoomToPark(state)) {
    AddException(state);
    return Place::kParked;
  }
  state.held.push_back(entry);
  ++held_;
  held_bytes_ += entry.bytes();
  Update(key, state);
  return Place::kHeld;
}

bool DeliveryOrder::RoomToPark(const State& state) const {
  return mode_ == OrderMode::kByKey && state.exceptions < kParkedPerKeyMax &&
         exceptions_ < kParkedPerSubscriptionMax;
}

void DeliveryOrder::AddException(State& state) {
  ++state.exceptions;
  ++exceptions_;
}

std::optional<LogEntry> DeliveryOrder::OnDelivered(ShardId shard, OrderingKey key) {
  return Free({shard, key});
}

void DeliveryOrder::OnExcepted(ShardId shard, OrderingKey key) {
  if (key == 0) {
    return;
  }
  State& state = keys_[{shard, key}];
  state.busy = false;
  AddException(state);
  Update({shard, key}, state);
}

void DeliveryOrder::OnDead(ShardId shard, OrderingKey key) {
  if (key != 0) {
    keys_[{shard, key}].busy = true;
  }
}

std::optional<LogEntry> DeliveryOrder::OnDeathCommitted(ShardId shard, OrderingKey key) {
  return Free({shard, key});
}

DeliveryOrder::Resolved DeliveryOrder::OnResolved(ShardId shard, OrderingKey key, bool delivered) {
  Resolved resolved;
  const auto found = keys_.find({shard, key});
  if (found == keys_.end() || found->second.exceptions == 0) {
    return resolved;  // Of no key, or counted again meanwhile.
  }
  State& state = found->second;
  --state.exceptions;
  --exceptions_;
  resolved.release = state.exceptions > 0;
  if (!resolved.release && delivered) {
    resolved.next = Free({shard, key});
    return resolved;
  }
  state.busy = !resolved.release;  // Dead, and nothing is parked behind it.
  Update({shard, key}, state);
  return resolved;
}

std::optional<LogEntry> DeliveryOrder::Free(const Key& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) {
    return std::nullopt;
  }
  State& state = found->second;
  std::optional<LogEntry> next;
  if (state.exceptions == 0 && !state.held.empty()) {
    next = Unhold(state);
  }
  state.busy = next.has_value();
  Update(key, state);
  return next;
}

LogEntry DeliveryOrder::Unhold(State& state) {
  LogEntry entry = std::move(state.held.front());
  state.held.pop_front();
  --held_;
  held_bytes_ -= entry.bytes();
  return entry;
}

std::optional<LogEntry> DeliveryOrder::NextToPark() {
  if (to_park_.empty() || exceptions_ >= kParkedPerSubscriptionMax) {
    return std::nullopt;
  }
  const Key key = *to_park_.begin();
  State& state = keys_.at(key);
  LogEntry entry = Unhold(state);
  AddException(state);
  Update(key, state);
  return entry;
}

void DeliveryOrder::Update(const Key& key, const State& state) {
  const bool behind = state.exceptions > 0 && !state.held.empty();
  const bool strict = mode_ == OrderMode::kStrict;
  const bool room = !strict && state.exceptions < kParkedPerKeyMax;
  if (behind && room) {
    to_park_.insert(key);
  } else {
    to_park_.erase(key);
  }
  if (behind || (strict && state.exceptions > 0)) {
    stopped_.insert(key);
  } else {
    stopped_.erase(key);
  }
  if (!state.busy && state.exceptions == 0 && state.held.empty()) {
    keys_.erase(key);
  }
}

void DeliveryOrder::UnloadHeld(ShardId shard, std::vector<Seq>* seqs) {
  for (auto place = keys_.lower_bound({shard, 0});
       place != keys_.end() && place->first.first == shard;) {
    const auto current = place++;  // Update() may erase it.
    State& state = current->second;
    while (!state.held.empty()) {
      seqs->push_back(Unhold(state).seq);
    }
    Update(Key(current->first), state);
  }
}

void DeliveryOrder::OnUnloaded(const LogEntry& entry) {
  const Key key{entry.shard, KeyOf(entry)};
  const auto found = keys_.find(key);
  if (found != keys_.end()) {
    found->second.busy = false;
    Update(key, found->second);
  }
}

bool DeliveryOrder::Stopped(ShardId shard) const {
  const auto place = stopped_.lower_bound({shard, 0});
  return place != stopped_.end() && place->first == shard;
}

}  // namespace postrider
