// What happens to the engine: publishers, changes of the configuration, crashes.
#include "tests/model/machine.h"

namespace postrider::model {

State Machine::Initial() const {
  State state{};
  for (int i = 0; i < bounds_.created; ++i) {
    state.store.subscriptions[i].life = kAlive;
    state.store.subscriptions[i].may_send = !bounds_.start_paused;
  }
  Recover(&state);
  return state;
}

void Machine::Publish(const State& state, std::vector<Step>* steps) const {
  if (state.store.head == bounds_.events || state.to_shard.Full()) return;
  State next = state;
  const uint8_t seq = ++next.store.head;
  next.store.log_id[seq] = seq;
  next.publisher.acknowledged |= Bit(seq);
  next.to_shard.Push({kHead, seq, 0, 0});
  Add(next, "append", 0, seq, steps);
}

// The same in three steps: submit, commit, hear of it. A publisher that has not heard publishes the
// same id again.
void Machine::PublishWithLostAcks(const State& state, std::vector<Step>* steps) const {
  const Publisher& publisher = state.publisher;
  State next = state;
  if (publisher.pending == 0) {
    const int id = Lowest(Range(1, bounds_.events) & ~publisher.acknowledged, 0);
    if (id == 0) return;
    next.publisher.pending = id;
    return Add(next, "submit", 0, id, steps);
  }
  const Mask id_bit = Bit(publisher.pending);
  if (publisher.committed || !On(Rule::kL2AckAfterCommit)) {
    if (!Has(publisher.acknowledged, publisher.pending)) {
      next.publisher = {};
      if (!publisher.committed) next.publisher.pending = publisher.pending;
      next.publisher.acknowledged = publisher.acknowledged | id_bit;
      Add(next, "acknowledge", 0, publisher.pending, steps);
    }
    next = state;
    next.publisher.pending = 0;
    next.publisher.committed = 0;
    if (publisher.committed) Add(next, "lose the answer", 0, publisher.pending, steps);
  }
  if (publisher.committed || state.to_shard.Full()) return;
  next = state;
  bool known = false;
  for (int seq = 1; seq <= state.store.head; ++seq) {
    known = known || state.store.log_id[seq] == publisher.pending;
  }
  next.publisher.committed = 1;
  if (known && On(Rule::kL5KnownIdIsDuplicate)) {
    return Add(next, "commit a duplicate", 0, publisher.pending, steps);
  }
  if (state.store.head == kEventsMax) return;
  const uint8_t seq = ++next.store.head;
  next.store.log_id[seq] = publisher.pending;
  next.to_shard.Push({kHead, seq, 0, 0});
  Add(next, "append", 0, seq, steps);
}

void Machine::Configure(const State& state, std::vector<Step>* steps) const {
  if (state.configured == bounds_.script.size()) return;
  const Change change = bounds_.script[state.configured];
  const bool late = !On(Rule::kC1ConfigurationInOrder);
  if (state.to_shard.Full() || state.store_to_queue[change.subscription].Full()) return;
  State next = state;
  ++next.configured;
  StoredSubscription& stored = next.store.subscriptions[change.subscription];
  Message message{kNoMessage, change.subscription, 0, 0};
  switch (change.kind) {
    case Change::kCreate:
    case Change::kCreatePaused:
      stored.life = kAlive;
      stored.may_send = change.kind == Change::kCreate;
      stored.true_start = next.store.head;
      stored.start_seq = On(Rule::kC2StartSeq) ? next.store.head : 0;
      message.kind = kCreated;
      break;
    case Change::kDelete:
      stored = {};
      stored.life = kDeleted;
      message.kind = kRemoved;
      break;
    case Change::kPause:
    case Change::kResume:
      stored.may_send = change.kind == Change::kResume;
      message.kind = stored.may_send ? kResumed : kPaused;
      break;
  }
  message.b = stored.may_send;
  if (late) {
    next.configuration.Push(message);
  } else {
    next.to_shard.Push(message);
  }
  next.store_to_queue[change.subscription].Push(message);
  Add(next, "configure", change.subscription, 0, steps);
  steps->back().driven = false;
}

// An owner gives up what waits.
void Machine::Purge(const State& state, std::vector<Step>* steps) const {
  if (!bounds_.purge) return;
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const int seq = Lowest(state.store.subscriptions[i].waiting, 0);
    if (seq == 0) continue;
    State next = state;
    next.store.subscriptions[i].waiting &= ~Bit(seq);
    next.store.subscriptions[i].purged |= Bit(seq);
    Add(next, "purge", i, seq, steps);
    steps->back().driven = false;
  }
}

void Machine::Crash(const State& state, std::vector<Step>* steps) const {
  if (state.crashes == bounds_.crashes) return;
  State next{};
  next.store = state.store;
  next.crashes = state.crashes + 1;
  next.failures = state.failures;
  next.configured = state.configured;
  next.publisher.acknowledged = state.publisher.acknowledged;
  Recover(&next);
  Add(next, "crash", 0, 0, steps);
  steps->back().driven = false;
}

// Reads positions, rows and exceptions, as a started process does. The log is read later, by
// fan-out and by readers.
void Machine::Recover(State* state) const {
  const Store& store = state->store;
  state->shard.window_first = store.cursor + 1;
  state->shard.handed_head = store.head;
  state->shard.fanned = store.cursor;
  state->shard.cursor = store.cursor;
  state->shard.cursor_out = store.cursor;
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const StoredSubscription& stored = store.subscriptions[i];
    ShardSubscription& member = state->shard.subscriptions[i];
    Queue& queue = state->queues[i];
    member.life = queue.life = stored.life;
    if (stored.life != kAlive) continue;
    member.may_send = queue.may_send = stored.may_send;
    queue.armed = stored.waiting != 0;
    if (stored.row) {
      queue.mode = kReading;
      queue.scan = stored.next_seq;
      queue.preset = stored.bits;
      continue;
    }
    member.membership = kMember;
    if (On(Rule::kR1SettledIsSkipped)) {
      const Mask seen = stored.settled & ~stored.hidden;
      member.skip = seen & Range(store.cursor + 1, kEventsMax);
    }
  }
}

}  // namespace postrider::model
