#include "tests/model/machine.h"

namespace postrider::model {

void Machine::Add(const State& next, const char* name, int subscription, int seq,
                  std::vector<Step>* steps) const {
  Step& step = steps->emplace_back();
  step.state = next;
  step.name = name;
  step.subscription = static_cast<uint8_t>(subscription);
  step.seq = static_cast<uint8_t>(seq);
}

void Machine::Expand(const State& state, std::vector<Step>* steps) const {
  if (state.quarantine.phase != kStarted) {
    Crash(state, steps);
    return Start(state, steps);
  }
  if (bounds_.lost_acks) {
    PublishWithLostAcks(state, steps);
  } else {
    Publish(state, steps);
  }
  for (Step& step : *steps) step.driven = false;
  Configure(state, steps);
  Purge(state, steps);
  GiveUpMark(state, steps);
  Retain(state, steps);
  Crash(state, steps);
  Die(state, steps);
  Commit(state, steps);
  ShardHears(state, steps);
  FanOut(state, steps);
  ForceLeave(state, steps);
  Advance(state, steps);
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    QueueHears(state, i, steps);
    if (state.queues[i].life != kAlive) continue;
    Read(state, i, steps);
    Ask(state, i, steps);
    Unload(state, i, steps);
    EraseLate(state, i, steps);
    End(state, i, steps);
    WantLeave(state, i, steps);
    Send(state, i, steps);
    Answer(state, i, steps);
    AnswerRetry(state, i, steps);
    Flush(state, i, steps);
    Load(state, i, steps);
  }
}

const char* Machine::Wrong(const State& state) const {
  const Store& store = state.store;
  Mask ids = 0;
  for (int seq = 1; seq <= store.head; ++seq) {
    if (Has(ids, store.log_id[seq])) return "an id is twice in the log";
    ids |= Bit(store.log_id[seq]);
  }
  if ((state.publisher.acknowledged & ~ids) != 0) return "an acknowledged event is not in the log";
  if (state.quarantine.deaths > state.quarantine.died) return "a death was counted that was none";
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    const StoredSubscription& stored = store.subscriptions[i];
    if (stored.life == kEnded) {
      const Mask sent = stored.delivered | stored.dead;
      if ((Range(1, stored.end) & bounds_.wanted[i] & ~sent) != 0)
        return "a replay ended too early";
    }
    if (stored.life != kAlive) continue;
    if ((stored.purged & (stored.waiting | stored.parked | stored.dead)) != 0)
      return "a purged delivery came back";
    for (const Mask key : bounds_.keys) {
      if (__builtin_popcount(stored.waiting & key) > 1) return "two exceptions of a key wait";
    }
    const Mask answered = stored.delivered | stored.waiting | stored.parked | stored.dead |
                          stored.purged | stored.cleared | stored.expired;
    const Mask claimed = stored.row ? static_cast<Mask>(Range(1, stored.next_seq - 1) | stored.bits)
                                    : Range(1, store.cursor);
    const Mask skipped = stored.row ? Mask{0} : static_cast<Mask>(stored.settled & ~stored.hidden);
    const int last = stored.end != 0 ? stored.end : store.head;
    for (int seq = stored.true_start + 1; seq <= last; ++seq) {
      if (!Wanted(i, seq) || Has(answered, seq)) continue;
      if (seq < store.first) return "retention took an event that is owed";
      if (Has(claimed, seq)) return "a position claims a pair that is not settled";
      if (Has(skipped, seq)) return "recovery would skip a pair that is owed";
    }
  }
  return nullptr;
}

bool Machine::Done(const State& state) const {
  if (state.commits.size + state.to_shard.size + state.configuration.size > 0) return false;
  if (state.store.cursor != state.store.head || state.quarantine.phase != kStarted) return false;
  for (int i = 0; i < bounds_.subscriptions; ++i) {
    if (state.store_to_queue[i].size + state.shard_to_queue[i].size + state.queue_to_shard[i].size >
        0) {
      return false;
    }
    const StoredSubscription& stored = state.store.subscriptions[i];
    if (stored.life != kAlive || !stored.may_send) continue;
    if (stored.end != 0 || stored.row || state.queues[i].mode != kTail) return false;
    if ((stored.waiting | stored.parked) != 0) return false;
    const Mask finished =
        stored.delivered | stored.dead | stored.purged | stored.cleared | stored.expired;
    for (int seq = stored.start_seq + 1; seq <= state.store.head; ++seq) {
      if (Wanted(i, seq) && !Has(finished, seq)) return false;
    }
  }
  return true;
}

}  // namespace postrider::model
