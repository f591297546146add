#include "gateway/dispatch/retry_lane.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

// No wait is longer than a step of a schedule may be: a due time beyond that was written while the
// wall clock was wrong.
bool IsDue(absl::Time due_time, absl::Time now) {
  const bool nothing = due_time == absl::InfiniteFuture();
  return due_time <= now || (!nothing && due_time > now + kScheduleStepMax);
}

// What was never tried waits for no time: it was parked, or is redriven, and the wall clock, which
// its due time is of, may be ahead (T5).
absl::Time DueOf(const ExceptionRow& row) {
  return row.attempts == 0 && row.throttled == 0 ? absl::InfinitePast() : row.due_time;
}

}  // namespace

void RetryLane::Restore(const NextDue& next_due) {
  next_due_[next_due.shard] = next_due.due_time;
  waiting_ += next_due.waiting;
  for (const auto& [replay, waiting] : next_due.of_replays) {
    waiting_of_replay_[replay] += waiting;
  }
}

std::optional<RetryLane::Load> RetryLane::NextLoad(absl::Time now, size_t rows) {
  if (loading_ || !loaded_.empty()) {
    return std::nullopt;
  }
  const auto earliest =
      std::min_element(next_due_.begin(), next_due_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (earliest == next_due_.end() || !IsDue(earliest->second, now)) {
    return std::nullopt;
  }
  const ShardId shard = earliest->first;
  next_due_.erase(earliest);  // Known again when the rows are there; what is added meanwhile stays.
  loading_ = true;
  loading_bytes_ = rows == kLoadedExceptionsMax ? kLoadedExceptionBytesMax : 0;
  // Those outstanding come back with the rest, and are left out.
  return Load{.shard = shard,
              .limit = rows + outstanding_.size(),
              .bytes = kLoadedExceptionBytesMax + outstanding_bytes_};
}

void RetryLane::OnLoaded(const Load& load, std::vector<DueException> rows, absl::Time now) {
  loading_ = false;
  loading_bytes_ = 0;
  if (std::exchange(changed_while_loading_, false)) {
    resolved_while_loading_.clear();
    canceled_while_loading_.clear();
    LowerNextDue(load.shard, now);
    return;
  }
  size_t bytes = 0;
  for (const DueException& row : rows) {
    bytes += row.entry.event->body.size();
  }
  // The next row may have been left out for its size: then there is one more look.
  const bool all_read = rows.size() < load.limit && bytes + kBodyBytesMaxCeiling <= load.bytes;
  absl::Time next_due = all_read ? absl::InfiniteFuture() : now;
  bool waits = false;
  for (DueException& row : rows) {
    const ExceptionKey& key = row.row.key;
    if (outstanding_.contains(key) || resolved_while_loading_.contains(key) ||
        canceled_while_loading_.contains(key.origin)) {
      continue;
    }
    if (!IsDue(DueOf(row.row), now)) {
      if (!std::exchange(waits, true)) {
        next_due = row.row.due_time;
      }
      continue;
    }
    if (loaded_.size() >= kLoadedExceptionsMax) {
      next_due = now;
      break;
    }
    outstanding_[row.row.key] = row.entry.event->body.size();
    outstanding_bytes_ += row.entry.event->body.size();
    loaded_.push_back(std::move(row));
  }
  resolved_while_loading_.clear();
  canceled_while_loading_.clear();
  LowerNextDue(load.shard, next_due);
}

void RetryLane::OnLoadFailed(const Load& load, absl::Time try_again) {
  loading_ = false;
  loading_bytes_ = 0;
  changed_while_loading_ = false;
  resolved_while_loading_.clear();
  canceled_while_loading_.clear();
  LowerNextDue(load.shard, try_again);
}

void RetryLane::Forget(const ExceptionKey& key) {
  const auto found = outstanding_.find(key);
  if (found != outstanding_.end()) {
    outstanding_bytes_ -= found->second;
    outstanding_.erase(found);
  }
}

void RetryLane::LowerNextDue(ShardId shard, absl::Time due_time) {
  if (due_time == absl::InfiniteFuture()) {
    return;
  }
  const auto [place, inserted] = next_due_.try_emplace(shard, due_time);
  if (!inserted) {
    place->second = std::min(place->second, due_time);
  }
}

std::optional<DueException> RetryLane::Take() {
  if (loaded_.empty()) {
    return std::nullopt;
  }
  DueException exception = std::move(loaded_.front());
  loaded_.pop_front();
  return exception;
}

bool RetryLane::HasDue(absl::Time now) const {
  return loading_ || !loaded_.empty() || IsDue(next_due(), now);
}

void RetryLane::PutBack(const ExceptionRow& row) {
  Forget(row.key);
  LowerNextDue(row.key.shard, DueOf(row));
}

void RetryLane::OnAdded(const ExceptionKey& key, absl::Time due_time) {
  if (key.origin != kOriginLog) {
    ++waiting_of_replay_[key.origin];
  }
  OnReleased(key.shard, due_time);
}

void RetryLane::OnReleased(ShardId shard, absl::Time due_time) {
  ++waiting_;
  LowerNextDue(shard, due_time);
}

void RetryLane::OnResolved(const ExceptionKey& key, std::optional<absl::Time> next_due) {
  Forget(key);
  if (loading_) {
    resolved_while_loading_.insert(key);
  }
  if (IsCanceled(key)) {
    return;
  }
  --waiting_;
  const auto of_replay = waiting_of_replay_.find(key.origin);
  if (of_replay != waiting_of_replay_.end() && --of_replay->second == 0) {
    waiting_of_replay_.erase(of_replay);
  }
  if (next_due.has_value()) {
    OnAdded(key, *next_due);
  }
}

void RetryLane::OnChanged(ShardId shard, const ExceptionChanges& changes, absl::Time now) {
  Unload();
  changed_while_loading_ = loading_;
  const int64_t waiting = static_cast<int64_t>(waiting_) + changes.waiting;
  waiting_ = static_cast<uint64_t>(std::max<int64_t>(0, waiting));
  for (const auto& [replay, more] : changes.waiting_of_replays) {
    const int64_t of_replay = static_cast<int64_t>(waiting_of_replay_[replay]) + more;
    waiting_of_replay_[replay] = static_cast<uint64_t>(std::max<int64_t>(0, of_replay));
    if (of_replay <= 0) waiting_of_replay_.erase(replay);
  }
  LowerNextDue(shard, now);
}

void RetryLane::Cancel(OriginId replay) {
  const auto of_replay = waiting_of_replay_.find(replay);
  if (of_replay != waiting_of_replay_.end()) {
    waiting_ -= of_replay->second;
    waiting_of_replay_.erase(of_replay);
  }
  std::deque<DueException> kept;
  for (DueException& exception : loaded_) {
    if (exception.row.key.origin == replay) {
      Forget(exception.row.key);
    } else {
      kept.push_back(std::move(exception));
    }
  }
  loaded_ = std::move(kept);
  if (loading_) {
    canceled_while_loading_.insert(replay);
  }
}

void RetryLane::Unload() {
  for (const DueException& exception : loaded_) {
    Forget(exception.row.key);
    LowerNextDue(exception.row.key.shard, DueOf(exception.row));
  }
  loaded_.clear();
}

absl::Time RetryLane::next_due() const {
  if (loading_ || !loaded_.empty()) {
    return absl::InfiniteFuture();
  }
  absl::Time earliest = absl::InfiniteFuture();
  for (const auto& [shard, due_time] : next_due_) {
    earliest = std::min(earliest, due_time);
  }
  return earliest;
}

}  // namespace postrider
