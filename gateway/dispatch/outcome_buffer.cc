#include "gateway/dispatch/outcome_buffer.h"

#include <utility>

#include "gateway/base/limits.h"

namespace postrider {

OutcomeBuffer::Gathered& OutcomeBuffer::At(ShardId shard, absl::Duration now) {
  if (shards_.empty()) {
    first_ = now;
  }
  return shards_[shard];
}

void OutcomeBuffer::Add(ShardId shard, OutcomeRecord record, absl::Duration now) {
  Gathered& gathered = At(shard, now);
  gathered.notices.outcomes.push_back(NoticeOf(record));
  if (record.attempt.has_value()) {
    gathered.writes.push_back(RecordAttempt{*std::move(record.attempt)});
  }
  if (record.put_exception.has_value()) {
    gathered.writes.push_back(*std::move(record.put_exception));
  }
  if (record.resolve_exception.has_value()) {
    gathered.writes.push_back(*std::move(record.resolve_exception));
  }
  ++gathered_outcomes_;
  ++uncommitted_;
}

void OutcomeBuffer::AddReaderRow(ShardId shard, SubscriptionNumber subscription,
                                 absl::Duration now) {
  At(shard, now).readers.insert(subscription);
}

void OutcomeBuffer::AddReplayPosition(ShardId shard, const ReplayKey& replay, absl::Duration now) {
  At(shard, now).replays.insert(replay);
}

void OutcomeBuffer::AddEraseReader(ShardId shard, SubscriptionNumber subscription,
                                   absl::Duration now) {
  At(shard, now).writes.push_back(EraseReader{subscription});
}

void OutcomeBuffer::AddUnmatched(ShardId shard, std::vector<Seq> seqs, absl::Duration now) {
  if (!seqs.empty()) {
    At(shard, now).writes.push_back(NoteUnmatched{std::move(seqs)});
  }
}

void OutcomeBuffer::AddCursor(ShardId shard, AdvanceCursor cursor, absl::Duration now) {
  At(shard, now).writes.push_back(cursor);
}

void OutcomeBuffer::AddForget(const WorkItem& item, absl::Duration now) {
  At(static_cast<ShardId>(item.shard), now)
      .writes.push_back(ForgetSuspect{.subscription = item.subscription, .seq = item.seq});
}

Batch OutcomeBuffer::Finish(ShardId shard, Gathered& gathered) {
  gathered.notices.shard = shard;
  gathered.notices.gathered = first_;
  submitted_.insert(first_);
  Batch batch;
  batch.shard = shard;
  batch.writes = std::move(gathered.writes);
  return batch;
}

void OutcomeBuffer::OnCommitted(const OutcomeNotices& notices) {
  uncommitted_ -= notices.outcomes.size();
  submitted_.erase(submitted_.find(notices.gathered));
}

bool OutcomeBuffer::Congested(absl::Duration now) const {
  return uncommitted_ >= kUncommittedOutcomesMax ||
         (!submitted_.empty() && now - *submitted_.begin() > kUncommittedAgeMax);
}

}  // namespace postrider
