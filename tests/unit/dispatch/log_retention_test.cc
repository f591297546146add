#include "gateway/dispatch/log_retention.h"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "gateway/base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_loop.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr size_t kPerStep = 2;

// Knows of each shard when its events were accepted, and deletes two in a step.
class LogsOnly final : public Store {
 public:
  std::vector<BatchResult> Commit(absl::Span<const Batch> batches, absl::Time) override {
    std::vector<BatchResult> results(batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
      ++steps;
      const auto& write = std::get<DeleteOldEvents>(batches[i].writes.at(0));
      results[i].deleted = Delete(logs.at(*batches[i].shard), write.before);
    }
    return results;
  }
  bool Maintain() override { return false; }
  bool AcceptsAppends(absl::Time) override { return true; }

  struct Log {
    Seq first_seq = 1;
    std::deque<absl::Time> times;
  };
  std::vector<Log> logs;
  int steps = 0;

 private:
  static DeletedEvents Delete(Log& log, absl::Time before) {
    DeletedEvents deleted;
    while (deleted.events < kPerStep && !log.times.empty() && log.times.front() < before) {
      log.times.pop_front();
      ++log.first_seq;
      ++deleted.events;
    }
    deleted.first_seq = log.first_seq;
    deleted.more = deleted.events == kPerStep;
    if (!deleted.more && !log.times.empty()) deleted.oldest = log.times.front();
    return deleted;
  }
};

// A wall clock that may be wrong, beside a monotonic one that is right.
class WallClock final : public Clock {
 public:
  explicit WallClock(const Clock* right) : right_(right) {}
  absl::Time Now() const override { return right_->Now() + ahead; }
  absl::Duration Monotonic() const override { return right_->Monotonic(); }

  absl::Duration ahead;

 private:
  const Clock* const right_;
};

class LogRetentionTest : public testing::Test {
 protected:
  LogRetentionTest() { store_.logs.resize(2); }

  void Start(absl::Duration kept = absl::Hours(48)) {
    LogRetention::Parts parts{.loop = &loop_,
                              .clock = &clock_,
                              .commits = &commits_,
                              .kept = kept,
                              .first_pass = absl::ZeroDuration(),
                              .on_step = [](ShardId, const DeletedEvents&) {},
                              .on_pass = {}};
    parts.on_pass = [this](const std::vector<Seq>& first_seqs) { passes_.push_back(first_seqs); };
    retention_ = std::make_unique<LogRetention>(std::move(parts), std::vector<Seq>{1, 1});
    retention_->Start();
  }
  // An event that is accepted now.
  void Append(ShardId shard) { store_.logs[shard].times.push_back(clock_.Now()); }
  void RunFor(absl::Duration span) {
    constexpr absl::Duration kTick = absl::Milliseconds(5);
    for (absl::Duration passed; passed < span; passed += kTick) {
      loop_.Advance(kTick);
      while (commits_.CommitWaiting()) {
      }
    }
    loop_.Run();
  }
  size_t Kept(ShardId shard) const { return store_.logs[shard].times.size(); }

  ManualLoop loop_;
  WallClock clock_{&loop_};
  LogsOnly store_;
  GroupCommit commits_{&store_, &clock_, GroupCommit::Options{}, nullptr};
  std::vector<std::vector<Seq>> passes_;
  std::unique_ptr<LogRetention> retention_;
};

TEST_F(LogRetentionTest, GoesThroughTheShardsInStepsWithPauses) {
  for (int i = 0; i < 5; ++i) Append(0);
  Append(1);
  loop_.Advance(absl::Hours(49));
  Append(1);
  Start();
  RunFor(absl::Milliseconds(20));
  EXPECT_EQ(Kept(0), 3U) << "others have their turn after a step";
  RunFor(absl::Seconds(1));
  EXPECT_EQ(Kept(0), 0U);
  EXPECT_EQ(Kept(1), 1U);
  EXPECT_THAT(passes_, ElementsAre(ElementsAre(6, 2)));
  EXPECT_EQ(retention_->Stats().deleted, 6U);
  EXPECT_EQ(retention_->Stats().oldest, store_.logs[1].times.front());
}

TEST_F(LogRetentionTest, AsksForNothingBeforeSomethingMayBeOld) {
  Append(0);
  Start();
  RunFor(absl::Minutes(3));
  EXPECT_EQ(store_.steps, 2) << "one a shard, to know how old its oldest event is";
  EXPECT_THAT(passes_, SizeIs(testing::Ge(3))) << "who begins to read is told nevertheless";
  loop_.Advance(absl::Hours(48));
  RunFor(absl::Minutes(2));
  EXPECT_EQ(Kept(0), 0U);
}

TEST_F(LogRetentionTest, AClockThatGoesAheadIsBelievedAfterAnHour) {
  Append(0);
  Start();
  RunFor(absl::Minutes(2));
  clock_.ahead = absl::Hours(24 * 365);
  RunFor(absl::Minutes(50));
  EXPECT_EQ(Kept(0), 1U);
  RunFor(absl::Minutes(13));
  EXPECT_EQ(Kept(0), 0U) << "it was behind before";
}

TEST_F(LogRetentionTest, AClockThatGoesBackAgainHasDoneNoHarm) {
  Append(0);
  Start();
  clock_.ahead = absl::Hours(24 * 365);
  RunFor(absl::Minutes(50));
  clock_.ahead = -absl::Minutes(10);
  RunFor(absl::Minutes(50));
  EXPECT_EQ(Kept(0), 1U);
}

// Each step has an hour of its own.
TEST_F(LogRetentionTest, ASmallStepBeforeALargeOneMakesNoDifference) {
  Append(0);
  Start();
  RunFor(absl::Minutes(2));
  clock_.ahead = absl::Minutes(2);
  RunFor(absl::Minutes(59));
  clock_.ahead = absl::Hours(24 * 30);
  RunFor(absl::Minutes(50));
  EXPECT_EQ(Kept(0), 1U);
  RunFor(absl::Minutes(13));
  EXPECT_EQ(Kept(0), 0U);
}

TEST_F(LogRetentionTest, ByDefaultAStartDeletesNothingForAnHour) {
  EXPECT_EQ(LogRetention::Parts().first_pass, absl::Hours(1));
}

TEST_F(LogRetentionTest, ByDefaultEventsAreKeptAsLongAsTheyMayBeSent) {
  EXPECT_GE(kRetentionDefault, kScheduleTotalMax + kRetentionMargin);
  EXPECT_GE(kRetentionDefault, kDeliveryAgeMax + kRetentionMargin);
}

TEST_F(LogRetentionTest, StopsBetweenSteps) {
  for (int i = 0; i < 5; ++i) Append(0);
  loop_.Advance(absl::Hours(49));
  Start();
  RunFor(absl::Milliseconds(20));
  retention_->Stop();
  RunFor(absl::Minutes(2));
  EXPECT_EQ(Kept(0), 3U);
}

TEST_F(LogRetentionTest, WithoutAnEndNothingIsEverAsked) {
  Append(0);
  Start(absl::InfiniteDuration());
  loop_.Advance(absl::Hours(24 * 3650));
  EXPECT_EQ(store_.steps, 0);
  EXPECT_THAT(passes_, IsEmpty());
}

}  // namespace
}  // namespace postrider
