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
  kC2RowWithCreation,        // A start in the past: the reader row is in the creating transaction,
  kC2StartsAsReader,         // … the shard takes the subscription for a reader,
  kC2EarlyAskIsAnswered,     // … and answers its question also before it has heard of it.
  kC3PausedLeavesAtFanOut,   // Who may not send leaves when the tail meets an event of its.
  kC4DeletedHoldsNothing,    // A deleted subscription does not hold the cursor.
  kC4MarkCommitsFirst,       // A purge mark is durable before anybody hears of it.
  kC4DroppedIsTold,          // The shard hears of covered pairs that the queue drops.
  kC4DropFreesKey,           // The next of a key follows one that was dropped.
  kC4ArrivalsJudged,         // A pair that the shard sent before it heard of the mark is dropped.
  kC4ReadersJudge,           // A reader consults the mark …
  kC4MarkKnownAtStart,       // … also after a start.
  kC4MarkUntilCursor,        // It stays until row and cursor are past it: who rejoins has no row.
  kC4PurgeReleasesNext,      // What is deleted releases the next of its key.
  kC4UntriedRowsStay,        // A row without an attempt is not deleted above the cursor, where it
                             // alone says that the pair is settled; unless a mark covers it.
  kC5OwnOrigin,              // A replay's outcomes settle nothing that the log owes.
  kC5StopsAtItsEnd,          // A replay ends at the head of its start.
  kC5OwesItsExceptions,      // It has ended when its exceptions have, too.
  kC7NotAboveCursor,         // Retention takes nothing that the tail may owe.
  kC7ReadersJump,            // A reader goes on at the first event that is left.
  kC7ExceptionsExpire,       // Exceptions of events that go expire in the same batch …
  kC7LateOnesExpire,         // … and those that come later, when they come.
  kC7ReleasesNext,           // The next of its key follows an exception that has expired.
  kE1Generation,             // A retry's outcome changes only the row that it was made for.
  kE2WakeAfterCommit,        // An exception wakes its reader when it has committed.
  kE2BusyRowsNotLoaded,      // A row in memory, on the wire or uncommitted is not loaded again.
  kE2StaleRowsNotLoaded,     // A row resolved since its read began is not loaded.
  kE4OnePerKey,              // One event of a key is ready or on the wire; later ones are held.
  kE4FailureBlocksKey,       // A failure keeps later events of its key until it is gone.
  kE4DeadKeepsKey,           // A dead one keeps its key until its dead letter has committed.
  kE4FreedByItsDeath,        // … and not only the failure before: a retry may be answered before
                             // the exception that it is of was heard to commit.
  kE4BlockedKeysKnown,       // A start knows the keys with exceptions before it sends.
  kE4ParkedSettles,          // The tail, read again, skips exceptions without an attempt.
  kE4FirstAttemptSettles,    // Their first attempt is recorded as one of the log's.
  kE4ReleaseInSameBatch,     // What ends an exception releases the next of its key.
  kE4ReleaseWakes,           // … and wakes the reader of exceptions, as a new one does.
  kE4ReleaseIfNoneWaits,     // … unless one of the key waits still.
  kE4ParkedBehindNoneWaits,  // A row that is parked when none of its key waits is released at once.
  kE4HeldBeforeArrivals,     // An event that arrives while others of its key are held is held too.
  kE4RowsCountedOnce,        // One that is both purged and answered leaves its key once.
  kE4RowsNotReread,          // … nor are they read again: what was submitted is not seen yet.
  kE4PurgeIsHeard,           // The queue hears which exceptions were deleted.
  kE8OwnSignalsOnly,         // A process that was killed from outside has died of nothing.
  kE8CountedOnce,            // A note is counted once, also when its start dies, too.
  kE8DeadLetterFirst,        // The dead letter is committed before anything is sent,
  kE8SettledOnTheTail,       // … says that the pair is settled to the tail, read again,
  kE8SettledForReader,       // … is in the row of the subscription's reader,
  kE8ReleasesNext,           // … and releases the next of its key.
};
inline constexpr int kRuleCount = static_cast<int>(Rule::kE8ReleasesNext) + 1;

// Which rules hold: all, or all but one.
class Rules {
 public:
  static Rules All() { return Rules(); }
  static Rules Without(Rule rule) {
    Rules rules;
    rules.off_ = static_cast<int>(rule);
    return rules;
  }

  bool On(Rule rule) const { return off_ != static_cast<int>(rule); }

 private:
  int off_ = -1;
};

}  // namespace postrider::model
