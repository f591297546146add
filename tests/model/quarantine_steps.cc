// Quarantine (E8): what kills the process by a signal of our own is noted, counted at the next
// start, and given up when it has done so too often.
#include "tests/model/machine.h"

namespace postrider::model {

// The deadly event, if it is on the wire.
int Machine::OnTheWire(const State& state) const {
  const Queue& queue = state.queues[0];
  return Lowest((queue.wire | queue.retry_wire) & bounds_.deadly, 0);
}

// The process dies of what it has on the wire, and its handler has noted what that was.
void Machine::Die(const State& state, std::vector<Step>* steps) const {
  if (bounds_.deadly == 0 || state.crashes == bounds_.crashes) return;
  const int seq = OnTheWire(state);
  if (seq == 0) return;
  State next = Restarted(state);
  next.quarantine.note = seq;
  ++next.quarantine.died;
  Add(next, "die", 0, seq, steps);
  steps->back().driven = false;
}

// The steps of a start, before anything is sent. Each is a transaction; a crash may follow any.
void Machine::Start(const State& state, std::vector<Step>* steps) const {
  State next = state;
  Quarantine& quarantine = next.quarantine;
  switch (state.quarantine.phase) {
    case kCounting:
      quarantine.phase = kForgetting;
      if (quarantine.note != 0 && !(quarantine.counted && On(Rule::kE8CountedOnce))) {
        ++quarantine.deaths;
        quarantine.counted = 1;
      }
      return Add(next, "count the deaths", 0, quarantine.note, steps);
    case kForgetting:
      quarantine.phase = kGivingUp;
      quarantine.note = quarantine.counted = 0;
      return Add(next, "clear the note", 0, 0, steps);
    default:
      quarantine.phase = kStarted;
      if (quarantine.deaths >= kDeathsMax) GiveUp(&next);
      Recover(&next);
      return Add(next, "start", 0, 0, steps);
  }
}

// The dead letter, with all that says that the pair is settled.
void Machine::GiveUp(State* state) const {
  if (!On(Rule::kE8DeadLetterFirst)) return;
  StoredSubscription& stored = state->store.subscriptions[0];
  const int seq = Lowest(bounds_.deadly, 0);
  if (Has(stored.delivered | stored.dead, seq)) return;
  stored.waiting &= ~Bit(seq);
  stored.parked &= ~Bit(seq);
  stored.dead |= Bit(seq);
  if (On(Rule::kE8ReleasesNext)) Release(Bit(seq), &stored);
  if (On(Rule::kE8SettledOnTheTail)) stored.settled |= Bit(seq);
  if (stored.row && seq >= stored.next_seq && On(Rule::kE8SettledForReader)) {
    stored.bits |= Bit(seq);
  }
}

}  // namespace postrider::model
