// What happens to the engine: publishers, changes of the configuration, crashes.
#include <algorithm>
#include <iterator>

#include "tests/model/machine.h"

namespace postrider::model {
namespace {

void Remove(StoredSubscription* stored) {
  *stored = {};
  stored->life = kDeleted;
}

}  // namespace

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
  if (change.kind == Change::kReplay && state.store.head == 0) return;
  State next = state;
  ++next.configured;
  const Message message = Write(change, &next.store);
  if (IsReplay(change.subscription)) {
    // The shard has nothing to do with it.
  } else if (late) {
    next.configuration.Push(message);
  } else {
    next.to_shard.Push(message);
  }
  next.store_to_queue[change.subscription].Push(message);
  Add(next, "configure", change.subscription, 0, steps);
  steps->back().driven = false;
}

// What a change makes of the store, and what is said of it.
Message Machine::Write(const Change& change, Store* store) const {
  StoredSubscription& stored = store->subscriptions[change.subscription];
  Message message{kNoMessage, change.subscription, 0, 0};
  switch (change.kind) {
    case Change::kCreate:
    case Change::kCreatePaused:
      stored.life = kAlive;
      stored.may_send = change.kind == Change::kCreate;
      stored.true_start = store->head;
      stored.start_seq = On(Rule::kC2StartSeq) ? store->head : 0;
      message.kind = kCreated;
      break;
    case Change::kCreateInThePast:
      stored.life = kAlive;
      stored.may_send = 1;
      message.kind = kCreated;
      message.c = store->head == 0 ? 0 : 1;
      stored.row = stored.next_seq = On(Rule::kC2RowWithCreation) ? message.c : 0;
      break;
    case Change::kDelete:
      message.kind = kRemoved;
      Remove(&stored);
      break;
    case Change::kPause:
    case Change::kResume:
      stored.may_send = change.kind == Change::kResume;
      message.kind = stored.may_send ? kResumed : kPaused;
      break;
    case Change::kPurge:
      message.kind = kCleared;
      message.c = Range(1, store->head) & bounds_.covered;
      if (On(Rule::kC4MarkCommitsFirst)) stored.mark |= message.c;
      stored.cleared |= stored.mark;
      break;
    case Change::kReplay: StartReplay(store->head, &stored, &message); break;
    case Change::kCancel:
      message.kind = kRemoved;
      if (stored.life != kEnded) Remove(&stored);
      break;
  }
  message.b = stored.may_send;
  return message;
}

// A reader of all there is now, with an end.
void Machine::StartReplay(uint8_t head, StoredSubscription* stored, Message* message) const {
  stored->life = kAlive;
  stored->may_send = 1;
  stored->row = stored->next_seq = 1;
  stored->end = head;
  *message = {kCreated, head, 0, 1};
}

// The oldest event goes, in one transaction with what that means to readers and exceptions.
void Machine::Retain(const State& state, std::vector<Step>* steps) const {
  const int gone = std::max<int>(state.store.first, 1);
  const int last = On(Rule::kC7NotAboveCursor) ? state.store.cursor : state.store.head;
  if (!bounds_.retention || gone > last) return;
  State next = state;
  next.store.first = gone + 1;
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    StoredSubscription& stored = next.store.subscriptions[i];
    if (stored.life != kAlive) continue;
    if (stored.row) {
      stored.expired |= Range(stored.next_seq, gone) & bounds_.wanted[i] & ~stored.settled;
      if (On(Rule::kC7ReadersJump)) {
        stored.next_seq = std::max<int>(stored.next_seq, next.store.first);
        stored.bits &= Range(stored.next_seq, kEventsMax);
      }
    }
    if (!On(Rule::kC7ExceptionsExpire)) continue;
    const Mask ended = Expire(i, &next.store);
    if (ended == 0 || KeyOf(gone) == 0) continue;
    const Mask released = On(Rule::kC7ReleasesNext) ? Release(ended, &stored) : Mask{0};
    if (next.store_to_queue[i].Full()) return;
    next.store_to_queue[i].Push({kRowsPurged, ended, released, 0});
  }
  Add(next, "delete the oldest event", 0, gone, steps);
  steps->back().driven = false;
}

// Exceptions of events that are gone become dead letters without a body. Returns which.
Mask Machine::Expire(int subscription, Store* store) const {
  StoredSubscription& stored = store->subscriptions[subscription];
  const Mask ended = (stored.waiting | stored.parked) & Range(1, store->first - 1);
  stored.waiting &= ~ended;
  stored.parked &= ~ended;
  stored.expired |= ended;
  return ended;
}

