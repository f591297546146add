#include "gateway/dispatch/retry_lane.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"

namespace postrider {

void RetryLane::Restore(const NextDue& next_due) {
  next_due_[next_due.shard] = next_due.due_time;
  waiting_ += next_due.waiting;
}

std::optional<RetryLane::Load> RetryLane::NextLoad(absl::Time now, size_t rows) {
  if (loading_ || !loaded_.empty()) {
    return std::nullopt;
  }
  const auto earliest =
      std::min_element(next_due_.begin(), next_due_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (earliest == next_due_.end() || earliest->second > now) {
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
  for (DueException& row : rows) {
    if (outstanding_.contains(row.row.key) || resolved_while_loading_.contains(row.row.key)) {
      continue;
    }
    if (row.row.due_time > now) {
      next_due = row.row.due_time;
      break;
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
  LowerNextDue(load.shard, next_due);
}

void RetryLane::OnLoadFailed(const Load& load, absl::Time try_again) {
  loading_ = false;
  loading_bytes_ = 0;
  changed_while_loading_ = false;
  resolved_while_loading_.clear();
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
  return loading_ || !loaded_.empty() || next_due() <= now;
}

void RetryLane::PutBack(DueException exception) { loaded_.push_front(std::move(exception)); }

void RetryLane::OnAdded(const ExceptionKey& key, absl::Time due_time) {
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
  --waiting_;
  if (next_due.has_value()) {
    OnAdded(key, *next_due);
  }
}

void RetryLane::OnChanged(ShardId shard, int64_t waiting, absl::Time now) {
  Unload();
  changed_while_loading_ = loading_;
  waiting_ = static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(waiting_) + waiting));
  LowerNextDue(shard, now);
}

void RetryLane::Unload() {
  for (const DueException& exception : loaded_) {
    Forget(exception.row.key);
    LowerNextDue(exception.row.key.shard, exception.row.due_time);
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
