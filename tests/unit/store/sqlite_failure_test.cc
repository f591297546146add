// A disk that is full or broken: what is answered, and what is there afterwards (docs/engine.md S2,
// S5).

#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/forgetful_vfs.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

using testing::ElementsAre;

class SqliteFailure : public testing::Test {
 protected:
  SqliteFailure() : vfs_("failing") {
    options_.data_dir = directory_.path() + "/data";
    options_.shard_count = 1;
    options_.vfs = vfs_.name();
    options_.ballast_bytes = 1 << 20;
    options_.free_bytes_min = 1000;
    options_.free_bytes = [this] { return free_bytes_; };
    Open();
  }

  void Open() {
    handle_ = StoreHandle();
    auto handle = OpenSqlite(options_);
    ASSERT_TRUE(handle.ok()) << handle.status();
    handle_ = *std::move(handle);
  }

  BatchResult Append(uint64_t n) {
    return handle_.store->Commit({BatchOf(0, AppendEvent{NewEvent(n)})}, now_)[0];
  }

  std::vector<uint64_t> Log() {
    const auto entries = handle_.reader->ReadLog(0, 0, 100, 1 << 20);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<uint64_t> events;
    for (const LogEntry& entry : *entries) {
      for (uint64_t n = 0; n < 20; ++n) {
        if (entry.event->id == EventId(n)) events.push_back(n);
      }
    }
    return events;
  }

  bool HasBallast() const { return std::filesystem::exists(options_.data_dir + "/ballast"); }

  TempDir directory_;
  ForgetfulVfs vfs_;
  SqliteOptions options_;
  uint64_t free_bytes_ = 1ULL << 40;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  StoreHandle handle_;
};

TEST_F(SqliteFailure, AFullDiskIsNotAppliedAndTriedAgain) {
  EXPECT_EQ(Append(1).state, CommitState::kCommitted);
  vfs_.FailWrites(SQLITE_FULL);
  const BatchResult refused = Append(2);
  EXPECT_EQ(refused.state, CommitState::kNotApplied);
  EXPECT_THAT(refused.error, testing::HasSubstr("full"));
  EXPECT_THAT(Log(), ElementsAre(1));
  vfs_.FailWrites(SQLITE_OK);
  const BatchResult again = Append(2);
  EXPECT_EQ(again.state, CommitState::kCommitted);
  EXPECT_EQ(again.appended[0].kind, Appended::Kind::kNew) << "nothing of the first try is left";
  EXPECT_EQ(again.appended[0].seq, 2U);
  EXPECT_EQ(again.appended[0].accept_time, now_);
  Open();
  EXPECT_THAT(Log(), ElementsAre(1, 2));
}

TEST_F(SqliteFailure, WhatWasNotAppliedIsForgottenInMemoryToo) {
  const Batch create = BatchOf(std::nullopt, PutSubscription{NewSubscription("a"), 0, true});
  ASSERT_EQ(handle_.store->Commit({create}, now_)[0].state, CommitState::kCommitted);
  vfs_.FailWrites(SQLITE_FULL);
  const std::vector<Batch> batches = {
      BatchOf(std::nullopt, DeleteSubscription{1, 0}),
      BatchOf(std::nullopt, PutSubscription{NewSubscription("b"), 0, true}),
      BatchOf(0, AppendEvent{NewEvent(1)}, RecordAttempt{NewAttempt(1, 1)}, AdvanceCursor{1, 1})};
  for (const BatchResult& result : handle_.store->Commit(batches, now_)) {
    EXPECT_EQ(result.state, CommitState::kNotApplied);
  }
  vfs_.FailWrites(SQLITE_OK);
  // The subscription is not deleted, its number is not used, the heads have not moved.
  const std::vector<Batch> next = {
      BatchOf(0, AppendEvent{NewEvent(1)}, PutException{NewException(0, 1, 1, now_)}),
      BatchOf(std::nullopt, PutSubscription{NewSubscription("b"), 0, true})};
  const auto results = handle_.store->Commit(next, now_);
  EXPECT_EQ(results[0].appended[0].seq, 1U);
  EXPECT_EQ(results[0].attempt_head, 0U);
  EXPECT_EQ((*results[1].configured[0])->number, 2U);
  EXPECT_EQ(handle_.reader->ReadDue(1, 0, now_, 10, 1 << 20)->size(), 1U);
  EXPECT_EQ(handle_.reader->ReadShard(0)->position.cursor, 0U);
}

TEST_F(SqliteFailure, AFailedSyncIsUnknownForEver) {
  EXPECT_EQ(Append(1).state, CommitState::kCommitted);
  vfs_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(Append(2).state, CommitState::kUnknown);
  vfs_.FailSyncs(SQLITE_OK);
  EXPECT_EQ(Append(3).state, CommitState::kUnknown)
      << "a sync that succeeds later says nothing about what the first one lost";
  EXPECT_FALSE(handle_.store->Maintain());
  Open();
  EXPECT_EQ(Append(4).state, CommitState::kCommitted) << "a new process reads what is there";
}

