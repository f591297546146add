// Goal: whatever happens in whatever order, and wherever the process dies, every acknowledged event
// is delivered, dead or owed; nothing is sent again but what a crash made uncertain; and nothing
// waits for ever. And: none of the rules is there for nothing.
// Method: every interleaving within small bounds (bounds.h), with all rules on, and with each off.
#include <cstdio>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/model/bounds.h"
#include "tests/model/explorer.h"
#include "tests/model/machine.h"
#include "tests/model/rules.h"

namespace postrider::model {
namespace {

constexpr size_t kStatesMax = 6'000'000;

void ExpectHolds(const Bounds& bounds) {
  const Exploration found = Explore(Machine(Rules::All(), bounds), kStatesMax);
  std::printf("%s: %zu states, %zu steps\n", bounds.name, found.states, found.steps);
  EXPECT_TRUE(found.complete) << bounds.name << " is larger than it should be";
  EXPECT_EQ(found.violation, "") << bounds.name << ", after\n" << found.trace;
}

TEST(Model, KeepsItsPromiseInEveryState) {
  for (const Bounds& bounds : {Keeping(),
                               KeepingThroughTwoCrashes(),
                               Unloading(),
                               Gathering(),
                               ThreeEvents(),
                               Exceptions(),
                               PausedWithSmallWindow(),
                               TwoSubscriptions(),
                               Creating(),
                               CreatingInThePast(),
                               Deleting(),
                               Purging(),
                               PurgingInPart(),
                               Pausing(),
                               Replaying(),
                               Cancelling(),
                               Retaining(),
                               RetainingInOrder(),
                               Quarantining(),
                               LostAcks()}) {
    ExpectHolds(bounds);
  }
}

TEST(Model, KeepsTheOrder) {
  for (const Bounds& bounds :
       {Ordered(), OrderedOnTheTail(), OrderedRetrying(), OrderedKeeping(), OrderedPurging(),
        OrderedGathering(), TwoKeys(), TwoKeysFailing(), FewParked(), Strict(), StrictKeeping()}) {
    ExpectHolds(bounds);
  }
}

// Millions of states: seconds in a release build, minutes under a sanitizer, which has nothing to
// say about the rules.
TEST(Model, KeepsItsPromiseInTheLargeSearches) {
#ifndef NDEBUG
  GTEST_SKIP() << "for release builds";
#endif
  ExpectHolds(ThreeEventsWithRetries());
  ExpectHolds(TwoLeavers());
}

// A rule, and the search within which its absence is found.
struct Absence {
  Rule rule;
  const char* name;
  Bounds bounds;
};

void PrintTo(const Absence& absence, std::ostream* out) { *out << absence.name; }

class RuleTest : public testing::TestWithParam<Absence> {};

TEST_P(RuleTest, IsMissedWhenOff) {
  const Absence& absence = GetParam();
  const Exploration found =
      Explore(Machine(Rules::Without(absence.rule), absence.bounds), kStatesMax);
  EXPECT_NE(found.violation, "") << "nothing goes wrong without " << absence.name << " in "
                                 << found.states << " states";
  std::printf("%s: %s, found among %zu states\n", absence.name, found.violation.c_str(),
              found.states);
}

#define ABSENCE(rule, bounds) \
  Absence { Rule::k##rule, #rule, bounds }

std::vector<Absence> PositionAbsences() {
  return {
      ABSENCE(L2AckAfterCommit, LostAcks()),
      ABSENCE(L5KnownIdIsDuplicate, LostAcks()),
      ABSENCE(R1OnlyFinalSettles, Gathering()),
      ABSENCE(R1SettledIsSkipped, Keeping()),
      ABSENCE(R1FloorBelowTheTail, Keeping()),
      ABSENCE(R2CursorAfterCommit, Gathering()),
      ABSENCE(R2NoticeThroughQueue, TwoSubscriptions()),
      ABSENCE(R2OrderAfterFailure, Keeping()),
      ABSENCE(R2ExceptionWithAttempt, Keeping()),
      ABSENCE(R3LowestUnsettled, Keeping()),
      ABSENCE(R3LeavingHoldsPairs, Keeping()),
      ABSENCE(R3LeavingHoldsMark, Keeping()),
      ABSENCE(R3RowWithOutcomes, Keeping()),
      ABSENCE(R3LeaverTakesSkips, Keeping()),
      ABSENCE(R3BitsAboveScanKept, KeepingThroughTwoCrashes()),
      ABSENCE(R3ScanWithinWindow, PausedWithSmallWindow()),
      ABSENCE(R4CursorBelowUnsettled, Keeping()),
      ABSENCE(R4CursorGoesBack, TwoSubscriptions()),
      ABSENCE(R4FedFromScan, Keeping()),
      ABSENCE(R3UnloadedKeepsBits, Unloading()),
      ABSENCE(R3AnswerAboveScanKept, Unloading()),
      ABSENCE(R4EraseAfterGrant, Keeping()),
      ABSENCE(R4EraseBeforeOutcomes, Keeping()),
      ABSENCE(R4ScanFrozen, Keeping()),
      ABSENCE(R4AskedPairsHold, TwoSubscriptions()),
      ABSENCE(R4NoticesWhileAsking, TwoSubscriptions()),
      ABSENCE(R4NothingAboveScan, Keeping()),
      ABSENCE(R6OwnPosition, Keeping()),
      ABSENCE(R6ReadToHandedHead, Creating()),
      ABSENCE(R6WholeFanOutBeforePass, TwoSubscriptions()),
      ABSENCE(R6JoinDuringFanOut, TwoSubscriptions()),
  };
}

std::vector<Absence> ConfigurationAbsences() {
  return {
      ABSENCE(C1ConfigurationInOrder, Creating()),
      ABSENCE(C1PairMakesQueue, Creating()),
      ABSENCE(C2StartSeq, Creating()),
      ABSENCE(C2RowWithCreation, CreatingInThePast()),
      ABSENCE(C2StartsAsReader, CreatingInThePast()),
      ABSENCE(C2EarlyAskIsAnswered, CreatingInThePast()),
      ABSENCE(C3PausedLeavesAtFanOut, Pausing()),
      ABSENCE(C4DeletedHoldsNothing, Deleting()),
      ABSENCE(C4MarkCommitsFirst, Purging()),
      ABSENCE(C4DroppedIsTold, Purging()),
      ABSENCE(C4DropFreesKey, PurgingInPart()),
      ABSENCE(C4ArrivalsJudged, Purging()),
      ABSENCE(C4ReadersJudge, Purging()),
      ABSENCE(C4MarkKnownAtStart, Purging()),
      ABSENCE(C4MarkUntilCursor, Purging()),
      ABSENCE(C4PurgeReleasesNext, OrderedPurging()),
      ABSENCE(C4UntriedRowsStay, OrderedPurging()),
      ABSENCE(C5OwnOrigin, Replaying()),
      ABSENCE(C5StopsAtItsEnd, Replaying()),
      ABSENCE(C5OwesItsExceptions, Replaying()),
      ABSENCE(C7NotAboveCursor, Retaining()),
      ABSENCE(C7ReadersJump, Retaining()),
      ABSENCE(C7ExceptionsExpire, Retaining()),
      ABSENCE(C7LateOnesExpire, Retaining()),
      ABSENCE(C7ReleasesNext, RetainingInOrder()),
  };
}

std::vector<Absence> ExceptionAbsences() {
  return {
      ABSENCE(E1Generation, Exceptions()),
      ABSENCE(E2WakeAfterCommit, Keeping()),
      ABSENCE(E2BusyRowsNotLoaded, Exceptions()),
      ABSENCE(E2StaleRowsNotLoaded, Exceptions()),
      ABSENCE(E4OnePerKey, Ordered()),
      ABSENCE(E4FailureBlocksKey, Ordered()),
      ABSENCE(E4DeadKeepsKey, Ordered()),
      ABSENCE(E4FreedByItsDeath, TwoKeysFailing()),
      ABSENCE(E4BlockedKeysKnown, Ordered()),
      ABSENCE(E4ParkedSettles, OrderedOnTheTail()),
      ABSENCE(E4FirstAttemptSettles, OrderedOnTheTail()),
      ABSENCE(E4ReleaseInSameBatch, OrderedOnTheTail()),
      ABSENCE(E4ReleaseWakes, OrderedOnTheTail()),
      ABSENCE(E4ReleaseIfNoneWaits, Ordered()),
      ABSENCE(E4ParkedBehindNoneWaits, OrderedPurging()),
      ABSENCE(E4HeldBeforeArrivals, FewParked()),
      ABSENCE(E4RowsCountedOnce, OrderedPurging()),
      ABSENCE(E4RowsNotReread, OrderedPurging()),
      ABSENCE(E4PurgeIsHeard, StrictKeeping()),
      ABSENCE(E8OwnSignalsOnly, Quarantining()),
      ABSENCE(E8CountedOnce, Quarantining()),
      ABSENCE(E8DeadLetterFirst, Quarantining()),
      ABSENCE(E8SettledOnTheTail, Quarantining()),
      ABSENCE(E8SettledForReader, Quarantining()),
      ABSENCE(E8ReleasesNext, Quarantining()),
  };
}

std::vector<Absence> Absences() {
  std::vector<Absence> all = PositionAbsences();
  for (const auto& more : {ConfigurationAbsences(), ExceptionAbsences()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EachRule, RuleTest, testing::ValuesIn(Absences()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Model, EveryRuleIsTried) {
  std::set<Rule> tried;
  for (const Absence& absence : Absences()) tried.insert(absence.rule);
  EXPECT_EQ(tried.size(), kRuleCount);
}

}  // namespace
}  // namespace postrider::model
