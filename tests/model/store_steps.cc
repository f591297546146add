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
                                             "commit the cursor",
                                             "commit a release",
                                             "commit the end of a replay"};
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
  Mask released = 0;
  if (batch.kind == kOutcomes) released = ApplyOutcomes(batch, &store);
  if (batch.kind == kRelease) released = Release(batch.parked, &stored);
  if (batch.kind == kExceptions) stored.waiting |= batch.excepted;
  if (batch.row) {
    stored.row = 1;
    stored.next_seq = batch.next_seq;
    stored.bits = batch.bits;
  }
  if (IsReplay(batch.subscription) && !On(Rule::kC5OwnOrigin)) {
    store.subscriptions[0].settled |= batch.delivered | batch.excepted;
  }
  if (batch.kind == kEnd) stored.life = kEnded;
  if (batch.kind == kEnd || batch.kind == kErase) stored.row = stored.next_seq = stored.bits = 0;

  Message message{};
  if (batch.kind == kLeave) message.kind = kLeaveCommitted;
  if (batch.kind == kOutcomes) {
    message.kind = kOutcomesCommitted;
    message.a = batch.delivered | batch.excepted | batch.parked | batch.dead;
    message.b = batch.excepted | (On(Rule::kE4ReleaseWakes) ? released : Mask{0});
    message.b |= batch.retry_failed;
    message.c = batch.retry_delivered | batch.retry_dead | batch.retry_failed;
  }
  if (batch.kind == kRelease) message = {kOutcomesCommitted, 0, released, 0};
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

// Returns the exceptions that it has released.
Mask Machine::ApplyOutcomes(const Batch& batch, Store* store) const {
  StoredSubscription* const stored = &store->subscriptions[batch.subscription];
  stored->settled |= batch.delivered | batch.excepted | batch.dead;
  if (!On(Rule::kR1OnlyFinalSettles)) stored->settled |= batch.still_owed;
  stored->delivered |= batch.delivered;
  stored->dead |= batch.dead;
  stored->parked |= batch.parked;
  stored->untried |= batch.parked;
  if (On(Rule::kR2ExceptionWithAttempt)) stored->waiting |= batch.excepted;
  const Mask rows = On(Rule::kE1Generation) ? stored->waiting : Mask{0xff};
  stored->delivered |= batch.retry_delivered & rows;
  stored->dead |= batch.retry_dead & rows;
  const Mask retried = batch.retry_delivered | batch.retry_dead;
  const Mask tried = retried | batch.retry_failed;
  if (On(Rule::kE4FirstAttemptSettles)) stored->settled |= tried & stored->untried;
  stored->untried &= ~tried;
  if (!On(Rule::kE1Generation)) stored->waiting |= batch.retry_failed;
  stored->waiting &= ~retried;
  const Mask late = On(Rule::kC7LateOnesExpire) ? Expire(batch.subscription, store) : Mask{0};
  const Mask ended = On(Rule::kE4ReleaseInSameBatch) ? retried : Mask{0};
  const Mask parked = On(Rule::kE4ParkedBehindNoneWaits) ? batch.parked : Mask{0};
  return Release(ended | parked | late, stored);
}

}  // namespace postrider::model
