#include "gateway/store/group_commit.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

// A group is large enough then: gathering longer would only delay.
constexpr size_t kGatheredBatchesMax = 512;

// How long a stopping process goes on trying to write what a failing store does not take.
constexpr absl::Duration kStopTriesMax = absl::Seconds(5);

// Maintenance shares a sync with nobody: not after every little group.
constexpr absl::Duration kMaintenanceInterval = absl::Milliseconds(200);

// When a refused publisher should come again.
constexpr absl::Duration kQueueRetry = absl::Milliseconds(250);
constexpr absl::Duration kStoreRetry = absl::Seconds(1);

absl::Status Unavailable(absl::string_view text, absl::string_view reason, absl::Duration retry) {
  return WithRetry(WithReason(absl::UnavailableError(text), reason), retry);
}

absl::Status Stopping() {
  return Unavailable("the gateway is stopping; nothing was stored", "STOPPING", kStoreRetry);
}

}  // namespace

GroupCommit::GroupCommit(Store* store, const Clock* clock, Options options, Committed committed)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      committed_(std::move(committed)),
      next_maintenance_(clock->Monotonic()) {}

void GroupCommit::Append(ShardId shard, std::shared_ptr<const Event> event, bool put_path,
                         AppendDone done, Gate gate) {
  PendingAppend append{shard, std::move(event), put_path, std::move(done), std::move(gate)};
  absl::Status status;
  {
    MutexLock lock(&mutex_);
    status = Admit(*append.event, append.bytes());
    if (status.ok()) {
      appends_.Push(std::move(append));
      if (sleep_ != Sleep::kAwake) {
        wake_.NotifyOne();
      }
      return;
    }
    ++stats_.refused;
  }
  std::move(append.done)(std::move(status));
}

absl::Status GroupCommit::Admit(const Event& event, size_t bytes) const {
  if (stopping_ || ended_) {
    return Stopping();
  }
  if (failed_) {
    return StoreFailing();
  }
  const size_t of_organization = appends_.bytes_of(event.organization);
  if (of_organization > 0 && of_organization + bytes > options_.queue_bytes_max / 2) {
    return WithRetry(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       "event.organization: ", event.organization, " has ", of_organization,
                       " bytes waiting to be stored; the limit is ", options_.queue_bytes_max / 2)),
                   "ORGANIZATION_QUEUE_FULL"),
        kQueueRetry);
  }
  if (!appends_.empty() && appends_.bytes() + bytes > options_.queue_bytes_max) {
    return Unavailable(absl::StrCat("the commit queue is full: ", appends_.bytes(),
                                    " bytes; the limit is ", options_.queue_bytes_max),
                       "COMMIT_QUEUE_FULL", kQueueRetry);
  }
  return absl::OkStatus();
}

void GroupCommit::Submit(Batch batch, BatchDone done) {
  BatchResult result;
  result.state = CommitState::kNotApplied;
  {
    MutexLock lock(&mutex_);
    result.error = RefusalOf(batch);
    if (result.error.empty()) {
      if (batches_.empty()) {
        batches_since_ = clock_->Monotonic();
      }
      const bool configuration = !batch.shard.has_value();
      batches_.Push(PendingBatch{std::move(batch), std::move(done)});
      if (sleep_ == Sleep::kIdle || (sleep_ == Sleep::kGathering &&
                                     (configuration || batches_.count() >= kGatheredBatchesMax))) {
        wake_.NotifyOne();
      }
      return;
    }
  }
  std::move(done)(result);
}

const char* GroupCommit::RefusalOf(const Batch& batch) const {
  if (ended_) {
    return "the store thread has ended";
  }
  if (!batch.shard.has_value() && batches_.configuration_count() >= kConfigurationBatchesMax) {
    return "too many changes of the configuration wait";
  }
  return "";
}

