// Goal: what a process died of is counted at the next start, and once (E8).
// Method: a real store, and a child that dies.
#include "gateway/death_count.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "gateway/base/work_item.h"
#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DeathCount : public testing::Test {
 protected:
  DeathCount() {
    SqliteOptions options;
    options.data_dir = directory_.path() + "/data";
    options.free_bytes_min = 0;
    options.ballast_bytes = 0;
    store_ = *OpenSqlite(options);
    Commit(BatchOf(std::nullopt,
                   PutSubscription{.subscription = NewSubscription("a"), .start_at_heads = true}));
    for (uint64_t n = 1; n <= 2; ++n) Commit(BatchOf(kShard, AppendEvent{NewEvent(n)}));
  }
  void Commit(const Batch& batch) { store_.store->Commit({&batch, 1}, SystemClock()->Now()); }
  void Start() { CountEarlierDeaths(path_, store_.store.get(), SystemClock(), SystemRandom()); }
  // A process that counts and then dies of the event.
  void DieOf(Seq seq) {
    const absl::StatusOr<std::vector<Death>> before = ReadDeaths(path_);
    ASSERT_TRUE(before.ok() && before->empty());
    const pid_t child = fork();
    if (child == 0) {
      if (!RecordDeaths(path_, ++boots_).ok()) _exit(3);
      const WorkScope scope(ItemOf(1, kShard, seq));
      raise(SIGSEGV);
    }
    ++boots_;
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_NE(status, 0);
  }
  std::vector<Suspect> Suspects() { return store_.reader->ReadConfiguration()->suspects; }
  Suspect Of(Seq seq, int deaths) { return {.item = ItemOf(1, kShard, seq), .deaths = deaths}; }

  static constexpr ShardId kShard = 3;
  TempDir directory_;
  StoreHandle store_;
  uint64_t boots_ = 100;
  const std::string path_ = directory_.path() + "/deaths";
};

TEST_F(DeathCount, AStartAfterADeathCountsItAndForgetsTheFile) {
  Start();
  EXPECT_THAT(Suspects(), IsEmpty());
  for (int i = 0; i < 2; ++i) {
    DieOf(2);
    Start();
    EXPECT_THAT(*ReadDeaths(path_), IsEmpty());
  }
  Start();
  EXPECT_THAT(Suspects(), ElementsAre(Of(2, 2)));
}

TEST_F(DeathCount, AFileThatWasNotEmptiedIsNotCountedAgain) {
  DieOf(1);
  const std::vector<Death> deaths = *ReadDeaths(path_);
  Commit(BatchOf(std::nullopt, CountDeaths{deaths}));  // The start died, too, before it was empty.
  Start();
  EXPECT_THAT(Suspects(), ElementsAre(Of(1, 1)));
  EXPECT_THAT(*ReadDeaths(path_), IsEmpty());
}

}  // namespace
}  // namespace postrider
