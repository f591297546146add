#include "gateway/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "gateway/base/random.h"
#include "gateway/base/work_item.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::Each;
using testing::ElementsAre;
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

// Keeps what it is to send, and what was worked on then.
class KeepingPoster final : public Poster {
 public:
  std::shared_ptr<const Endpoint> Prepare(const Subscription&) override {
    return std::make_shared<Endpoint>();
  }
  void Post(PostRequest request, Done when_done) override {
    work.push_back(CurrentWork());
    items.push_back(request.item);
    done = std::move(when_done);
  }
  void Challenge(std::shared_ptr<const Endpoint>, std::string, Done) override {}

  std::vector<WorkItem> work;
  std::vector<WorkItem> items;
  Done done;
};

// Keeps what was worked on when something died.
class WorkAtDeath final : public SubscriptionEvents {
 public:
  void OnHealth(SubscriptionNumber, const SubscriptionHealth&) override {
    work_at_health = CurrentWork();
  }
  void OnWarning(SubscriptionNumber, int) override {}
  void OnMustDisable(SubscriptionNumber, absl::string_view, absl::string_view) override {}
  void OnRecovered(SubscriptionNumber, absl::Time) override {}
  void OnDead(SubscriptionNumber, const LogEntry&, DeadReason) override { work = CurrentWork(); }
  void OnExpired(SubscriptionNumber, absl::Time) override {}
  void OnRemoved(SubscriptionNumber) override {}

  WorkItem work;
  std::optional<WorkItem> work_at_health;
};

TEST(Dispatcher, WhatIsSentAndJudgedIsWorkedOnAndNothingElseIs) {
  StandingClock clock;
  PostedTasks loop;
  CountingMesh mesh;
  KeepingPoster poster;
  WorkAtDeath events;
  Dispatcher dispatcher(&loop, &poster,
                        {.clock = &clock, .random = SystemRandom(), .events = &events}, {}, {},
                        &mesh);
  auto subscription = SubscriptionNumbered(1);
  subscription->policy.schedule = {absl::ZeroDuration()};
  dispatcher.RestoreConfiguration({{.number = 1, .subscription = subscription}});
  dispatcher.RestoreShard(0, {});
  dispatcher.Start();
  dispatcher.OnMessages({PairMessage{.subscription = 1, .entry = EntryAt(5)}});
  EXPECT_THAT(poster.work, ElementsAre(ItemOf(1, 0, 5)));
  EXPECT_THAT(poster.items, ElementsAre(ItemOf(1, 0, 5)));

  const WorkScope of_the_connection(ItemOf(1, 0, 5));
  std::move(poster.done)({.outcome = Outcome::kHttpStatus, .http_status = 500});
  EXPECT_EQ(events.work, ItemOf(1, 0, 5));
  EXPECT_EQ(events.work_at_health, WorkItem()) << "the rest of the turn";
}

}  // namespace
}  // namespace postrider
