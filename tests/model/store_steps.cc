// What the store does with batches, and whom it tells.
#include <algorithm>

#include "tests/model/machine.h"

namespace postrider::model {

// One batch commits at a time: wherever a group ends, a crash may follow.
void Machine::Commit(const State& state, std::vector<Step>* steps) const {
  const int choices = On(Rule::kR2OrderAfterFailure) ? 1 : 2;
  for (int i = 0; i < std::min<int>(choices, state.commits.size); ++i) {
    State next = state;
    const Batch batch = next.commits.Take(i);
    if (!Apply(batch, &next)) continue;
    static constexpr const char* kNames[] = {"",
                                             "commit outcomes",
                                             "commit exceptions",
                                             "commit a position",
                                             "commit a leaver's row",
                                             "commit an erased row",
                                             "commit the cursor"};
    Add(next, kNames[batch.kind], batch.subscription, batch.cursor, steps);
  }
}

// False if those who must hear of it can't be told yet.
bool Machine::Apply(const Batch& batch, State* state) const {
  Store& store = state->store;
  if (batch.kind == kAdvance) {
    store.cursor = std::max(store.cursor, batch.cursor);
    for (int i = 0; i < bounds_.subscriptions; ++i) {
      store.subscriptions[i].hidden |= batch.hidden[i];
    }
    return true;
  }
  StoredSubscription& stored = store.subscriptions[batch.subscription];
  if (stored.life != kAlive) return true;
  if (batch.kind == kOutcomes) ApplyOutcomes(batch, &stored);
  if (batch.kind == kExceptions) stored.waiting |= batch.excepted;
  if (batch.row) {
    stored.row = 1;
    stored.next_seq = batch.next_seq;
    stored.bits = batch.bits;
  }
  if (batch.kind == kErase) stored.row = stored.next_seq = stored.bits = 0;

  Message message{};
  if (batch.kind == kLeave) message.kind = kLeaveCommitted;
  if (batch.kind == kOutcomes) {
    message.kind = kOutcomesCommitted;
    message.a = batch.delivered | batch.excepted;
    message.b = batch.excepted;
    message.c = batch.retry_delivered | batch.retry_dead;
  }
  if (message.kind == kNoMessage) return true;
  if (message.a != 0 && !On(Rule::kR2NoticeThroughQueue)) {
    if (state->to_shard.Full()) return false;
    state->to_shard.Push({kSettled, batch.subscription, message.a, 0});
  }
  if (bounds_.late_notices) {
    auto& channel = state->store_to_queue[batch.subscription];
    if (channel.Full()) return false;
    channel.Push(message);
    return true;
  }
  if (state->queue_to_shard[batch.subscription].Full()) return false;
  HearCommit(batch.subscription, message, state);
  return true;
}

void Machine::ApplyOutcomes(const Batch& batch, StoredSubscription* stored) const {
  stored->settled |= batch.delivered | batch.excepted;
  if (!On(Rule::kR1OnlyFinalSettles)) stored->settled |= batch.still_owed;
  stored->delivered |= batch.delivered;
  if (On(Rule::kR2ExceptionWithAttempt)) stored->waiting |= batch.excepted;
  const Mask rows = On(Rule::kE1Generation) ? stored->waiting : Mask{0xff};
  stored->delivered |= batch.retry_delivered & rows;
  stored->dead |= batch.retry_dead & rows;
  stored->waiting &= ~(batch.retry_delivered | batch.retry_dead);
}

}  // namespace postrider::model