TEST_F(SqliteFailure, AWriteErrorAtTheCommitIsUnknown) {
  EXPECT_EQ(Append(1).state, CommitState::kCommitted);
  vfs_.FailWrites(SQLITE_IOERR_WRITE);
  EXPECT_EQ(Append(2).state, CommitState::kUnknown);
}

TEST_F(SqliteFailure, FailedMaintenanceHarmsNothing) {
  EXPECT_EQ(Append(1).state, CommitState::kCommitted);
  vfs_.FailWrites(SQLITE_FULL);
  EXPECT_FALSE(handle_.store->Maintain());
  vfs_.FailWrites(SQLITE_OK);
  EXPECT_EQ(Append(2).state, CommitState::kCommitted);
  EXPECT_TRUE(handle_.store->Maintain());
}

TEST_F(SqliteFailure, LittleFreeSpaceRefusesAppendsUntilThereIsMore) {
  EXPECT_TRUE(handle_.store->AcceptsAppends(now_));
  free_bytes_ = 999;
  EXPECT_TRUE(handle_.store->AcceptsAppends(now_ + absl::Milliseconds(99))) << "looked just now";
  EXPECT_FALSE(handle_.store->AcceptsAppends(now_ + absl::Milliseconds(100)));
  EXPECT_EQ(handle_.checkpointer->Stats().free_bytes, 999U);
  free_bytes_ = 1000;
  EXPECT_TRUE(handle_.store->AcceptsAppends(now_ + absl::Milliseconds(200)));
  free_bytes_ = 0;
  EXPECT_FALSE(handle_.store->AcceptsAppends(now_ - absl::Hours(1))) << "a clock set back";
}

// The file does not shrink: what was deleted from it is room for what comes.
TEST_F(SqliteFailure, WhatWasDeletedIsFreeSpaceToo) {
  for (uint64_t n = 1; n <= 100; ++n) Append(n);
  handle_.store->Commit({BatchOf(0, AdvanceCursor{.cursor = 100, .attempt_floor = 0})}, now_);
  while (handle_.store->Maintain()) {
  }
  free_bytes_ = 600;
  EXPECT_FALSE(handle_.store->AcceptsAppends(now_));
  const absl::Time later = now_ + absl::Hours(1);
  const BatchResult deleted =
      handle_.store->Commit({BatchOf(0, DeleteOldEvents{.before = later})}, later)[0];
  EXPECT_EQ(deleted.deleted.events, 100U);
  EXPECT_TRUE(handle_.store->AcceptsAppends(later));
  free_bytes_ = 499;
  EXPECT_FALSE(handle_.store->AcceptsAppends(later + absl::Seconds(1)))
      << "the write-ahead log needs some beside it";
}

TEST_F(SqliteFailure, TheBallastIsGivenUpWhenTheDiskIsFull) {
  EXPECT_FALSE(HasBallast());
  handle_.store->AcceptsAppends(now_);
  EXPECT_TRUE(HasBallast());
  vfs_.FailWrites(SQLITE_FULL);
  Append(1);
  EXPECT_FALSE(HasBallast());
  free_bytes_ = 10'000;
  handle_.store->AcceptsAppends(now_ + absl::Seconds(1));
  EXPECT_FALSE(HasBallast()) << "not while there is little";
  free_bytes_ = 1ULL << 40;
  handle_.store->AcceptsAppends(now_ + absl::Seconds(2));
  EXPECT_TRUE(HasBallast());
}

TEST_F(SqliteFailure, AnEarlierProcessesBallastHelpsAFullDisk) {
  handle_.store->AcceptsAppends(now_);
  ASSERT_TRUE(HasBallast());
  free_bytes_ = 0;
  Open();
  EXPECT_FALSE(handle_.store->AcceptsAppends(now_));
  vfs_.FailWrites(SQLITE_FULL);
  Append(1);
  EXPECT_FALSE(HasBallast());
}

TEST_F(SqliteFailure, AFullDiskPreventsNoStartWhileThereIsBallast) {
  ASSERT_EQ(Append(1).state, CommitState::kCommitted);
  handle_.store->AcceptsAppends(now_);
  ASSERT_TRUE(HasBallast());
  vfs_.FailSharedMemory([this] { return HasBallast() ? SQLITE_IOERR_SHMSIZE : SQLITE_OK; });
  Open();
  EXPECT_FALSE(HasBallast());
  EXPECT_THAT(Log(), ElementsAre(1));
  EXPECT_EQ(Append(2).state, CommitState::kCommitted);
}

TEST_F(SqliteFailure, AStartWithHardlyAnyDiskGivesTheBallastUp) {
  handle_.store->AcceptsAppends(now_);
  ASSERT_TRUE(HasBallast());
  free_bytes_ = 1000;
  Open();
  EXPECT_FALSE(HasBallast()) << "what is read and written first may not say that the disk is full";
}

}  // namespace
}  // namespace postrider
