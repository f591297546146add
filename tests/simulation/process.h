#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/engine.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/open_store.h"
#include "tests/simulation/fake_subscriber.h"
#include "tests/simulation/sim_services.h"

namespace postrider {

// One life of the gateway's process: the real store, group commit and engine, on loops, reader
// threads and a wire that are turned by hand. Destroying it is a crash: what was not committed is
// gone.
class Process {
 public:
  struct Options {
    std::string data_dir;
    uint32_t shards = 2;
    int loops = 2;
    size_t failing_commits = 0;  // One in so many; 0: none.
    bool stalls = false;         // Whether loops, reads and commits are now and then held up.
    SendTurns::Caps caps;
    int life = 0;
    size_t read_bytes_max = kReadBytesMax;
    absl::Duration retention = absl::InfiniteDuration();
    SubscriptionEvents* events = nullptr;  // Outlives this; null: nobody listens.
    std::vector<Death> deaths;             // Of earlier lives, to be counted (E8).
  };

  // Opens the store and recovers. The pointers outlive this.
  Process(const Options& options, FakeClock* clock, SeededRandom* random,
          const FakePoster::Subscribers* subscribers);

  // Does one thing of those that could happen now, by chance. False: nothing can, at this moment.
  bool Step();
  // Whether nothing is to be done, and nothing held up, before a later moment.
  bool idle() const;
  // The next moment at which something can, as time since the clock's start.
  absl::Duration NextMoment() const;

  GroupCommit& commits() { return *commits_; }
  Engine& engine() { return *engine_; }
  FaultyStore& store_faults() { return faulty_store_; }
  StoreReader& reader() { return *store_.reader; }
  // What it has died of by its own fault, if it has: it does nothing more.
  const std::vector<WorkItem>& died_of() const { return died_of_; }
  // For how long a loop has not run, at the longest.
  absl::Duration longest_sleep() const;
  // What readers and retries hold in memory, of all loops.
  size_t read_bytes() const;
  // For how long the subscriber has been throttled that has been so the longest; zero: none is.
  absl::Duration throttled_age() const;

 private:
  struct Stage {
    absl::Duration held_up_until;  // Since the clock's start.
  };

  void Recover(uint32_t shards);
  bool Free(const Stage& stage) const { return stage.held_up_until <= clock_->elapsed(); }
  void MayStall(Stage* stage);
  bool CommitWaits() const;
  bool RunOne(size_t stage);

  const bool stalls_;
  const size_t maintains_one_in_;
  FakeClock* const clock_;
  SeededRandom* const random_;
  StoreHandle store_;
  FaultyStore faulty_store_;
  std::vector<WorkItem> died_of_;
  SimReads reads_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::vector<std::unique_ptr<FakePoster>> posters_;
  std::unique_ptr<GroupCommit> commits_;
  std::unique_ptr<Engine> engine_;
  std::vector<Stage> stages_;  // The loops, then the reads, then the commits.
};

}  // namespace postrider
