// What goes on between groups: the indexes stay near the log, the write-ahead log stays short
// (docs/engine.md L3, S6).

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

class SqliteMaintenance : public testing::Test {
 protected:
  SqliteMaintenance() {
    options_.data_dir = directory_.path() + "/data";
    options_.shard_count = 2;
    options_.ballast_bytes = 0;
    options_.durability = Durability::kProcessDeath;
    auto handle = OpenSqlite(options_);
    EXPECT_TRUE(handle.ok()) << handle.status();
    handle_ = *std::move(handle);
  }

  void Append(size_t count, size_t bytes) {
    Batch batch;
    batch.shard = ShardOf("acme", 2);
    const std::string body(bytes, 'x');
    for (size_t i = 0; i < count; ++i) {
      batch.writes.push_back(AppendEvent{NewEvent(++next_, "acme", body)});
    }
    ASSERT_EQ(handle_.store->Commit({&batch, 1}, absl::FromUnixSeconds(1))[0].state,
              CommitState::kCommitted);
  }

  StoreStats Stats() const { return handle_.checkpointer->Stats(); }

  TempDir directory_;
  SqliteOptions options_;
  StoreHandle handle_;
  uint64_t next_ = 0;
};

TEST_F(SqliteMaintenance, CommitsKeepTheIndexesNear) {
  for (int i = 0; i < 13; ++i) {
    Append(5000, 10);
    EXPECT_LE(Stats().unindexed_rows, 50'000U);
  }
  EXPECT_GT(Stats().unindexed_rows, 40'000U) << "the indexing of a busy store is left for later";
  while (handle_.store->Maintain()) {
  }
  EXPECT_EQ(Stats().unindexed_rows, 0U);
}

TEST_F(SqliteMaintenance, TheLagIsKnownAfterAStart) {
  Append(100, 10);
  handle_ = StoreHandle();
  auto handle = OpenSqlite(options_);
  ASSERT_TRUE(handle.ok());
  handle_ = *std::move(handle);
  EXPECT_EQ(Stats().unindexed_rows, 100U);
}

TEST_F(SqliteMaintenance, TheCheckpointerRunsWhenTheLogHasGrown) {
  std::thread thread([this] { handle_.checkpointer->Run(); });
  Append(2000, 4000);
  while (Stats().checkpoints == 0) {
    std::this_thread::yield();
  }
  handle_.checkpointer->Stop();
  thread.join();
  Append(1, 10);
  EXPECT_LT(Stats().wal_bytes, 1'000'000U) << "all of it was copied: the log is begun anew";
}

TEST_F(SqliteMaintenance, TheWriterBoundsTheLogByItself) {
  for (int i = 0; i < 12; ++i) {
    Append(2000, 4000);  // 8 MB and more each.
    EXPECT_LT(Stats().wal_bytes, 90'000'000U);
  }
  EXPECT_GT(Stats().writer_checkpoints, 0U);
}

}  // namespace
}  // namespace postrider