// An owner gives up what waits.
void Machine::Purge(const State& state, std::vector<Step>* steps) const {
  if (!bounds_.purge && state.configured == 0) return;
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const StoredSubscription& stored = state.store.subscriptions[i];
    for (int seq = 1; seq <= state.store.head; ++seq) {
      if (!Has(stored.waiting | stored.parked, seq)) continue;
      if (!bounds_.purge && !Has(stored.cleared, seq)) continue;
      State next = state;
      if (!PurgeRow(i, seq, &next)) continue;
      Add(next, "purge", i, seq, steps);
      steps->back().driven = false;
    }
  }
}

// A mark that all positions have passed is given up. Who has heard of it goes on with it.
void Machine::GiveUpMark(const State& state, std::vector<Step>* steps) const {
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const StoredSubscription& stored = state.store.subscriptions[i];
    if (stored.mark == 0) continue;
    const bool cursor = stored.mark >> (state.store.cursor + 1) != 0;
    const bool row = stored.row && stored.mark >> stored.next_seq != 0;
    const bool at_cursor = !stored.row || On(Rule::kC4MarkUntilCursor);
    if (row || (at_cursor && cursor)) continue;
    State next = state;
    next.store.subscriptions[i].mark = 0;
    Add(next, "give up the mark", i, 0, steps);
    steps->back().driven = false;
  }
}

// False if it must not be, or there is no room for the notice.
bool Machine::PurgeRow(int subscription, int seq, State* state) const {
  StoredSubscription& stored = state->store.subscriptions[subscription];
  auto& channel = state->store_to_queue[subscription];
  if (channel.Full()) return false;
  const bool says_settled =
      Has(stored.untried, seq) && seq > state->store.cursor && !Has(stored.mark, seq);
  if (says_settled && On(Rule::kC4UntriedRowsStay)) return false;
  stored.waiting &= ~Bit(seq);
  stored.parked &= ~Bit(seq);
  stored.untried &= ~Bit(seq);
  stored.purged |= Bit(seq);
  if (KeyOf(seq) == 0) return true;
  const Mask released = On(Rule::kC4PurgeReleasesNext) ? Release(Bit(seq), &stored) : Mask{0};
  if (On(Rule::kE4PurgeIsHeard)) channel.Push({kRowsPurged, Bit(seq), released, 0});
  return true;
}

void Machine::Crash(const State& state, std::vector<Step>* steps) const {
  if (state.crashes == bounds_.crashes) return;
  State next = Restarted(state);
  if (!On(Rule::kE8OwnSignalsOnly)) next.quarantine.note = OnTheWire(state);
  Add(next, "crash", 0, 0, steps);
  steps->back().driven = false;
}

// What is left when the process has died.
State Machine::Restarted(const State& state) const {
  State next{};
  next.store = state.store;
  next.crashes = state.crashes + 1;
  next.failures = state.failures;
  next.configured = state.configured;
  next.publisher.acknowledged = state.publisher.acknowledged;
  next.quarantine = state.quarantine;
  next.quarantine.phase = bounds_.deadly != 0 ? kCounting : kStarted;
  std::copy(std::begin(state.ghosts), std::end(state.ghosts), next.ghosts);
  if (bounds_.deadly == 0) Recover(&next);
  return next;
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
    queue.life = stored.life;
    queue.end = stored.end;
    if (IsReplay(i)) {
      queue.rows = stored.waiting;
    } else {
      member.life = stored.life;
    }
    if (stored.life != kAlive) continue;
    state->ghosts[i].cleared = stored.cleared;
    if (On(Rule::kC4MarkKnownAtStart)) member.cleared = queue.cleared = stored.mark;
    member.may_send = queue.may_send = stored.may_send;
    queue.armed = stored.waiting != 0;
    if (On(Rule::kE4BlockedKeysKnown) && On(Rule::kE4FailureBlocksKey)) {
      for (const Mask key : bounds_.keys) queue.rows |= (stored.waiting | stored.parked) & key;
    }
    if (stored.row) {
      queue.mode = kReading;
      queue.scan = stored.next_seq;
      queue.preset = stored.bits;
      continue;
    }
    member.membership = kMember;
    if (On(Rule::kR1SettledIsSkipped)) {
      Mask seen = stored.settled & ~stored.hidden;
      if (On(Rule::kE4ParkedSettles)) seen |= stored.untried;
      member.skip = seen & Range(store.cursor + 1, kEventsMax);
    }
  }
}

}  // namespace postrider::model
