#include "gateway/store/commit_group.h"

#include <utility>
#include <variant>

#include "gateway/base/status.h"

namespace postrider {
namespace {

// The place of `shard` in a list that is begun with each group: its index + 1, 0 if it has none.
size_t& PlaceOf(ShardId shard, std::vector<size_t>* places) {
  if (shard >= places->size()) {
    places->resize(shard + 1);
  }
  return (*places)[shard];
}

// Gathers what of a group the engine must hear of.
class Changes {
 public:
  void Add(Batch* batch, const BatchResult& result) {
    size_t appended = 0;
    size_t configured = 0;
    size_t replays = 0;
    for (Write& write : batch->writes) {
      if (auto* append = std::get_if<AppendEvent>(&write)) {
        AddEvent(*batch->shard, append, result.appended[appended++], result.attempt_head);
      } else if (std::holds_alternative<CreateReplay>(write) ||
                 std::holds_alternative<EndReplay>(write)) {
        AddReplay(result.replays[replays++]);
      } else if (std::holds_alternative<PutSubscription>(write) ||
                 std::holds_alternative<DeleteSubscription>(write)) {
        AddSubscription(write, result.configured[configured++]);
      }
    }
  }

  CommittedGroup Take() { return std::move(group_); }

 private:
  void AddEvent(ShardId shard_id, AppendEvent* append, const Appended& appended,
                AttemptSeq attempt_head) {
    if (appended.kind != Appended::Kind::kNew) {
      return;
    }
    size_t& place = PlaceOf(shard_id, &places_);
    if (place == 0) {
      group_.shards.emplace_back().shard = shard_id;
      place = group_.shards.size();
    }
    CommittedGroup::Shard& shard = group_.shards[place - 1];
    shard.attempt_head = attempt_head;
    shard.entries.push_back(
        LogEntry{shard_id, appended.seq, appended.accept_time, std::move(append->event)});
  }

  void AddSubscription(const Write& write, const ConfigResult& result) {
    if (!result.ok()) {
      return;
    }
    const bool deleted = std::holds_alternative<DeleteSubscription>(write);
    CommittedGroup::Configured& change = group_.configured.emplace_back();
    change.number = (*result)->number;
    change.subscription = deleted ? nullptr : *result;
    const auto* const put = std::get_if<PutSubscription>(&write);
    if (put != nullptr && put->start_at_heads) {
      change.readers = FirstReaders(**result);
    }
  }

  // Nobody need hear of one that is done: its loop has said so.
  void AddReplay(const ReplayResult& result) {
    if (result.ok() && result->replay->state != ReplayState::kDone) {
      group_.replays.push_back(*result);
    }
  }

  CommittedGroup group_;
  std::vector<size_t> places_;  // In group_.shards.
};

}  // namespace

absl::Status StoreFailing() {
  return WithRetry(
      WithReason(absl::UnavailableError("the store can't take events now; nothing was stored"),
                 "STORE_UNAVAILABLE"),
      absl::Seconds(1));
}

void CommitGroup::AskGates() {
  for (size_t i = 0; i < appends.size(); ++i) {
    if (refusals[i].ok() && appends[i].gate != nullptr) {
      refusals[i] = appends[i].gate();
    }
  }
}

void CommitGroup::Build(SpareWrites* spare) {
  for (PendingBatch& pending : submitted) {
    batches_.push_back(std::move(pending.batch));
  }
  std::vector<size_t> places;
  batch_of_append_.resize(appends.size());
  for (size_t i = 0; i < appends.size(); ++i) {
    if (!refusals[i].ok()) {
      continue;
    }
    PendingAppend& append = appends[i];
    Batch* const batch = AppendBatch(append.shard, &places, spare);
    batch_of_append_[i] = static_cast<size_t>(batch - batches_.data());
    if (append.put_path) {
      batch->writes.push_back(
          PutOrganizationPath{append.event->organization, append.event->organization_path});
    }
    batch->writes.push_back(AppendEvent{std::move(append.event)});
  }
}

Batch* CommitGroup::AppendBatch(ShardId shard, std::vector<size_t>* places, SpareWrites* spare) {
  size_t& place = PlaceOf(shard, places);
  if (place == 0) {
    Batch& batch = batches_.emplace_back();
    batch.shard = shard;
    if (!spare->empty()) {
      batch.writes = std::move(spare->back());
      spare->pop_back();
    }
    place = batches_.size();
  }
  return &batches_[place - 1];
}

CommittedGroup CommitGroup::TakeChanges() {
  Changes changes;
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (results_[i].state == CommitState::kCommitted) {
      changes.Add(&batches_[i], results_[i]);
    }
  }
  return changes.Take();
}

CommitGroup::Answered CommitGroup::AnswerAppends() {
  std::vector<size_t> next(batches_.size());  // By batch: the next of its results.
  Answered answered;
  for (size_t i = 0; i < appends.size(); ++i) {
    absl::Status& refusal = refusals[i];
    if (refusal.ok()) {
      const size_t batch = batch_of_append_[i];
      const BatchResult& result = results_[batch];
      if (result.state == CommitState::kCommitted) {
        const Appended& appended = result.appended[next[batch]++];
        answered.appended += appended.kind == Appended::Kind::kNew ? 1 : 0;
        std::move(appends[i].done)(appended);
        continue;
      }
      refusal = result.state == CommitState::kUnknown
                    ? absl::UnavailableError(
                          "whether the event was stored is not known; try again with the same id")
                    : StoreFailing();
    }
    ++answered.refused;
    std::move(appends[i].done)(std::move(refusal));
  }
  return answered;
}

void CommitGroup::Recycle(SpareWrites* spare) {
  for (size_t i = submitted.size(); i < batches_.size(); ++i) {
    batches_[i].writes.clear();
    spare->push_back(std::move(batches_[i].writes));
  }
}

}  // namespace postrider
