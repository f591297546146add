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

void DeliveryOrder::Restore(const BlockedKey& blocked) {
  const Key key{blocked.shard, blocked.key};
  State& state = keys_[key];
  AddException(state, blocked.seq);
  Update(key, state);
}

DeliveryOrder::Place DeliveryOrder::Arrive(const LogEntry& entry) {
  const Key key{entry.shard, KeyOf(entry)};
  if (key.second == 0) {
    return Place::kReady;
  }
  State& state = keys_[key];
  if (!state.busy && state.exceptions.empty() && state.held.empty()) {
    state.busy = true;
    return Place::kReady;
  }
  if (!state.exceptions.empty() && state.held.empty() && RoomToPark(state)) {
    AddException(state, entry.seq);
    return Place::kParked;
  }
  Hold(state, entry);
  Update(key, state);
  return Place::kHeld;
}

void DeliveryOrder::Hold(State& state, LogEntry entry) {
  ++held_;
  held_bytes_ += entry.bytes();
  state.held.push_back(std::move(entry));
}

bool DeliveryOrder::RoomToPark(const State& state) const {
  return mode_ == OrderMode::kByKey && state.exceptions.size() < kParkedPerKeyMax &&
         exceptions_ < kParkedPerSubscriptionMax;
}

void DeliveryOrder::AddException(State& state, Seq seq) {
  exceptions_ += state.exceptions.insert(seq).second ? 1 : 0;
}

std::optional<LogEntry> DeliveryOrder::OnDelivered(ShardId shard, OrderingKey key) {
  return Free({shard, key});
}

void DeliveryOrder::OnExcepted(ShardId shard, OrderingKey key, Seq seq) {
  if (key == 0) {
    return;
  }
  State& state = keys_[{shard, key}];
  state.busy = false;
  AddException(state, seq);
  Update({shard, key}, state);
}

void DeliveryOrder::OnDead(ShardId shard, OrderingKey key, Seq seq) {
  if (key != 0) {
    State& state = keys_[{shard, key}];
    state.busy = true;
    state.dying = seq;
  }
}

// Only the commit of the death itself frees the key: notices of earlier attempts may come late.
std::optional<LogEntry> DeliveryOrder::OnDeathCommitted(ShardId shard, OrderingKey key, Seq seq) {
  const auto found = keys_.find({shard, key});
  if (found == keys_.end() || found->second.dying != seq) {
    return std::nullopt;
  }
  return Free({shard, key});
}

std::optional<LogEntry> DeliveryOrder::OnResolved(ShardId shard, OrderingKey key, Seq seq,
                                                  End end) {
  const auto found = keys_.find({shard, key});
  if (found == keys_.end() || found->second.exceptions.erase(seq) == 0) {
    return std::nullopt;  // Of no key, or no more already.
  }
  --exceptions_;
  State& state = found->second;
  if (!state.exceptions.empty()) {
    Update({shard, key}, state);
    return std::nullopt;
  }
  if (end == End::kDead) {
    state.busy = true;
    state.dying = seq;
    return std::nullopt;
  }
  return Free({shard, key});
}

std::optional<LogEntry> DeliveryOrder::Free(const Key& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) {
    return std::nullopt;
  }
  State& state = found->second;
  std::optional<LogEntry> next;
  if (state.exceptions.empty() && !state.held.empty()) {
    next = Unhold(state);
  }
  state.busy = next.has_value();
  state.dying = 0;
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
  AddException(state, entry.seq);
  Update(key, state);
  return entry;
}

void DeliveryOrder::Update(const Key& key, const State& state) {
  const bool behind = !state.exceptions.empty() && !state.held.empty();
  const bool strict = mode_ == OrderMode::kStrict;
  const bool room = !strict && state.exceptions.size() < kParkedPerKeyMax;
  if (behind && room) {
    to_park_.insert(key);
  } else {
    to_park_.erase(key);
  }
  if (behind || (strict && !state.exceptions.empty())) {
    stopped_.insert(key);
  } else {
    stopped_.erase(key);
  }
  if (!state.busy && state.exceptions.empty() && state.held.empty()) {
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
