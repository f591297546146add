// GroupCommit between many threads: each is answered once, in order, and its end loses nothing.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/open_store.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/temp_dir.h"
#include "tests/unit/store/fake_store.h"

namespace postrider {
namespace {

constexpr int kThreads = 4;
constexpr uint64_t kEach = 300;

// Publishers and a loop at once; counts what comes back.
class Load {
 public:
  explicit Load(GroupCommit* commit) : commit_(commit) {}

  void Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back(&Load::Publish, this, i);
    }
    threads.emplace_back(&Load::Settle, this);
    for (std::thread& thread : threads) {
      thread.join();
    }
  }

  int appended() const { return appended_; }
  int settled() const { return settled_; }
  int disorder() const { return disorder_; }

 private:
  void Publish(int thread) {
    const std::string organization = "org" + std::to_string(thread);
    const ShardId shard = ShardOf(organization, 4);
    for (uint64_t n = 1; n <= kEach; ++n) {
      commit_->Append(shard, NewEvent(n, organization), false,
                      [this, thread](absl::StatusOr<Appended> result) { Note(thread, result); });
    }
  }

  void Settle() {
    for (uint64_t n = 1; n <= kEach; ++n) {
      commit_->Submit(BatchOf(static_cast<ShardId>(n % 4), RecordAttempt{NewAttempt(1, n)}),
                      [this](const BatchResult& result) {
                        settled_ += result.state == CommitState::kCommitted ? 1 : 0;
                      });
    }
  }

  // On the store thread.
  void Note(int thread, const absl::StatusOr<Appended>& result) {
    if (!result.ok()) {
      return;
    }
    ++appended_;
    disorder_ += result->seq <= last_seq_[thread] ? 1 : 0;
    last_seq_[thread] = result->seq;
  }

  GroupCommit* const commit_;
  std::atomic<int> appended_{0};
  std::atomic<int> settled_{0};
  std::atomic<int> disorder_{0};
  Seq last_seq_[kThreads] = {};
};

TEST(GroupCommitStress, OverAFakeStore) {
  FakeStore store;
  std::atomic<size_t> announced{0};
  GroupCommit commit(&store, SystemClock(), {}, [&announced](const CommittedGroup& group) {
    for (const CommittedGroup::Shard& shard : group.shards) announced += shard.entries.size();
  });
  std::thread store_thread([&commit] { commit.Run(); });
  Load load(&commit);
  load.Run();
  commit.Stop();
  store_thread.join();
  EXPECT_EQ(load.appended(), kThreads * static_cast<int>(kEach));
  EXPECT_EQ(load.settled(), static_cast<int>(kEach));
  EXPECT_EQ(load.disorder(), 0);
  EXPECT_EQ(announced, kThreads * kEach);
}

// Reads all there is, as readers do while the store thread writes.
void ReadEverything(const StoreHandle& store, const GroupCommit& commit) {
  for (ShardId shard = 0; shard < 4; ++shard) {
    const auto log = store.reader->ReadLog(shard, 0, 10'000, 1 << 30);
    ASSERT_TRUE(log.ok()) << log.status();
    for (size_t i = 0; i < log->size(); ++i) {
      ASSERT_EQ((*log)[i].seq, i + 1);
    }
    ASSERT_TRUE(store.reader->ReadShard(shard).ok());
  }
  ASSERT_GE(commit.Stats().queue_bytes + store.checkpointer->Stats().wal_bytes, 0U);
}

TEST(GroupCommitStress, OverSqliteWithReadersAndCheckpoints) {
  TempDir directory;
  SqliteOptions options;
  options.data_dir = directory.path() + "/data";
  options.shard_count = 4;
  options.ballast_bytes = 0;
  auto handle = OpenSqlite(options);
  ASSERT_TRUE(handle.ok()) << handle.status();
  GroupCommit commit(handle->store.get(), SystemClock(), {}, nullptr);
  std::thread store_thread([&commit] { commit.Run(); });
  std::thread checkpoint_thread([&handle] { handle->checkpointer->Run(); });
  std::atomic<bool> done{false};
  const auto read = [&] {
    while (!done) ReadEverything(*handle, commit);
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  Load load(&commit);
  load.Run();
  commit.Stop();
  store_thread.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  handle->checkpointer->Stop();
  checkpoint_thread.join();
  EXPECT_EQ(load.appended(), kThreads * static_cast<int>(kEach));
  EXPECT_EQ(load.settled(), static_cast<int>(kEach));
  EXPECT_EQ(load.disorder(), 0);
}

}  // namespace
}  // namespace postrider
