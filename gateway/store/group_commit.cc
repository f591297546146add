#include "gateway/store/group_commit.h"

#include <algorithm>
#include <utility>
#include <variant>

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

absl::Status StoreFailing() {
  return Unavailable("the store can't take events now; nothing was stored", "STORE_UNAVAILABLE",
                     kStoreRetry);
}

}  // namespace

// One group on its way through the store.
struct GroupCommit::Group {
  std::vector<PendingBatch> submitted;
  std::vector<PendingAppend> appends;
  std::vector<absl::Status> refusals;  // One an append; OK: it is in `batches`.

  std::vector<Batch> batches;        // The submitted ones, then one a shard that is appended to.
  std::vector<size_t> append_batch;  // By append: the index in `batches`.
  std::vector<BatchResult> results;  // One a batch.
  CommittedGroup changes;
};

GroupCommit::GroupCommit(Store* store, const Clock* clock, Options options, Committed committed)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      committed_(std::move(committed)),
      next_maintenance_(clock->Monotonic()) {}

void GroupCommit::Append(ShardId shard, std::shared_ptr<const Event> event, bool put_path,
                         AppendDone done) {
  PendingAppend append{shard, std::move(event), put_path, std::move(done)};
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
  {
    MutexLock lock(&mutex_);
    if (!ended_) {
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
  BatchResult result;
  result.state = CommitState::kNotApplied;
  result.error = "the store thread has ended";
  std::move(done)(result);
}

bool GroupCommit::CommitWaiting() {
  Group group;
  Take(&group);
  if (group.submitted.empty() && group.appends.empty()) {
    return false;
  }
  bool failed = false;
  {
    MutexLock lock(&mutex_);
    failed = failed_;
  }
  RefuseAppends(&group);
  Build(&group);
  if (failed) {
    Fail(&group);
    return true;
  }
  if (!group.batches.empty()) {
    Commit(&group);
  }
  Finish(&group);
  return true;
}

void GroupCommit::Take(Group* group) {
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
}

void GroupCommit::RefuseAppends(Group* group) {
  if (group->appends.empty() || store_->AcceptsAppends(clock_->Now())) {
    return;
  }
  const absl::Status full =
      Unavailable("the disk is nearly full; nothing was stored", "STORE_FULL", kStoreRetry);
  std::fill(group->refusals.begin(), group->refusals.end(), full);
}

void GroupCommit::Build(Group* group) {
  for (PendingBatch& submitted : group->submitted) {
    group->batches.push_back(std::move(submitted.batch));
  }
  std::vector<size_t> batch_of_shard;  // 0: none yet; else the index + 1.
  group->append_batch.resize(group->appends.size());
  for (size_t i = 0; i < group->appends.size(); ++i) {
    PendingAppend& append = group->appends[i];
    if (!group->refusals[i].ok()) {
      continue;
    }
    if (append.shard >= batch_of_shard.size()) {
      batch_of_shard.resize(append.shard + 1);
    }
    size_t& index = batch_of_shard[append.shard];
    if (index == 0) {
      Batch& batch = group->batches.emplace_back();
      batch.shard = append.shard;
      if (!spare_writes_.empty()) {
        batch.writes = std::move(spare_writes_.back());
        spare_writes_.pop_back();
      }
      index = group->batches.size();
    }
    group->append_batch[i] = index - 1;
    std::vector<Write>& writes = group->batches[index - 1].writes;
    if (append.put_path) {
      writes.push_back(
          PutOrganizationPath{append.event->organization, append.event->organization_path});
    }
    writes.push_back(AppendEvent{std::move(append.event)});
  }
}

void GroupCommit::Commit(Group* group) {
  const absl::Duration begin = clock_->Monotonic();
  group->results = store_->Commit(group->batches, clock_->Now());
  const absl::Duration taken = clock_->Monotonic() - begin;
  CHECK(group->results.size() == group->batches.size());
  MutexLock lock(&mutex_);
  stats_.last_commit = taken;
  stats_.longest_commit = std::max(stats_.longest_commit, taken);
  stats_.total_commit += taken;
  const bool applied = std::all_of(
      group->results.begin(), group->results.end(),
      [](const BatchResult& result) { return result.state == CommitState::kCommitted; });
  ++(applied ? stats_.groups : stats_.not_applied);
}

void GroupCommit::Finish(Group* group) {
  const auto unknown =
      std::find_if(group->results.begin(), group->results.end(),
                   [](const BatchResult& result) { return result.state == CommitState::kUnknown; });
  if (unknown != group->results.end()) {
    const std::string error = unknown->error;
    LogError(absl::StrCat("store: the outcome of a commit is unknown: ", error));
    if (options_.on_fatal) {
      options_.on_fatal(error);
    }
    MutexLock lock(&mutex_);
    failed_ = true;
  }
  maintenance_wanted_ = true;
  Announce(group);
  AnswerBatches(group);
  AnswerAppends(group);
}

void GroupCommit::Fail(Group* group) {
  BatchResult result;
  result.state = CommitState::kUnknown;
  result.error = "an earlier commit's outcome is unknown";
  group->results.assign(group->batches.size(), result);
  AnswerBatches(group);
  AnswerAppends(group);
}

// Tells the engine what is new, in commit order.
void GroupCommit::Announce(Group* group) {
  CommittedGroup& changes = group->changes;
  std::vector<size_t> change_of_shard;  // As in Build().
  for (size_t i = 0; i < group->batches.size(); ++i) {
    Batch& batch = group->batches[i];
    const BatchResult& result = group->results[i];
    if (result.state != CommitState::kCommitted) {
      continue;
    }
    size_t appended = 0;
    size_t configured = 0;
    for (Write& write : batch.writes) {
      if (auto* append = std::get_if<AppendEvent>(&write)) {
        const Appended& place = result.appended[appended++];
        if (place.kind != Appended::Kind::kNew) {
          continue;
        }
        if (*batch.shard >= change_of_shard.size()) {
          change_of_shard.resize(*batch.shard + 1);
        }
        size_t& index = change_of_shard[*batch.shard];
        if (index == 0) {
          changes.shards.emplace_back().shard = *batch.shard;
          index = changes.shards.size();
        }
        CommittedGroup::Shard& shard = changes.shards[index - 1];
        shard.attempt_head = result.attempt_head;
        shard.entries.push_back(
            LogEntry{*batch.shard, place.seq, place.accept_time, std::move(append->event)});
      } else if (!batch.shard.has_value()) {
        const ConfigResult& change = result.configured[configured++];
        if (!change.ok()) {
          continue;
        }
        const bool deleted = std::holds_alternative<DeleteSubscription>(write);
        changes.configured.push_back({(*change)->number, deleted ? nullptr : *change});
      }
    }
  }
  if (committed_ && (!changes.configured.empty() || !changes.shards.empty())) {
    committed_(changes);
  }
}

void GroupCommit::AnswerBatches(Group* group) {
  std::vector<PendingBatch> again;
  std::vector<size_t> final;
  {
    MutexLock lock(&mutex_);
    const absl::Duration now = clock_->Monotonic();
    const bool give_up = failed_ || (stopping_ && now - stop_time_ > kStopTriesMax);
    for (size_t i = 0; i < group->submitted.size(); ++i) {
      const CommitState state = group->results[i].state;
      if (state == CommitState::kNotApplied && !give_up) {
        group->submitted[i].batch = std::move(group->batches[i]);
        again.push_back(std::move(group->submitted[i]));
        continue;
      }
      if (state == CommitState::kCommitted) {
        batches_.Succeeded(group->batches[i].shard);
      }
      final.push_back(i);
    }
    if (!again.empty()) {
      LogWarning(absl::StrCat("store: a group was not written and is tried again: ",
                              group->results[0].error));
      batches_.Return(now, std::move(again));
    }
  }
  for (const size_t i : final) {
    std::move(group->submitted[i].done)(group->results[i]);
  }
}

void GroupCommit::AnswerAppends(Group* group) {
  std::vector<size_t> next(group->batches.size());  // By batch: the next answer of its appends.
  size_t refused = 0;
  size_t appended = 0;
  for (size_t i = 0; i < group->appends.size(); ++i) {
    absl::Status& refusal = group->refusals[i];
    if (refusal.ok()) {
      const size_t batch = group->append_batch[i];
      const BatchResult& result = group->results[batch];
      if (result.state == CommitState::kCommitted) {
        const Appended& place = result.appended[next[batch]++];
        appended += place.kind == Appended::Kind::kNew ? 1 : 0;
        std::move(group->appends[i].done)(place);
        continue;
      }
      refusal = result.state == CommitState::kUnknown
                    ? absl::UnavailableError(
                          "whether the event was stored is not known; try again "
                          "with the same id")
                    : StoreFailing();
    }
    ++refused;
    std::move(group->appends[i].done)(std::move(refusal));
  }
  for (size_t i = group->submitted.size(); i < group->batches.size(); ++i) {
    group->batches[i].writes.clear();
    spare_writes_.push_back(std::move(group->batches[i].writes));
  }
  MutexLock lock(&mutex_);
  stats_.refused += refused;
  stats_.appended += appended;
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
  if (!appends_.empty() || batches_.ConfigurationReady(now)) {
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
