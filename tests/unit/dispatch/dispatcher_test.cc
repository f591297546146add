#include "gateway/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::Each;
using testing::Gt;
using testing::SizeIs;

class StandingClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(2000); }
  absl::Duration Monotonic() const override { return absl::Seconds(100); }
};

// Keeps what is posted until it is told to run it.
class PostedTasks final : public Loop {
 public:
  void Post(Task task) override { tasks.push_back(std::move(task)); }
  void After(absl::Duration delay, Task) override { delays.push_back(delay); }
  void RunAll() {
    while (!tasks.empty()) {
      Task task = std::move(tasks.front());
      tasks.pop_front();
      std::move(task)();
    }
  }

  std::deque<Task> tasks;
  std::vector<absl::Duration> delays;
};

// Counts the pairs that were sent to it.
class CountingMesh final : public Mesh {
 public:
  int LoopOfShard(ShardId) const override { return 0; }
  void Send(int, std::vector<Message> messages) override {
    for (const Message& message : messages) {
      pairs += std::holds_alternative<PairMessage>(message) ? 1 : 0;
    }
  }
  void OnHandedOver(ShardId, size_t) override {}

  size_t pairs = 0;
};

// Keeps the reads that it is asked for.
class KeptReads final : public ReadExecutor {
 public:
  void Run(Read read) override { reads.push_back(std::move(read)); }

  std::vector<Read> reads;
};

TEST(Dispatcher, WhoReadTheSameStretchShareARead) {
  StandingClock clock;
  PostedTasks loop;
  CountingMesh mesh;
  KeptReads reads;
  Dispatcher dispatcher(&loop, nullptr, {.clock = &clock, .reads = &reads}, {}, {}, &mesh);
  dispatcher.RestoreConfiguration({{.number = 1, .subscription = SubscriptionNumbered(1)},
                                   {.number = 2, .subscription = SubscriptionNumbered(2)},
                                   {.number = 3, .subscription = SubscriptionNumbered(3)}});
  dispatcher.RestoreShard(0, {});
  dispatcher.RestoreReader({.subscription = 1, .shard = 0, .next_seq = 5, .settled = {}});
  dispatcher.RestoreReader({.subscription = 2, .shard = 0, .next_seq = 5, .settled = {}});
  dispatcher.RestoreReader({.subscription = 3, .shard = 0, .next_seq = 9, .settled = {}});
  dispatcher.Start();
  loop.RunAll();
  EXPECT_THAT(reads.reads, SizeIs(2));
}

TEST(Dispatcher, AShardThatFansOutHasOneTurnAtATime) {
  const size_t subscriptions = 2 * kFanOutPairsPerTurn + 500;
  StandingClock clock;
  PostedTasks loop;
  CountingMesh mesh;
  Dispatcher dispatcher(&loop, nullptr, {.clock = &clock}, {}, {}, &mesh);
  std::vector<Dispatcher::Configured> configuration;
  for (SubscriptionNumber number = 1; number <= subscriptions; ++number) {
    configuration.push_back({.number = number, .subscription = SubscriptionNumbered(number)});
  }
  dispatcher.RestoreConfiguration(configuration);
  dispatcher.RestoreShard(0, {});
  dispatcher.Start();

  dispatcher.OnEvents({.shard = 0, .entries = {EntryAt(1)}, .attempt_head = 0});
  for (int i = 0; i < 10; ++i) {
    dispatcher.OnHead(0, 1);  // What comes in between is no further turn.
  }
  EXPECT_THAT(loop.tasks, SizeIs(1));
  EXPECT_LE(mesh.pairs, kFanOutPairsPerTurn);
  EXPECT_THAT(loop.delays, Each(Gt(absl::ZeroDuration())));

  loop.RunAll();
  EXPECT_EQ(mesh.pairs, subscriptions);
}

}  // namespace
}  // namespace postrider
