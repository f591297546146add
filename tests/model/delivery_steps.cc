// A subscription's loop: POSTs, answers, retries.
#include "tests/model/machine.h"

namespace postrider::model {
namespace {

// R7: no exchange starts while this many batches are uncommitted.
constexpr int kCommitsMaxToSend = 2;

Mask Gathered(const Queue& queue) { return queue.Settling() | queue.still_owed | queue.Retried(); }

}  // namespace

void Machine::Send(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  if (!queue.may_send || state.commits.size > kCommitsMaxToSend) return;
  const StoredSubscription& stored = state.store.subscriptions[subscription];
  const Mask on_wire = queue.wire | queue.retry_wire;
  if (queue.waiting != 0 && __builtin_popcount(on_wire) < bounds_.wire) {
    const int seq = Lowest(queue.waiting, 0);
    State next = state;
    next.queues[subscription].waiting &= ~Bit(seq);
    next.queues[subscription].wire |= Bit(seq);
    Add(next, "POST", subscription, seq, steps);
    const Mask answered = queue.Settling() | queue.submitted | stored.delivered | stored.waiting |
                          stored.parked | stored.dead;
    if (Has(answered | on_wire, seq)) steps->back().violation = "a pair was sent twice";
    Observe(state, subscription, seq, &steps->back());
    if (stored.end != 0 && seq > stored.end) {
      steps->back().violation = "a replay went past its end";
    }
    if (Has(state.ghosts[subscription].cleared, seq)) {
      steps->back().violation = "a purged pair was sent";
    }
    if (stored.life == kAlive && seq <= stored.true_start) {
      steps->back().violation = "a pair below start_seq was sent";
    }
  }
  if (queue.loaded != 0 && __builtin_popcount(on_wire) < bounds_.wire) {
    const int seq = Lowest(queue.loaded, 0);
    State next = state;
    next.queues[subscription].loaded &= ~Bit(seq);
    next.queues[subscription].retry_wire |= Bit(seq);
    Add(next, "POST again", subscription, seq, steps);
    const Mask answered = queue.Retried() | queue.retry_submitted | stored.delivered | stored.dead;
    if (Has(answered | on_wire, seq)) steps->back().violation = "a retry was sent twice";
    Observe(state, subscription, seq, &steps->back());
  }
}

void Machine::Answer(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  for (int seq = 1; seq <= kEventsMax; ++seq) {
    if (!Has(queue.wire, seq)) continue;
    State next = state;
    Queue& answered = next.queues[subscription];
    answered.wire &= ~Bit(seq);
    answered.delivered |= Bit(seq);
    const bool above = queue.mode != kTail && seq >= queue.scan;
    if (above && On(Rule::kR3AnswerAboveScanKept)) answered.preset |= Bit(seq);
    AddAnswer(next, "answer 200", subscription, seq, steps);
    if (state.failures == bounds_.failures) continue;
    ++next.failures;
    answered.delivered &= ~Bit(seq);
    answered.excepted |= Bit(seq);
    AddAnswer(next, "answer 500", subscription, seq, steps);
    answered.excepted &= ~Bit(seq);
    if (bounds_.first_deaths) {
      State last = next;
      last.queues[subscription].dead |= Bit(seq);
      AddAnswer(last, "answer 500 to the last attempt", subscription, seq, steps);
    }
    if (!bounds_.throttles) continue;
    answered.still_owed |= Bit(seq);
    answered.waiting |= Bit(seq);
    answered.preset &= ~Bit(seq);
    AddAnswer(next, "answer 429", subscription, seq, steps);
  }
}

// The second attempt is the last of the schedule, where bounds do not say otherwise.
void Machine::AnswerRetry(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  for (int seq = 1; seq <= kEventsMax; ++seq) {
    if (!Has(queue.retry_wire, seq)) continue;
    State next = state;
    Queue& answered = next.queues[subscription];
    answered.retry_wire &= ~Bit(seq);
    answered.retry_delivered |= Bit(seq);
    AddAnswer(next, "answer a retry 200", subscription, seq, steps);
    if (state.failures == bounds_.failures) continue;
    ++next.failures;
    answered.retry_delivered &= ~Bit(seq);
    answered.retry_dead |= Bit(seq);
    AddAnswer(next, "answer a retry 500", subscription, seq, steps);
    if (!bounds_.retries_fail) continue;
    answered.retry_dead &= ~Bit(seq);
    answered.retry_failed |= Bit(seq);
    AddAnswer(next, "answer a retry 500, not the last", subscription, seq, steps);
  }
}

void Machine::AddAnswer(State next, const char* name, int subscription, int seq,
                        std::vector<Step>* steps) const {
  Queue& queue = next.queues[subscription];
  Order(seq, subscription, &next);
  if (!On(Rule::kR2CursorAfterCommit) && Has(queue.Settling(), seq)) {
    if (next.queue_to_shard[subscription].Full()) return;
    next.queue_to_shard[subscription].Push({kSettled, Bit(seq), 0, 0});
  }
  if (bounds_.gather || FlushInto(subscription, &next)) Add(next, name, subscription, seq, steps);
}

void Machine::Flush(const State& state, int subscription, std::vector<Step>* steps) const {
  if (Gathered(state.queues[subscription]) == 0) return;
  State next = state;
  if (FlushInto(subscription, &next)) Add(next, "submit outcomes", subscription, 0, steps);
}

// Submits what has been gathered. False if the commit queue has no room.
bool Machine::FlushInto(int subscription, State* state) const {
  Queue& queue = state->queues[subscription];
  if (Gathered(queue) == 0) return true;
  if (state->commits.Full(On(Rule::kR3RowWithOutcomes) && On(Rule::kR2ExceptionWithAttempt) ? 1
                                                                                            : 2)) {
    return false;
  }
  Batch batch{};
  batch.kind = kOutcomes;
  batch.subscription = subscription;
  batch.delivered = queue.delivered;
  batch.excepted = queue.excepted;
  batch.still_owed = queue.still_owed;
  batch.retry_delivered = queue.retry_delivered;
  batch.retry_dead = queue.retry_dead;
  batch.retry_failed = queue.retry_failed;
  batch.parked = queue.parked;
  batch.dead = queue.dead;
  const bool reader = queue.mode != kTail;
  if (reader && On(Rule::kR3RowWithOutcomes)) FillRow(queue, &batch);
  state->commits.Push(batch);
  if (reader && !On(Rule::kR3RowWithOutcomes)) {
    Batch position{};
    position.kind = kPosition;
    position.subscription = subscription;
    FillRow(queue, &position);
    state->commits.Push(position);
  }
  if (queue.excepted != 0 && !On(Rule::kR2ExceptionWithAttempt)) {
    Batch exceptions{};
    exceptions.kind = kExceptions;
    exceptions.subscription = subscription;
    exceptions.excepted = queue.excepted;
    state->commits.Push(exceptions);
  }
  if (queue.excepted != 0 && !On(Rule::kE2WakeAfterCommit)) queue.armed = 1;
  queue.submitted |= queue.Settling();
  queue.retry_submitted |= queue.Retried();
  queue.delivered = queue.excepted = queue.parked = queue.dead = queue.still_owed = 0;
  queue.retry_delivered = queue.retry_dead = queue.retry_failed = 0;
  return true;
}

// Exceptions are read in two steps: what is read may be out of date when it arrives.
void Machine::Load(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  State next = state;
  Queue& loader = next.queues[subscription];
  if (!queue.loading) {
    if (!queue.armed || !queue.may_send) return;
    loader.loading = 1;
    loader.armed = 0;
    loader.snapshot = state.store.subscriptions[subscription].waiting &
                      ~Range(1, state.store.first - 1);  // The others have no body.
    return Add(next, "read exceptions", subscription, 0, steps);
  }
  Mask rows = queue.snapshot;
  if (On(Rule::kE2BusyRowsNotLoaded)) {
    rows &= ~(queue.loaded | queue.retry_wire | queue.Retried() | queue.retry_submitted);
  }
  if (On(Rule::kE2StaleRowsNotLoaded)) rows &= ~queue.resolved;
  loader.loaded |= rows;
  loader.loading = loader.snapshot = loader.resolved = 0;
  Add(next, "load exceptions", subscription, 0, steps);
}

}  // namespace postrider::model
