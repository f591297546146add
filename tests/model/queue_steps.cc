// A subscription's loop: what it hears, and how it reads, leaves and rejoins.
#include <algorithm>

#include "tests/model/machine.h"

namespace postrider::model {

void Machine::QueueHears(const State& state, int subscription, std::vector<Step>* steps) const {
  if (state.store_to_queue[subscription].size > 0) {
    State next = state;
    const Message message = next.store_to_queue[subscription].Take();
    const bool commit = message.kind == kOutcomesCommitted || message.kind == kLeaveCommitted ||
                        message.kind == kRowsPurged || message.kind == kCleared;
    const bool room = !state.queue_to_shard[subscription].Full() &&
                      (On(Rule::kE4ReleaseInSameBatch) || !state.commits.Full());
    if (!commit || room) {
      if (commit) {
        HearCommit(subscription, message, &next);
      } else {
        HearConfiguration(subscription, message, &next);
      }
      Add(next, "queue hears the store", subscription, message.kind, steps);
    }
  }
  if (state.shard_to_queue[subscription].size == 0) return;
  State next = state;
  const Message message = next.shard_to_queue[subscription].Take();
  if (!HearFromShard(subscription, message, &next)) return;
  const Queue& queue = state.queues[subscription];
  Add(next, "queue hears the shard", subscription, message.kind, steps);
  if (message.kind == kPair && queue.life == kAlive && queue.mode != kTail) {
    steps->back().violation = "a pair came to a queue that is not on the tail";
  }
}

void Machine::HearConfiguration(int subscription, const Message& message, State* state) const {
  Queue& queue = state->queues[subscription];
  if (message.kind == kRemoved) {
    queue = {};
    queue.life = kDeleted;
    return;
  }
  queue.life = kAlive;
  queue.may_send = message.b;
  if (message.kind == kCreated && message.c != 0) {
    queue.mode = kReading;
    queue.scan = message.c;
  }
  if (IsReplay(subscription)) queue.end = message.a;
}

void Machine::HearCommit(int subscription, const Message& message, State* state) const {
  Queue& queue = state->queues[subscription];
  if (queue.life != kAlive) return;
  if (message.kind == kCleared) {
    queue.cleared |= message.c;
    state->ghosts[subscription].cleared |= message.c;
    const Mask dropped = (queue.waiting | queue.held) & message.c;
    queue.waiting &= ~dropped;
    queue.held &= ~dropped;
    if (On(Rule::kC4DropFreesKey)) Promote(&queue);
    return TellDropped(dropped, subscription, state);
  }
  auto& channel = state->queue_to_shard[subscription];
  if (message.kind == kLeaveCommitted) {
    queue.mode = kReading;
    return channel.Push({kLeft, 0, 0, 0});
  }
  if (message.kind == kRowsPurged) {
    Forget(Lowest(message.a, 0), &queue);
    if (!On(Rule::kE4RowsNotReread)) {
      const StoredSubscription& stored = state->store.subscriptions[subscription];
      queue.rows = stored.waiting | stored.parked;
    }
    if (message.b != 0) queue.armed = 1;
    return Promote(&queue);
  }
  queue.submitted &= ~message.a;
  const Mask lived = On(Rule::kE4FreedByItsDeath) ? message.b : Mask{0};
  queue.dying &= ~((message.a & ~lived) | message.c);
  Promote(&queue);
  if (!On(Rule::kE4ReleaseInSameBatch) && message.c != 0) {
    Batch release{};
    release.kind = kRelease;
    release.subscription = subscription;
    release.parked = message.c;
    state->commits.Push(release);
  }
  queue.retry_submitted &= ~message.c;
  if (queue.loading) queue.resolved |= message.c;
  if (message.b != 0 && On(Rule::kE2WakeAfterCommit)) queue.armed = 1;
  const bool asking = queue.mode == kAsking && On(Rule::kR4NoticesWhileAsking);
  const bool tells = On(Rule::kR2CursorAfterCommit) && On(Rule::kR2NoticeThroughQueue);
  if (message.a != 0 && (queue.mode == kTail || asking) && tells) {
    channel.Push({kSettled, message.a, 0, 0});
  }
}

// What a purge mark covers is settled without a record: the mark is one.
void Machine::TellDropped(Mask dropped, int subscription, State* state) const {
  const Queue& queue = state->queues[subscription];
  const bool tells = queue.mode == kTail || queue.mode == kAsking;
  if (dropped == 0 || !tells || !On(Rule::kC4DroppedIsTold)) return;
  state->queue_to_shard[subscription].Push({kSettled, dropped, 0, 0});
}

// False if there is no room for what follows from it yet.
bool Machine::HearFromShard(int subscription, const Message& message, State* state) const {
  Queue& queue = state->queues[subscription];
  if (queue.life == kDeleted || queue.life == kEnded) return true;
  if (queue.life == kAbsent) {
    if (!On(Rule::kC1PairMakesQueue)) return true;
    queue.life = kAlive;
    queue.may_send = message.b;
  }
  switch (message.kind) {
    case kPair:
      if (Has(queue.cleared, message.a) && On(Rule::kC4ArrivalsJudged)) {
        if (state->queue_to_shard[subscription].Full()) return false;
        TellDropped(Bit(message.a), subscription, state);
        return true;
      }
      Arrive(message.a, &queue);
      return bounds_.gather || queue.parked == 0 || FlushInto(subscription, state);
    case kLeaveAt:
      queue.scan = message.a;
      queue.preset = message.c;
      queue.want_leave = 0;
      return SubmitLeave(subscription, state);
    case kGranted:
      if (state->commits.Full()) return false;
      queue.mode = kTail;
      queue.scan = queue.preset = 0;
      if (!On(Rule::kR4EraseBeforeOutcomes)) {
        queue.erase_owed = 1;
      } else if (On(Rule::kR4EraseAfterGrant)) {
        SubmitErase(subscription, state);
      }
      return true;
    case kRefused: queue.mode = kReading; return true;
    default: return true;
  }
}

bool Machine::SubmitLeave(int subscription, State* state) const {
  if (!FlushInto(subscription, state) || state->commits.Full()) return false;
  Queue& queue = state->queues[subscription];
  queue.mode = kLeavingTail;
  Batch batch{};
  batch.kind = kLeave;
  batch.subscription = subscription;
  FillRow(queue, &batch);
  if (!On(Rule::kR3LowestUnsettled)) {
    batch.next_seq = queue.scan;
    batch.bits = 0;
  }
  state->commits.Push(batch);
  return true;
}

void Machine::SubmitErase(int subscription, State* state) const {
  Batch batch{};
  batch.kind = kErase;
  batch.subscription = subscription;
  state->commits.Push(batch);
  state->queues[subscription].erase_owed = 0;
}

void Machine::EraseLate(const State& state, int subscription, std::vector<Step>* steps) const {
  if (!state.queues[subscription].erase_owed || state.commits.Full()) return;
  State next = state;
  SubmitErase(subscription, &next);
  Add(next, "erase the row late", subscription, 0, steps);
}

// A replay has sent all it was to send. What it has submitted commits before this.
void Machine::End(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  if (queue.end == 0 || queue.scan <= queue.end || state.commits.Full()) return;
  if ((queue.Unsettled() | queue.Settling() | queue.Retried()) != 0) return;
  if (queue.rows != 0 && On(Rule::kC5OwesItsExceptions)) return;
  State next = state;
  next.queues[subscription] = {};
  next.queues[subscription].life = kEnded;
  Batch end{};
  end.kind = kEnd;
  end.subscription = subscription;
  next.commits.Push(end);
  Add(next, "end the replay", subscription, 0, steps);
}

// The reader's position, given that all its outcomes have been submitted or are in the same batch.
void Machine::FillRow(const Queue& queue, Batch* batch) const {
  const Mask unsettled = queue.Unsettled();
  batch->row = 1;
  batch->next_seq = std::min<int>(Lowest(unsettled, queue.scan), queue.scan);
  batch->bits = Range(batch->next_seq, queue.scan - 1) & ~unsettled;
  if (On(Rule::kR3BitsAboveScanKept)) batch->bits |= queue.preset;
  batch->bits &= Range(batch->next_seq, batch->next_seq + bounds_.window - 1);
}

// A page of one event.
void Machine::Read(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  const bool frozen = queue.mode == kAsking && On(Rule::kR4ScanFrozen);
  if (queue.mode == kTail || frozen || !queue.may_send || queue.scan > state.store.head) return;
  if (Stopped(queue)) return;
  if (queue.end != 0 && queue.scan > queue.end && On(Rule::kC5StopsAtItsEnd)) return;
  const int lowest = std::min<int>(Lowest(queue.Unsettled(), queue.scan), queue.scan);
  if (On(Rule::kR3ScanWithinWindow) && queue.scan >= lowest + bounds_.window) return;
  const bool gone = queue.scan < state.store.first;
  if (gone && !On(Rule::kC7ReadersJump)) return;  // There is nothing to be read.
  State next = state;
  Queue& reader = next.queues[subscription];
  const int seq = reader.scan++;
  const Mask cleared = On(Rule::kC4ReadersJudge) ? queue.cleared : Mask{0};
  const bool known = Has(reader.preset | reader.Unsettled(), seq);
  reader.preset &= ~Bit(seq);
  if (!known && !gone && Owed(state, subscription, seq, cleared)) Arrive(seq, &reader);
  if (!bounds_.gather && reader.parked != 0 && !FlushInto(subscription, &next)) return;
  Add(next, "read", subscription, seq, steps);
}

void Machine::Ask(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  if (queue.mode != kReading || !queue.may_send || queue.end != 0) return;
  const Mask above = queue.preset | (queue.Unsettled() & Range(queue.scan, kEventsMax));
  if (above != 0 && On(Rule::kR4NothingAboveScan)) return;
  if (state.queue_to_shard[subscription].Full() || state.commits.Full()) return;
  State next = state;
  next.queues[subscription].mode = kAsking;
  const Mask unsettled = queue.Unsettled() | queue.Settling() | queue.submitted;
  next.queue_to_shard[subscription].Push({kAsk, queue.scan, unsettled, 0});
  if (!On(Rule::kR4EraseAfterGrant)) SubmitErase(subscription, &next);
  Add(next, "ask to rejoin", subscription, queue.scan, steps);
}

// A reader's pairs are forgotten, to be read again.
void Machine::Unload(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  if (!bounds_.unloads || (queue.waiting | queue.held) == 0) return;
  if (queue.mode != kReading && queue.mode != kLeavingTail) return;
  State next = state;
  Queue& reader = next.queues[subscription];
  reader.scan = std::min<int>(queue.scan, Lowest(queue.waiting | queue.held, 0));
  reader.waiting = reader.held = 0;
  if (On(Rule::kR3UnloadedKeepsBits)) {
    reader.preset |= Range(reader.scan, queue.scan - 1) & ~queue.Unsettled();
  }
  Add(next, "unload", subscription, reader.scan, steps);
  steps->back().driven = false;
}

// The queue is over its budget.
void Machine::WantLeave(const State& state, int subscription, std::vector<Step>* steps) const {
  const Queue& queue = state.queues[subscription];
  if (!Has(bounds_.leavers, subscription) || queue.mode != kTail) return;
  if ((queue.waiting | queue.held) == 0 || queue.want_leave) return;
  if (state.queue_to_shard[subscription].Full()) return;
  State next = state;
  next.queues[subscription].want_leave = 1;
  next.queue_to_shard[subscription].Push({kWantLeave, 0, 0, 0});
  Add(next, "wants to leave", subscription, 0, steps);
  steps->back().driven = false;
}

}  // namespace postrider::model
