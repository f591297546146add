// How SQLite executes what runs often: by an index, never by scanning a table that grows, never by
// sorting in a temporary B-tree.

#include <sqlite3.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/store/sqlite_letters_sql.h"
#include "gateway/store/sqlite_replay_sql.h"
#include "gateway/store/sqlite_retention_sql.h"
#include "gateway/store/sqlite_sql.h"
#include "gateway/store/sqlite_suspects_sql.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

class QueryPlan : public testing::TestWithParam<const char*> {
 protected:
  QueryPlan() {
    EXPECT_EQ(sqlite3_open(":memory:", &database_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, sql::kSchema, nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, sql::kSuspectSchema, nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~QueryPlan() override { sqlite3_close(database_); }

  std::string Explain(const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    const std::string explain = absl::StrCat("EXPLAIN QUERY PLAN ", query);
    EXPECT_EQ(sqlite3_prepare_v2(database_, explain.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database_) << ": " << query;
    std::vector<std::string> lines;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      lines.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
    }
    sqlite3_finalize(statement);
    return absl::StrJoin(lines, "\n");
  }

 private:
  sqlite3* database_ = nullptr;
};

TEST_P(QueryPlan, SearchesAndDoesNotSort) {
  const std::string plan = Explain(GetParam());
  EXPECT_THAT(plan, testing::Not(testing::HasSubstr("SCAN"))) << GetParam();
  EXPECT_THAT(plan, testing::Not(testing::HasSubstr("TEMP B-TREE"))) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Hot, QueryPlan,
    testing::Values(sql::kSelectLastSegment, sql::kSelectLastSubscription, sql::kSelectKnownEvent,
                    sql::kUpdateShard, sql::kUpdateException, sql::kDeleteException,
                    sql::kReleaseException, sql::kSelectFirstOfKey, sql::kSelectParked,
                    sql::kSelectBlockedKeys, sql::kDeleteReader, sql::kDeleteHealth,
                    sql::kSelectSubscription, sql::kUpdateSubscription, sql::kDeleteSubscription,
                    sql::kSelectPurgeEnd, sql::kPurgeExceptions, sql::kSetPurged, sql::kSelectShard,
                    sql::kSelectReaders, sql::kSelectSettled, sql::kSelectNextDue,
                    sql::kCountWaiting, sql::kSelectState, sql::kSelectLog, sql::kSelectDue,
                    sql::kSelectEvent, sql::kSelectSegmentBefore, sql::kSelectSegmentFrom,
                    sql::kSelectAcceptTime, sql::kListRecent, sql::kListRecentByType,
                    sql::kListIndexed, sql::kListIndexedByType, sql::kListRecentAttemptsByEvent,
                    sql::kListAttemptsByEvent, sql::kFindRecentAttempts, sql::kFindAttempts,
                    sql::kSelectAttempt, sql::kSelectRecentAttemptOfPair, sql::kSelectAttemptOfPair,
                    sql::kSelectEntry));

INSTANTIATE_TEST_SUITE_P(Letters, QueryPlan,
                         testing::Values(sql::kRedriveException, sql::kSelectPurgeable,
                                         sql::kPurgeException, sql::kListDeadLetters,
                                         sql::kSelectExceptions, sql::kSelectBlocking,
                                         sql::kSelectReader, sql::kFindUnmatched));

INSTANTIATE_TEST_SUITE_P(
    Replays, QueryPlan,
    testing::Values(sql::kCountUnfinishedReplays, sql::kFinishReplay, sql::kCancelReplay,
                    sql::kSelectReplayState, sql::kSelectReplay, sql::kSelectReplayById,
                    sql::kSelectReplaysOf, sql::kSelectRunningReplays, sql::kSelectReplayToDrop,
                    sql::kDropReplayPositions, sql::kDropReplays, sql::kUpdateReplayPosition,
                    sql::kSelectReplayPositions, sql::kCountReplayWaiting,
                    sql::kSelectReplayPurgeEnd, sql::kPurgeReplayExceptions, sql::kSetReplayPurged,
                    sql::kPurgeReplayPositionsOf, sql::kPurgeReplaysOf));

// The others of their kind run at a start after a death only, and on tables of a few rows.
INSTANTIATE_TEST_SUITE_P(Suspects, QueryPlan,
                         testing::Values(sql::kForgetSuspect, sql::kDeleteCountedBoot));

INSTANTIATE_TEST_SUITE_P(Retention, QueryPlan,
                         testing::Values(sql::kSelectOldEvents, sql::kSelectOldAttempts,
                                         sql::kSelectOldExceptions, sql::kSelectLongGone,
                                         sql::kSetGone, sql::kDeleteEvents, sql::kDeleteEventId,
                                         sql::kDeleteByOrganization, sql::kDeleteByType,
                                         sql::kDeleteUnmatched, sql::kDeleteAttempt,
                                         sql::kDeleteAttemptByEvent,
                                         sql::kDeleteAttemptBySubscription, sql::kDeleteSegments,
                                         sql::kDropAttemptsOfDeleted));

// These sort a bounded stretch of the log on purpose: that is what makes an index row cheap.
TEST_F(QueryPlan, IndexingReadsOnlyItsStretch) {
  for (const char* query : {sql::kIndexByOrganization, sql::kIndexByType, sql::kIndexByEvent,
                            sql::kIndexBySubscription}) {
    EXPECT_THAT(Explain(query),
                testing::HasSubstr("USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"))
        << query;
  }
}

TEST_F(QueryPlan, FindingWhatToPurgeReadsTombstonesOnly) {
  EXPECT_THAT(Explain(sql::kSelectToPurge), testing::HasSubstr("subscription_to_purge"));
  EXPECT_THAT(Explain(sql::kSelectReplayToPurge), testing::HasSubstr("replay_to_purge"));
  EXPECT_THAT(Explain(sql::kSelectToPurge), testing::Not(testing::HasSubstr("TEMP B-TREE")));
}

TEST_F(QueryPlan, DeadLettersAreFoundByTheirIndexFromThePlaceOnWhereThePageBegins) {
  EXPECT_THAT(Explain(sql::kListDeadLetters), testing::HasSubstr("exception_dead"));
  EXPECT_THAT(Explain(sql::kListDeadLetters), testing::HasSubstr("shard,seq,origin)>(?,?,?)"));
  EXPECT_THAT(Explain(sql::kSelectPurgeable), testing::HasSubstr("seq,origin)>(?,?)"));
}

TEST_F(QueryPlan, WhatIsOldIsReadFromWhereTheOldEndIs) {
  EXPECT_THAT(Explain(sql::kSelectOldExceptions), testing::HasSubstr("exception_by_seq"));
  EXPECT_THAT(Explain(sql::kSelectLongGone), testing::HasSubstr("exception_gone"));
  EXPECT_THAT(Explain(sql::kDropAttemptsOfDeleted),
              testing::HasSubstr("USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
}

TEST_F(QueryPlan, WhatIsDueIsFoundByItsIndex) {
  for (const char* query : {sql::kSelectNextDue, sql::kCountWaiting, sql::kSelectDue}) {
    EXPECT_THAT(Explain(query), testing::HasSubstr("exception_due")) << query;
  }
}

}  // namespace
}  // namespace postrider
