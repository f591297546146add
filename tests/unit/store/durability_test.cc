// OK means synced: what was answered as committed is there after the power went, whatever the disk
// did with the rest.

#include <sys/stat.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/forgetful_vfs.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

constexpr uint32_t kShards = 2;
constexpr uint64_t kSeeds = 15;

SqliteOptions OptionsOf(const std::string& directory) {
  SqliteOptions options;
  options.data_dir = directory;
  options.shard_count = kShards;
  options.ballast_bytes = 0;
  return options;
}

// A store with a life behind it, on a disk that forgets.
class Life {
 public:
  explicit Life(const std::string& vfs, Durability durability = Durability::kPowerLoss)
      : vfs_(vfs), directory_(home_.path() + "/data") {
    SqliteOptions options = OptionsOf(directory_);
    options.vfs = vfs_.name();
    options.durability = durability;
    auto handle = OpenSqlite(options);
    EXPECT_TRUE(handle.ok()) << handle.status();
    handle_ = *std::move(handle);
    checkpoints_ = std::thread([this] { handle_.checkpointer->Run(); });
  }
  ~Life() {
    handle_.checkpointer->Stop();
    checkpoints_.join();
  }

  ForgetfulVfs& vfs() { return vfs_; }

  // Commits events, outcomes and configuration in groups, with all that goes on beside them.
  void Live(int groups) {
    for (int group = 0; group < groups; ++group) {
      Commit();
      if (group % 5 == 4) handle_.store->Maintain();
    }
  }

  // What a store shows that was opened on what the disk has kept.
  struct Found {
    bool opened = false;
    Seq head = 0;
    uint64_t events = 0;
    uint64_t attempts = 0;
    uint64_t exceptions = 0;
    uint64_t subscriptions = 0;
  };
  Found AfterPowerLoss(uint64_t seed) {
    TempDir copy;
    EXPECT_EQ(mkdir((copy.path() + "/data").c_str(), 0700), 0);
    vfs_.LosePower(directory_, copy.path() + "/data", seed);
    return Look(copy.path() + "/data");
  }

  uint64_t committed() const { return committed_; }

 private:
  void Commit() {
    const uint64_t n = ++next_;
    std::vector<Batch> batches = {
        BatchOf(std::nullopt, PutSubscription{NewSubscription("s" + std::to_string(n)), 0, true}),
        BatchOf(0, AppendEvent{NewEvent(n, "acme", std::string(3000, 'x'))},
                RecordAttempt{NewAttempt(n, n, Disposition::kException)},
                PutException{NewException(0, n, n, absl::UnixEpoch())})};
    for (const BatchResult& result : handle_.store->Commit(batches, absl::FromUnixSeconds(n))) {
      ASSERT_EQ(result.state, CommitState::kCommitted) << result.error;
    }
    committed_ = n;
  }

  static Found Look(const std::string& directory) {
    Found found;
    const auto handle = OpenSqlite(OptionsOf(directory));
    if (!handle.ok()) {
      return found;
    }
    found.opened = true;
    StoreReader& reader = *handle->reader;
    const auto log = reader.ReadLog(0, 0, 1'000'000, 1 << 30);
    const auto shard = reader.ReadShard(0);
    const auto due = reader.ReadNextDue();
    const auto configuration = reader.ReadConfiguration();
    if (!log.ok() || !shard.ok() || !due.ok() || !configuration.ok()) {
      found.opened = false;
      return found;
    }
    found.head = shard->position.head;
    found.attempts = shard->position.attempt_head;
    found.events = log->size();
    for (size_t i = 0; i < log->size(); ++i) {
      EXPECT_EQ((*log)[i].seq, i + 1);
      EXPECT_EQ((*log)[i].event->body, std::string(3000, 'x'));
    }
    found.exceptions = due->size();
    found.subscriptions = configuration->subscriptions.size();
    return found;
  }

  TempDir home_;
  ForgetfulVfs vfs_;
  const std::string directory_;
  StoreHandle handle_;
  uint64_t next_ = 0;
  std::atomic<uint64_t> committed_{0};
  std::thread checkpoints_;
};

void ExpectAll(const Life::Found& found, uint64_t committed) {
  ASSERT_TRUE(found.opened);
  EXPECT_EQ(found.head, committed);
  // All of a group, or nothing of it.
  EXPECT_EQ(found.events, committed);
  EXPECT_EQ(found.attempts, committed);
  EXPECT_EQ(found.exceptions, committed);
  EXPECT_EQ(found.subscriptions, committed);
}

TEST(Durability, CommittedSurvivesPowerLoss) {
  Life life("forgetful");
  for (int round = 0; round < 3; ++round) {
    life.Live(60);  // Some checkpoints' worth.
    for (uint64_t seed = 0; seed <= kSeeds; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      ExpectAll(life.AfterPowerLoss(seed), life.committed());
    }
  }
}

TEST(Durability, AGroupIsThereWhollyOrNotAtAll) {
  Life life("forgetful-midway");
  std::atomic<bool> stop{false};
  std::thread living([&] {
    while (!stop) life.Live(1);
  });
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const uint64_t before = life.committed();
    const Life::Found found = life.AfterPowerLoss(seed);
    EXPECT_GE(found.head, before);
    ExpectAll(found, found.head);
  }
  stop = true;
  living.join();
}

TEST(Durability, AFreshStoreSurvivesPowerLoss) {
  Life life("forgetful-fresh");
  for (uint64_t seed = 0; seed <= kSeeds; ++seed) {
    ExpectAll(life.AfterPowerLoss(seed), 0);
  }
}

// The tests above must be able to fail.

TEST(DurabilityControl, WithoutSyncsTheLossIsSeen) {
  Life life("forgetful-off", Durability::kProcessDeath);
  life.Live(20);
  const Life::Found found = life.AfterPowerLoss(0);
  EXPECT_LT(found.events, life.committed());
}

TEST(DurabilityControl, WithoutSyncsOfTheLogTheLossIsSeen) {
  Life life("forgetful-normal");
  life.Live(5);
  ExpectAll(life.AfterPowerLoss(0), 5);
  life.vfs().IgnoreSyncsOf("-wal");  // As synchronous = NORMAL.
  life.Live(5);
  const Life::Found found = life.AfterPowerLoss(0);
  ASSERT_TRUE(found.opened);
  EXPECT_EQ(found.events, 5U);
}

}  // namespace
}  // namespace postrider