bool GroupCommit::CommitWaiting() {
  CommitGroup group;
  if (!Take(&group)) {
    return false;
  }
  if (!group.appends.empty() && !store_->AcceptsAppends(clock_->Now())) {
    const absl::Status full =
        Unavailable("the disk is nearly full; nothing was stored", "STORE_FULL", kStoreRetry);
    std::fill(group.refusals.begin(), group.refusals.end(), full);
  }
  group.AskGates();
  group.Build(&spare_writes_);
  Commit(&group);
  CheckKnown(group);
  maintenance_wanted_ = true;
  const CommittedGroup changes = group.TakeChanges();
  if (committed_ && !changes.empty()) {
    committed_(changes);
  }
  AnswerBatches(&group);
  const CommitGroup::Answered answered = group.AnswerAppends();
  group.Recycle(&spare_writes_);
  MutexLock lock(&mutex_);
  stats_.appended += answered.appended;
  stats_.refused += answered.refused;
  return true;
}

bool GroupCommit::Take(CommitGroup* group) {
  MutexLock lock(&mutex_);
  const absl::Duration now = clock_->Monotonic();
  batches_.Take(now, &group->submitted);
  appends_.Take(kGroupBytesMax, &group->appends);
  group->refusals.resize(group->appends.size());
  for (size_t i = 0; i < group->appends.size(); ++i) {
    // Behind a settlement that is being retried nothing of the shard goes ahead, and a publisher
    // does not wait for that long.
    if (batches_.HeldUp(group->appends[i].shard, now)) {
      group->refusals[i] = StoreFailing();
    }
  }
  return !group->empty();
}

void GroupCommit::Commit(CommitGroup* group) {
  if (group->batches().empty()) {
    return;
  }
  if (const std::optional<BatchResult> refusal = RefusalOfAll(); refusal.has_value()) {
    group->set_results(std::vector<BatchResult>(group->batches().size(), *refusal));
    return;
  }
  const absl::Duration begin = clock_->Monotonic();
  group->set_results(store_->Commit(group->batches(), clock_->Now()));
  const absl::Duration taken = clock_->Monotonic() - begin;
  const std::vector<BatchResult>& results = group->results();
  CHECK(results.size() == group->batches().size());
  const bool applied = std::all_of(results.begin(), results.end(), [](const BatchResult& result) {
    return result.state == CommitState::kCommitted;
  });
  MutexLock lock(&mutex_);
  stats_.last_commit = taken;
  stats_.longest_commit = std::max(stats_.longest_commit, taken);
  stats_.total_commit += taken;
  ++(applied ? stats_.groups : stats_.not_applied);
}

void GroupCommit::CheckKnown(const CommitGroup& group) {
  const auto unknown =
      std::find_if(group.results().begin(), group.results().end(),
                   [](const BatchResult& result) { return result.state == CommitState::kUnknown; });
  if (unknown == group.results().end() || failed()) {
    return;
  }
  LogError(absl::StrCat("store: the outcome of a commit is unknown: ", unknown->error));
  if (options_.on_fatal) {
    options_.on_fatal(unknown->error);
  }
  MutexLock lock(&mutex_);
  failed_ = true;
}

bool GroupCommit::failed() const {
  MutexLock lock(&mutex_);
  return failed_;
}

std::optional<BatchResult> GroupCommit::RefusalOfAll() const {
  MutexLock lock(&mutex_);
  BatchResult refusal;
  if (failed_) {
    refusal.state = CommitState::kUnknown;
    refusal.error = "an earlier commit's outcome is unknown";
    return refusal;
  }
  if (gave_up_) {
    refusal.state = CommitState::kNotApplied;
    refusal.error = "the process is stopping and has given up on the store";
    return refusal;
  }
  return std::nullopt;
}

