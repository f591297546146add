#pragma once

#include <cstdint>

namespace postrider::model {

// The rules of docs/engine.md as switches. Each name begins with the rule that it belongs to; the
// comment says what the engine does where the rule holds. With a rule off the machine does what a
// plausible first draft would do instead.
enum class Rule : uint8_t {
  kL2AckAfterCommit,         // A publisher is answered after the commit.
  kL5KnownIdIsDuplicate,     // An id that is in the log is not appended again.
  kR1OnlyFinalSettles,       // An attempt that leaves the pair owed settles nothing.
  kR1SettledIsSkipped,       // The tail, read again, skips settled pairs.
  kR1FloorBelowTheTail,      // attempt_floor hides no attempt of an event above the cursor.
  kR2CursorAfterCommit,      // The cursor follows from committed outcomes.
  kR2NoticeThroughQueue,     // The shard hears of it from the queue, in order with its questions.
  kR2OrderAfterFailure,      // A failed batch is tried again before any later one of its shard.
  kR2ExceptionWithAttempt,   // An exception is in the batch of the attempt that made it.
  kR3LowestUnsettled,        // A reader starts at the lowest unsettled seq, not where it left.
  kR3LeavingHoldsPairs,      // Who leaves holds the cursor by its pairs until the row committed.
  kR3LeavingHoldsMark,       // … and also where its feeding stopped, if it has no pairs.
  kR3RowWithOutcomes,        // An outcome of a reader carries the row in its batch.
  kR3LeaverTakesSkips,       // Pairs above the mark that recovery found settled become its bits.
  kR3BitsAboveScanKept,      // A recovered row's bits above the scan stay in later rows.
  kR3ScanWithinWindow,       // A reader scans no further than its bitmap can say.
  kR3UnloadedKeepsBits,      // What is settled above a pair that is unloaded becomes a bit.
  kR3AnswerAboveScanKept,    // So does what is settled there later.
  kR4CursorBelowUnsettled,   // Rejoining only if the submitted cursor is below all that is
                             // unsettled.
  kR4CursorGoesBack,         // The computed one, not yet submitted, goes back below it.
  kR4FedFromScan,            // Who rejoins is fed from its scan on, wherever the tail is.
  kR4EraseAfterGrant,        // The row is erased after the shard has agreed.
  kR4EraseBeforeOutcomes,    // … and before any outcome of the tail.
  kR4ScanFrozen,             // Nothing is scanned between asking and the answer.
  kR4AskedPairsHold,         // The unsettled pairs named in the question hold the cursor.
  kR4NoticesWhileAsking,     // Their settlement is told to the shard, whatever the mode.
  kR4NothingAboveScan,       // Who has settled or sent pairs above its scan does not ask.
  kR6OwnPosition,            // The tail goes on from its own position, not from what is handed it.
  kR6ReadToHandedHead,       // … and never beyond the head that was handed over.
  kR6WholeFanOutBeforePass,  // The cursor does not pass an event that is fanned out in part.
  kR6JoinDuringFanOut,       // Who rejoins during an event's fan-out gets it exactly once.
  kC1ConfigurationInOrder,   // A loop hears of configuration and events in commit order.
  kC1PairMakesQueue,         // A pair for a queue not yet heard of makes the queue.
  kC2StartSeq,               // Nothing is owed at or below the heads at creation.
  kC3PausedLeavesAtFanOut,   // Who may not send leaves when the tail meets an event of its.
  kC4DeletedHoldsNothing,    // A deleted subscription does not hold the cursor.
  kE1Generation,             // A retry's outcome changes only the row that it was made for.
  kE2WakeAfterCommit,        // An exception wakes its reader when it has committed.
  kE2BusyRowsNotLoaded,      // A row in memory, on the wire or uncommitted is not loaded again.
  kE2StaleRowsNotLoaded,     // A row resolved since its read began is not loaded.
};
inline constexpr int kRuleCount = static_cast<int>(Rule::kE2StaleRowsNotLoaded) + 1;

// Which rules hold.
class Rules {
 public:
  static Rules All() { return Rules(); }
  static Rules Without(Rule rule) {
    Rules rules;
    rules.off_ = uint64_t{1} << static_cast<int>(rule);
    return rules;
  }

  bool On(Rule rule) const { return (off_ >> static_cast<int>(rule) & 1) == 0; }

 private:
  uint64_t off_ = 0;
};

static_assert(kRuleCount <= 64);

}  // namespace postrider::model
