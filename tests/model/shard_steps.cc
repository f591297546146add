// The shard's loop: hand-off, fan-out, membership, cursor.
#include <algorithm>

#include "tests/model/machine.h"

namespace postrider::model {
namespace {

// The newest event that subscription `index` has been fed, if it is a member.
int FedTo(const Shard& shard, int index) { return shard.fanned + (shard.fan_next > index ? 1 : 0); }

// The first event that it would not be fed if it left now.
int MarkOf(const Shard& shard, int index) {
  return std::max<int>(FedTo(shard, index) + 1, shard.subscriptions[index].feed_from);
}

}  // namespace

void Machine::ShardHears(const State& state, std::vector<Step>* steps) const {
  if (state.to_shard.size > 0) {
    State next = state;
    HearFromStore(next.to_shard.Take(), &next);
    Add(next, "shard hears the store", 0, 0, steps);
  }
  if (state.configuration.size > 0) {
    State next = state;
    HearFromStore(next.configuration.Take(), &next);
    Add(next, "shard hears of configuration", 0, 0, steps);
  }
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    if (state.queue_to_shard[i].size == 0) continue;
    State next = state;
    if (!HearFromQueue(i, next.queue_to_shard[i].Take(), &next)) continue;
    ComputeCursor(&next);
    Add(next, "shard hears a queue", i, state.queue_to_shard[i].items[0].kind, steps);
  }
}

void Machine::HearFromStore(const Message& message, State* state) const {
  Shard& shard = state->shard;
  if (message.kind == kHead) {
    if (!On(Rule::kR6OwnPosition) && message.a > shard.fanned + 1) {
      shard.fanned = message.a - 1;
      shard.fan_next = 0;
    }
    shard.handed_head = message.a;
  } else if (message.kind == kSettled) {
    shard.subscriptions[message.a].unsettled &= ~message.b;
  } else {
    ShardSubscription& member = shard.subscriptions[message.a];
    member.may_send = message.b;
    if (message.kind == kCleared) member.cleared |= message.c;
    if (message.kind == kCreated) {
      member.life = kAlive;
      const bool reader = message.c != 0 && On(Rule::kC2StartsAsReader);
      member.membership = reader ? kReader : kMember;
    }
    if (message.kind == kRemoved) {
      if (On(Rule::kC4DeletedHoldsNothing)) member = {};
      member.life = kDeleted;
    }
  }
  ComputeCursor(state);
}

// False if there is no room for the answer yet.
bool Machine::HearFromQueue(int subscription, const Message& message, State* state) const {
  ShardSubscription& member = state->shard.subscriptions[subscription];
  auto& channel = state->shard_to_queue[subscription];
  if (member.life == kAbsent && message.kind == kAsk && On(Rule::kC2EarlyAskIsAnswered)) {
    if (channel.Full()) return false;
    channel.Push({kRefused, 0, 0, 0});
  }
  if (member.life != kAlive) return true;
  switch (message.kind) {
    case kSettled: member.unsettled &= ~message.a; return true;
    case kWantLeave:
      if (member.membership != kMember) return true;
      if (channel.Full()) return false;
      StartLeaving(subscription, MarkOf(state->shard, subscription), state);
      return true;
    case kLeft:
      member.membership = kReader;
      member.unsettled = member.mark = 0;
      return true;
    case kAsk:
      if (channel.Full(1 + bounds_.events)) return false;
      AnswerAsk(subscription, message, state);
      return true;
    default: return true;
  }
}

// From the event `mark` on the member is not fed.
void Machine::StartLeaving(int subscription, int mark, State* state) const {
  ShardSubscription& member = state->shard.subscriptions[subscription];
  member.membership = kLeavingMember;
  if (!On(Rule::kR3LeavingHoldsPairs)) member.unsettled = 0;
  member.mark = On(Rule::kR3LeavingHoldsMark) ? mark : 0xff;
  Message message{kLeaveAt, static_cast<uint8_t>(mark), member.may_send, 0};
  if (On(Rule::kR3LeaverTakesSkips)) message.c = member.skip & Range(mark, kEventsMax);
  member.skip = member.feed_from = 0;
  state->shard_to_queue[subscription].Push(message);
}

