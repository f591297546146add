#include "tests/simulation/process.h"

#include <algorithm>
#include <utility>

#include "gateway/base/check.h"

namespace postrider {
namespace {

// How often a commit that is held up is looked at again.
constexpr absl::Duration kCommitPoll = absl::Milliseconds(50);
constexpr size_t kMaintainOneIn = 8;

constexpr size_t kStallOneIn = 12;
constexpr size_t kStallMillisecondsMax = 80;

StoreHandle OpenStore(const Process::Options& options) {
  SqliteOptions sqlite;
  sqlite.data_dir = options.data_dir;
  sqlite.shard_count = options.shards;
  sqlite.read_connections = 1;
  sqlite.free_bytes_min = 0;
  sqlite.ballast_bytes = 0;
  sqlite.durability = Durability::kProcessDeath;
  absl::StatusOr<StoreHandle> store = OpenSqlite(sqlite);
  CHECK(store.ok());
  return *std::move(store);
}

}  // namespace

Process::Process(const Options& options, FakeClock* clock, SeededRandom* random,
                 const FakePoster::Subscribers* subscribers)
    : stalls_(options.stalls),
      // Nothing is deleted that is not indexed yet.
      maintains_one_in_(options.retention == absl::InfiniteDuration() ? kMaintainOneIn : 1),
      clock_(clock),
      random_(random),
      store_(OpenStore(options)),
      faulty_store_(store_.store.get(), random, options.failing_commits),
      reads_(store_.reader.get()) {
  commits_ =
      std::make_unique<GroupCommit>(&faulty_store_, clock, GroupCommit::Options{},
                                    [this](const CommittedGroup& g) { engine_->OnCommitted(g); });
  stages_.resize(options.loops + 2);
  std::vector<Engine::LoopParts> parts;
  const absl::Duration world_start = clock->Monotonic() - clock->elapsed();
  for (int i = 0; i < options.loops; ++i) {
    loops_.push_back(std::make_unique<SimLoop>(clock));
    posters_.push_back(std::make_unique<FakePoster>(loops_.back().get(), clock, world_start,
                                                    options.life, subscribers, &died_of_));
    parts.push_back({.loop = loops_.back().get(), .poster = posters_.back().get()});
  }
  const DispatchServices services{.clock = clock,
                                  .random = random,
                                  .commits = commits_.get(),
                                  .reads = &reads_,
                                  .events = options.events};
  DeliveryQueue::Options queue_options;
  queue_options.read_bytes_max = options.read_bytes_max;
  queue_options.retention = options.retention;
  queue_options.first_deletion = absl::ZeroDuration();  // The scenarios have short lives.
  engine_ = std::make_unique<Engine>(parts, options.shards, services, queue_options, options.caps);
  if (!options.deaths.empty()) {
    Batch batch;
    batch.writes.emplace_back(CountDeaths{options.deaths});
    CHECK(store_.store->Commit({&batch, 1}, clock->Now())[0].state == CommitState::kCommitted);
  }
  Recover(options.shards);
}

void Process::Recover(uint32_t shard_count) {
  const absl::StatusOr<Engine::Recovery> recovery = Engine::Read(*store_.reader, shard_count);
  CHECK(recovery.ok());
  engine_->Recover(*recovery);
  engine_->Start();
}

bool Process::Step() {
  const size_t loops = loops_.size();
  std::vector<size_t> ready;
  for (size_t i = 0; i < loops; ++i) {
    if (loops_[i]->CanRun() && Free(stages_[i])) ready.push_back(i);
  }
  if (reads_.waiting() > 0 && Free(stages_[loops])) ready.push_back(loops);
  if (CommitWaits() && Free(stages_[loops + 1])) ready.push_back(loops + 1);
  if (ready.empty()) return false;
  const size_t choice = ready[random_->Below(ready.size())];
  const bool done = RunOne(choice);
  MayStall(&stages_[choice]);
  return done || ready.size() > 1;
}

bool Process::RunOne(size_t stage) {
  if (stage < loops_.size()) {
    loops_[stage]->RunOne();
    return true;
  }
  if (stage == loops_.size()) {
    reads_.RunOne(random_->Below(reads_.waiting()));
    return true;
  }
  if (!commits_->CommitWaiting()) {
    stages_[stage].held_up_until = clock_->elapsed() + kCommitPoll;
    return false;
  }
  if (random_->OneIn(maintains_one_in_)) store_.store->Maintain();
  return true;
}

void Process::MayStall(Stage* stage) {
  if (!stalls_ || !random_->OneIn(kStallOneIn)) return;
  const absl::Duration stall = absl::Milliseconds(random_->Below(kStallMillisecondsMax));
  stage->held_up_until = std::max(stage->held_up_until, clock_->elapsed() + stall);
}

absl::Duration Process::throttled_age() const {
  const int64_t now = absl::ToInt64Nanoseconds(clock_->Monotonic());
  int64_t due = now;
  for (int i = 0; i < engine_->loops(); ++i) {
    due = std::min<int64_t>(due, engine_->counters(i).throttled_due);
  }
  return absl::Nanoseconds(now - due);
}

size_t Process::read_bytes() const {
  size_t bytes = 0;
  for (int i = 0; i < engine_->loops(); ++i) {
    bytes += static_cast<size_t>(engine_->counters(i).read_bytes.load());
  }
  return bytes;
}

absl::Duration Process::longest_sleep() const {
  absl::Duration longest;
  for (const auto& loop : loops_) {
    longest = std::max(longest, clock_->Monotonic() - loop->last_run());
  }
  return longest;
}

bool Process::CommitWaits() const {
  const GroupCommitStats stats = commits_->Stats();
  return stats.waiting_appends + stats.waiting_batches > 0;
}

bool Process::idle() const {
  return reads_.waiting() == 0 && !CommitWaits() &&
         std::none_of(loops_.begin(), loops_.end(),
                      [](const auto& loop) { return loop->CanRun(); });
}

absl::Duration Process::NextMoment() const {
  const size_t loops = loops_.size();
  const absl::Duration now = clock_->elapsed();
  const absl::Duration monotonic_start = clock_->Monotonic() - now;
  absl::Duration next = absl::InfiniteDuration();
  for (size_t i = 0; i < loops; ++i) {
    const absl::Duration work =
        loops_[i]->CanRun() ? now : loops_[i]->next_timer() - monotonic_start;
    next = std::min(next, std::max(work, stages_[i].held_up_until));
  }
  if (reads_.waiting() > 0) next = std::min(next, std::max(now, stages_[loops].held_up_until));
  if (CommitWaits()) next = std::min(next, std::max(now, stages_[loops + 1].held_up_until));
  return next;
}

}  // namespace postrider
