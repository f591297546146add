#include "gateway/dispatch/log_retention.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"

namespace postrider {
namespace {

constexpr absl::Duration kPassInterval = absl::Minutes(1);
// The store thread has this much time for others after each step, which takes less.
constexpr absl::Duration kPause = absl::Milliseconds(25);
// Dead letters without an event are looked for as often as this, if no events go.
constexpr absl::Duration kLookInterval = absl::Hours(24);

// How far the wall clock may get ahead of the monotonic one between two passes.
constexpr absl::Duration kStepBelieved = absl::Minutes(1);
constexpr absl::Duration kStepDoubted = absl::Hours(1);

}  // namespace

LogRetention::LogRetention(Parts parts, std::vector<Seq> first_seqs)
    : parts_(std::move(parts)),
      shards_(first_seqs.size()),
      believed_wall_(parts_.clock->Now()),
      believed_monotonic_(parts_.clock->Monotonic()) {
  for (size_t i = 0; i < first_seqs.size(); ++i) {
    shards_[i].first_seq = first_seqs[i];
  }
}

void LogRetention::Start() {
  if (parts_.kept != absl::InfiniteDuration()) {
    parts_.loop->Post([this] { parts_.loop->After(parts_.first_pass, [this] { BeginPass(); }); });
  }
}

void LogRetention::Stop() { stopped_ = true; }

void LogRetention::BeginPass() {
  pass_time_ = BelievedNow();
  pass_before_ = pass_time_ - parts_.kept;
  next_shard_ = 0;
  GoOn();
}

bool LogRetention::IsDue(const Shard& shard) const {
  return shard.oldest < pass_before_ || shard.looked_at + kLookInterval <= pass_time_;
}

void LogRetention::GoOn() {
  while (next_shard_ < shards_.size() && !IsDue(shards_[next_shard_])) {
    ++next_shard_;
  }
  if (stopped_) {
    return;
  }
  if (next_shard_ < shards_.size()) {
    Step(next_shard_);
  } else {
    EndPass();
  }
}

void LogRetention::Step(ShardId shard) {
  Batch batch;
  batch.shard = shard;
  batch.writes.emplace_back(DeleteOldEvents{.before = pass_before_});
  parts_.commits->Submit(std::move(batch), [this, shard](const BatchResult& result) {
    if (result.state != CommitState::kCommitted) return;  // The process is stopping.
    parts_.on_step(shard, result.deleted);
    parts_.loop->Post([this, shard, deleted = result.deleted] { OnStep(shard, deleted); });
  });
}

void LogRetention::OnStep(ShardId shard_id, const DeletedEvents& deleted) {
  Shard& shard = shards_[shard_id];
  shard.first_seq = deleted.first_seq;
  deleted_ += deleted.events;
  if (!deleted.more) {
    shard.oldest = deleted.oldest.value_or(pass_time_);
    shard.looked_at = pass_time_;
    ++next_shard_;
  }
  parts_.loop->After(kPause, [this] { GoOn(); });
}

void LogRetention::EndPass() {
  NoteOldest();
  std::vector<Seq> first_seqs;
  first_seqs.reserve(shards_.size());
  for (const Shard& shard : shards_) {
    first_seqs.push_back(shard.first_seq);
  }
  parts_.on_pass(first_seqs);
  parts_.loop->After(kPassInterval, [this] { BeginPass(); });
}

void LogRetention::NoteOldest() {
  absl::Time oldest = absl::InfiniteFuture();
  for (const Shard& shard : shards_) {
    oldest = std::min(oldest, shard.oldest);
  }
  oldest_micros_ = absl::ToUnixMicros(oldest);
}

absl::Time LogRetention::BelievedNow() {
  const absl::Time wall = parts_.clock->Now();
  const absl::Duration monotonic = parts_.clock->Monotonic();
  const absl::Time expected = believed_wall_ + (monotonic - believed_monotonic_);
  const absl::Duration lead = wall - expected;
  if (lead > kStepBelieved) {
    if (!doubted_since_.has_value() || lead > doubted_lead_ + kStepBelieved) {
      doubted_since_ = monotonic;
      doubted_lead_ = lead;
      LogWarning(absl::StrCat("the clock has gone ", absl::FormatDuration(lead),
                              " ahead: what is old by it is kept for an hour more"));
    }
    if (monotonic - *doubted_since_ < kStepDoubted) {
      return expected;
    }
  }
  doubted_since_.reset();
  believed_wall_ = wall;
  believed_monotonic_ = monotonic;
  return wall;
}

RetentionStats LogRetention::Stats() const {
  RetentionStats stats;
  stats.deleted = deleted_;
  if (const int64_t micros = oldest_micros_; micros != 0) {
    stats.oldest = absl::FromUnixMicros(micros);
  }
  return stats;
}

}  // namespace postrider
