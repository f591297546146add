// Order by key (E4) and strict order (E5): what is ready, held, parked and released.
#include "tests/model/machine.h"

namespace postrider::model {

// The events of `seq`'s key; none if it has no key.
Mask Machine::KeyOf(int seq) const {
  for (const Mask key : bounds_.keys) {
    if (Has(key, seq)) return key;
  }
  return 0;
}

// A pair has come to the queue, from the shard or from the log.
void Machine::Arrive(int seq, Queue* queue) const {
  const Mask key = KeyOf(seq);
  const Mask rows = queue->rows & key;
  const Mask busy = (queue->waiting | queue->wire | queue->dying) & key;
  if (rows != 0 && __builtin_popcount(rows) <= bounds_.parked_max &&
      ((queue->held & key) == 0 || !On(Rule::kE4HeldBeforeArrivals))) {
    queue->parked |= Bit(seq);
    queue->rows |= Bit(seq);
  } else if (rows != 0 || (busy != 0 && On(Rule::kE4OnePerKey))) {
    queue->held |= Bit(seq);
  } else {
    queue->waiting |= Bit(seq);
  }
}

// Held events become rows behind an exception of their key, as many as may be parked.
void Machine::ParkHeld(Mask key, Queue* queue) const {
  while ((queue->held & key) != 0 && __builtin_popcount(queue->rows & key) <= bounds_.parked_max) {
    const Mask next = Bit(Lowest(queue->held & key, 0));
    queue->held &= ~next;
    queue->parked |= next;
    queue->rows |= next;
  }
}

// The next event of each key that is free becomes ready.
void Machine::Promote(Queue* queue) const {
  for (const Mask key : bounds_.keys) {
    const Mask busy = queue->waiting | queue->wire | queue->dying | queue->rows;
    if ((queue->held & key) == 0 || (busy & key) != 0) continue;
    const Mask next = Bit(Lowest(queue->held & key, 0));
    queue->held &= ~next;
    queue->waiting |= next;
  }
}

// An exception has ended. It may have done so twice: answered and purged.
void Machine::Forget(int seq, Queue* queue) const {
  Mask gone = Bit(seq);
  if (!On(Rule::kE4RowsCountedOnce) && !Has(queue->rows, seq)) {
    gone = Bit(Lowest(queue->rows & KeyOf(seq), 0));
  }
  queue->rows &= ~gone;
}

// What the answer for `seq` means to its key.
void Machine::Order(int seq, int subscription, State* state) const {
  const Mask key = KeyOf(seq);
  Queue& queue = state->queues[subscription];
  if (IsReplay(subscription)) {  // It has no order, but knows what it owes.
    if (Has(queue.excepted, seq)) queue.rows |= Bit(seq);
    if (Has(queue.retry_delivered | queue.retry_dead, seq)) queue.rows &= ~Bit(seq);
    return;
  }
  if (key == 0) return;
  if (Has(queue.delivered | queue.retry_delivered, seq)) {
    state->ghosts[subscription].answered |= Bit(seq);
  }
  if (Has(queue.retry_delivered | queue.retry_dead, seq)) Forget(seq, &queue);
  if (Has(queue.excepted, seq) && On(Rule::kE4FailureBlocksKey)) queue.rows |= Bit(seq);
  if (Has(queue.dead | queue.retry_dead, seq) && On(Rule::kE4DeadKeepsKey)) {
    queue.dying |= Bit(seq);
  }
  if ((queue.rows & key) != 0) ParkHeld(key, &queue);
  Promote(&queue);
}

// E5: whether something is held that can't be parked. Then a reader reads no further.
bool Machine::Stopped(const Queue& queue) const {
  for (const Mask key : bounds_.keys) {
    if ((queue.held & key) != 0 && (queue.rows & key) != 0) return true;
  }
  return false;
}

// The store's part: of each key touched, the lowest parked row is due at once if none waits.
Mask Machine::Release(Mask touched, StoredSubscription* stored) const {
  Mask released = 0;
  for (const Mask key : bounds_.keys) {
    if ((touched & key) == 0 || (stored->parked & key) == 0) continue;
    if ((stored->waiting & key) != 0 && On(Rule::kE4ReleaseIfNoneWaits)) continue;
    const Mask next = Bit(Lowest(stored->parked & key, 0));
    stored->parked &= ~next;
    stored->waiting |= next;
    released |= next;
  }
  return released;
}

// Watches an exchange: no event is sent for the first time before the one ahead of it in its key is
// delivered, or its dead letter has committed. A crash may repeat an older one.
void Machine::Observe(const State& before, int subscription, int seq, Step* step) const {
  if (Has(bounds_.deadly, seq) && before.quarantine.died >= kDeathsMax) {
    step->violation = "what kills the process was sent again";
  }
  if (KeyOf(seq) == 0) return;
  Ghost& ghost = step->state.ghosts[subscription];
  ghost.sent |= Bit(seq);
  if (Has(before.ghosts[subscription].sent, seq)) return;
  const StoredSubscription& stored = before.store.subscriptions[subscription];
  const Mask gone = ghost.answered | stored.dead | stored.purged | stored.cleared | stored.expired;
  const Mask ahead = KeyOf(seq) & Range(stored.true_start + 1, seq - 1);
  if ((ahead & bounds_.wanted[subscription] & ~gone) != 0) {
    step->violation = "an event was sent before the one ahead of it in its key";
  }
}

}  // namespace postrider::model
