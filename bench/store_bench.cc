// What the store costs: events and outcomes, by the size of the group.
//
// CPU time an item is the figure to compare (docs: design of the store); real time has the syncs
// in it.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "gateway/base/check.h"
#include "gateway/base/clock.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/open_store.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

constexpr uint32_t kShards = 16;
constexpr int kOrganizations = 1000;

// A store of its own, with every part of it running as a gateway runs it but the threads.
class OpenedStore {
 public:
  OpenedStore() {
    SqliteOptions options;
    options.data_dir = directory_.path() + "/data";
    options.shard_count = kShards;
    options.ballast_bytes = 0;
    absl::StatusOr<StoreHandle> handle = OpenSqlite(options);
    CHECK(handle.ok());
    handle_ = *std::move(handle);
  }

  Store* store() { return handle_.store.get(); }
  StoreReader* reader() { return handle_.reader.get(); }

 private:
  TempDir directory_;
  StoreHandle handle_;
};

std::vector<std::shared_ptr<const Event>> MakeEvents(size_t count, uint64_t* next) {
  static const std::string body(1000, 'x');
  std::vector<std::shared_ptr<const Event>> events;
  for (size_t i = 0; i < count; ++i) {
    const std::string organization =
        "5c138790ec944f05ff5f" + std::to_string(*next % kOrganizations);
    events.push_back(NewEvent((*next)++, organization, body));
  }
  return events;
}

// Events of 1 kB through the whole GroupCommit, indexes included.
void BM_Append(benchmark::State& state) {
  OpenedStore opened;
  GroupCommit commit(opened.store(), SystemClock(), {}, [](const CommittedGroup&) {});
  uint64_t next = 1;
  const auto size = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<std::shared_ptr<const Event>> events = MakeEvents(size, &next);
    state.ResumeTiming();
    for (std::shared_ptr<const Event>& event : events) {
      const ShardId shard = ShardOf(event->organization, kShards);
      commit.Append(shard, std::move(event), false, [](absl::StatusOr<Appended> appended) {
        CHECK(appended.ok() && appended->kind == Appended::Kind::kNew);
      });
    }
    CHECK(commit.CommitWaiting());
  }
  state.SetItemsProcessed(static_cast<int64_t>(next - 1));
}
BENCHMARK(BM_Append)->Arg(1)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

// Outcomes of first attempts: an attempt and a cursor each, or an attempt and an exception.
void BM_Outcome(benchmark::State& state) {
  OpenedStore opened;
  GroupCommit commit(opened.store(), SystemClock(), {}, nullptr);
  const bool failed = state.range(1) != 0;
  const absl::Time now = SystemClock()->Now();
  Seq seq = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      const ShardId shard = static_cast<ShardId>(++seq % kShards);
      Batch batch = BatchOf(shard, RecordAttempt{NewAttempt(seq % 100 + 1, seq)});
      if (failed) {
        batch.writes.push_back(PutException{NewException(shard, seq % 100 + 1, seq, now)});
      } else {
        batch.writes.push_back(AdvanceCursor{seq, seq});
      }
      commit.Submit(std::move(batch), [](const BatchResult& result) {
        CHECK(result.state == CommitState::kCommitted);
      });
    }
    CHECK(commit.CommitWaiting());
  }
  state.SetItemsProcessed(static_cast<int64_t>(seq));
}
BENCHMARK(BM_Outcome)
    ->ArgNames({"group", "failed"})
    ->ArgsProduct({{100, 1000}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

// Bringing the secondary indexes up to the log, a row.
void BM_Index(benchmark::State& state) {
  OpenedStore opened;
  GroupCommit commit(opened.store(), SystemClock(), {}, nullptr);
  uint64_t next = 1;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::shared_ptr<const Event>& event : MakeEvents(16'384, &next)) {
      const ShardId shard = ShardOf(event->organization, kShards);
      commit.Append(shard, std::move(event), false, [](const absl::StatusOr<Appended>&) {});
    }
    while (commit.CommitWaiting()) {
    }
    state.ResumeTiming();
    while (opened.store()->Maintain()) {
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(next - 1));
}
BENCHMARK(BM_Index)->Unit(benchmark::kMillisecond);

// Pages of the log, as readers and recovery take them.
void BM_ReadLog(benchmark::State& state) {
  OpenedStore opened;
  uint64_t next = 1;
  std::vector<Batch> batches(1);
  batches[0].shard = 0;
  for (std::shared_ptr<const Event>& event : MakeEvents(10'000, &next)) {
    batches[0].writes.push_back(AppendEvent{std::move(event)});
  }
  CHECK(opened.store()->Commit(batches, SystemClock()->Now())[0].state == CommitState::kCommitted);
  Seq after = 0;
  int64_t read = 0;
  for (auto _ : state) {
    const auto entries = opened.reader()->ReadLog(0, after, 256, 256 * 1024);
    CHECK(entries.ok());
    read += static_cast<int64_t>(entries->size());
    after = entries->empty() ? 0 : entries->back().seq;
  }
  state.SetItemsProcessed(read);
}
BENCHMARK(BM_ReadLog)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace postrider