void GroupCommit::AnswerBatches(CommitGroup* group) {
  std::vector<PendingBatch> again;
  std::vector<size_t> final;
  std::string failure;
  {
    MutexLock lock(&mutex_);
    const absl::Duration now = clock_->Monotonic();
    const bool give_up = failed_ || (stopping_ && now - stop_time_ > kStopTriesMax);
    for (size_t i = 0; i < group->submitted.size(); ++i) {
      const BatchResult& result = group->results()[i];
      const bool owed =
          result.state == CommitState::kNotApplied && group->batches()[i].shard.has_value();
      gave_up_ = gave_up_ || (owed && give_up);
      if (owed && !give_up) {
        failure = result.error;
        group->submitted[i].batch = group->TakeBatch(i);
        again.push_back(std::move(group->submitted[i]));
        continue;
      }
      if (result.state == CommitState::kCommitted) {
        batches_.Succeeded(group->batches()[i].shard);
      }
      final.push_back(i);
    }
    batches_.Return(now, std::move(again));
  }
  if (!failure.empty()) {
    LogWarning(absl::StrCat("store: writes are tried again: ", failure));
  }
  for (const size_t i : final) {
    std::move(group->submitted[i].done)(group->results()[i]);
  }
}

void GroupCommit::Run() {
  while (true) {
    switch (AwaitWork()) {
      case Work::kCommit:
        CommitWaiting();
        Maintain(/*idle=*/false);
        break;
      case Work::kMaintain: Maintain(/*idle=*/true); break;
      case Work::kEnd: return;
    }
  }
}

GroupCommit::Work GroupCommit::AwaitWork() {
  MutexLock lock(&mutex_);
  while (true) {
    const absl::Duration now = clock_->Monotonic();
    if (CommitDue(now)) {
      return Work::kCommit;
    }
    if (stopping_ && batches_.empty()) {
      ended_ = true;
      return Work::kEnd;
    }
    if (maintenance_wanted_ && now >= next_maintenance_ && !batches_.Ready(now)) {
      return Work::kMaintain;
    }
    WaitForWork(now);
  }
}

bool GroupCommit::CommitDue(absl::Duration now) const {
  if (!appends_.empty() || batches_.configuration_count() > 0) {
    return true;
  }
  return batches_.Ready(now) && (stopping_ || batches_.count() >= kGatheredBatchesMax ||
                                 now >= batches_since_ + kOutcomeGatherMax);
}

void GroupCommit::WaitForWork(absl::Duration now) {
  const bool gathering = batches_.Ready(now);
  absl::Duration until = batches_.NextRetry(now);
  if (gathering) {
    until = std::min(until, batches_since_ + kOutcomeGatherMax);
  } else if (maintenance_wanted_) {
    until = std::min(until, next_maintenance_);
  }
  sleep_ = gathering ? Sleep::kGathering : Sleep::kIdle;
  if (until == absl::InfiniteDuration()) {
    wake_.Wait(&mutex_);
  } else {
    // At least a little, so that a clock that stands still does not make this spin.
    wake_.WaitFor(&mutex_, std::max(until - now, absl::Microseconds(100)));
  }
  sleep_ = Sleep::kAwake;
}

void GroupCommit::Maintain(bool idle) {
  const absl::Duration now = clock_->Monotonic();
  if (!maintenance_wanted_ || now < next_maintenance_) {
    return;
  }
  maintenance_wanted_ = store_->Maintain();
  next_maintenance_ =
      now + (maintenance_wanted_ && idle ? absl::ZeroDuration() : kMaintenanceInterval);
}

void GroupCommit::Stop() {
  MutexLock lock(&mutex_);
  if (!stopping_) {
    stopping_ = true;
    stop_time_ = clock_->Monotonic();
  }
  wake_.NotifyAll();
}

GroupCommitStats GroupCommit::Stats() const {
  MutexLock lock(&mutex_);
  GroupCommitStats stats = stats_;
  stats.queue_bytes = appends_.bytes();
  stats.waiting_appends = appends_.count();
  stats.waiting_batches = batches_.count();
  return stats;
}

}  // namespace postrider