void Machine::AnswerAsk(int subscription, const Message& ask, State* state) const {
  Shard& shard = state->shard;
  ShardSubscription& member = shard.subscriptions[subscription];
  auto& channel = state->shard_to_queue[subscription];
  const int scan = ask.a;
  const int fed_to = On(Rule::kR6JoinDuringFanOut) ? FedTo(shard, subscription) : shard.fanned;
  Mask unsettled = ask.b;
  for (int seq = scan; seq <= fed_to; ++seq) {
    if (Owed(*state, subscription, seq, member.cleared)) unsettled |= Bit(seq);
  }
  const int lowest = Lowest(unsettled, kEventsMax + 1);
  const bool passed = On(Rule::kR4CursorBelowUnsettled) && shard.cursor_out >= lowest;
  if (!member.may_send || passed || lowest < shard.window_first || scan < shard.window_first ||
      scan > shard.handed_head + 1) {
    return channel.Push({kRefused, 0, 0, 0});
  }
  member.membership = kMember;
  member.unsettled = On(Rule::kR4AskedPairsHold) ? ask.b : 0;
  member.skip = 0;
  member.feed_from = On(Rule::kR4FedFromScan) ? scan : 0;
  channel.Push({kGranted, 0, 0, 0});
  for (int seq = scan; seq <= fed_to; ++seq) Feed(subscription, seq, state);
  if (On(Rule::kR4CursorGoesBack) && member.unsettled != 0) {
    shard.cursor = std::min<int>(shard.cursor, Lowest(member.unsettled, 0) - 1);
  }
  if (member.feed_from <= shard.fanned + 1) member.feed_from = 0;  // It has no effect any more.
}

// `cleared` is what the asking loop has heard of the purge mark.
bool Machine::Owed(const State& state, int subscription, int seq, Mask cleared) const {
  return Wanted(subscription, seq) && !Has(cleared, seq) &&
         seq > state.store.subscriptions[subscription].start_seq;
}

void Machine::Feed(int subscription, int seq, State* state) const {
  ShardSubscription& member = state->shard.subscriptions[subscription];
  if (member.life != kAlive || member.membership != kMember || seq < member.feed_from ||
      Has(member.skip, seq) || !Owed(*state, subscription, seq, member.cleared)) {
    return;
  }
  if (!member.may_send) {
    if (On(Rule::kC3PausedLeavesAtFanOut)) StartLeaving(subscription, seq, state);
    return;
  }
  member.unsettled |= Bit(seq);
  state->shard_to_queue[subscription].Push({kPair, static_cast<uint8_t>(seq), 1, 0});
}

// One subscription at a time: a turn may end anywhere in an event's fan-out.
void Machine::FanOut(const State& state, std::vector<Step>* steps) const {
  const int seq = state.shard.fanned + 1;
  const int end =
      On(Rule::kR6ReadToHandedHead) ? state.shard.handed_head : static_cast<int>(state.store.head);
  if (seq > end || state.shard_to_queue[state.shard.fan_next].Full()) return;
  State next = state;
  Feed(next.shard.fan_next, seq, &next);
  if (++next.shard.fan_next == bounds_.subscriptions) {
    next.shard.fan_next = 0;
    next.shard.fanned = seq;
  }
  ShardSubscription& fed = next.shard.subscriptions[state.shard.fan_next];
  if (fed.feed_from <= seq + 1) fed.feed_from = 0;
  ComputeCursor(&next);
  Add(next, "fan out", state.shard.fan_next, seq, steps);
}

// R5: the tail has become too long, or a member too slow.
void Machine::ForceLeave(const State& state, std::vector<Step>* steps) const {
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const ShardSubscription& member = state.shard.subscriptions[i];
    if (member.membership != kMember || member.unsettled == 0) continue;
    if ((!Has(bounds_.leavers, i) && member.may_send) || state.shard_to_queue[i].Full()) continue;
    State next = state;
    StartLeaving(i, MarkOf(state.shard, i), &next);
    ComputeCursor(&next);
    Add(next, "must leave", i, 0, steps);
    steps->back().driven = !member.may_send;
  }
}

bool Machine::Held(const State& state, int seq) const {
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const ShardSubscription& member = state.shard.subscriptions[i];
    if (member.membership == kReader) continue;
    if (Has(member.unsettled, seq)) return true;
    if (member.membership == kLeavingMember && member.mark <= seq) return true;
  }
  return false;
}

void Machine::ComputeCursor(State* state) const {
  Shard& shard = state->shard;
  int end = shard.fanned;
  if (!On(Rule::kR6WholeFanOutBeforePass) && shard.fan_next > 0) ++end;
  while (shard.cursor < end && !Held(*state, shard.cursor + 1)) ++shard.cursor;
}

void Machine::Advance(const State& state, std::vector<Step>* steps) const {
  if (state.shard.cursor <= state.shard.cursor_out || state.commits.Full()) return;
  State next = state;
  next.shard.cursor_out = next.shard.cursor;
  Batch batch{};
  batch.kind = kAdvance;
  batch.cursor = next.shard.cursor;
  for (int i = 0; i < bounds_.subscriptions && !On(Rule::kR1FloorBelowTheTail); ++i) {
    batch.hidden[i] = state.store.subscriptions[i].settled;
  }
  next.commits.Push(batch);
  Add(next, "submit the cursor", 0, batch.cursor, steps);
}

}  // namespace postrider::model
