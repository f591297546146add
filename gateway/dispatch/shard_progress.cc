#include "gateway/dispatch/shard_progress.h"

#include <algorithm>
#include <iterator>

#include "gateway/base/limits.h"

namespace postrider {

void ShardProgress::Owe(Seq seq) {
  owed_.insert(std::upper_bound(owed_.begin(), owed_.end(), seq), seq);
}

void ShardProgress::Settle(Seq seq) {
  const auto found = std::lower_bound(owed_.begin(), owed_.end(), seq);
  if (found == owed_.end() || *found != seq) {
    return;
  }
  owed_.erase(found);
  if (mode_ != Mode::kTail && seq >= scan_) {
    settled_ahead_.insert(seq);  // It was in flight when its neighbours were unloaded.
  }
}

bool ShardProgress::Owes(Seq seq) const {
  return std::binary_search(owed_.begin(), owed_.end(), seq);
}

void ShardProgress::StartReading(Seq from, const std::vector<Seq>& settled) {
  scan_ = from;
  settled_ahead_ = {settled.begin(), settled.end()};
}

void ShardProgress::Restore(const ReaderRow& row) {
  mode_ = Mode::kReading;
  scan_ = row.next_seq;
  for (uint64_t offset = 0; offset < kReaderWindowMax; ++offset) {
    if (row.settled.Contains(offset)) {
      settled_ahead_.insert(row.next_seq + offset);
    }
  }
}

bool ShardProgress::ReadPast(Seq seq) {
  scan_ = seq + 1;
  return settled_ahead_.erase(seq) > 0 || Owes(seq);
}

bool ShardProgress::JumpTo(Seq first) {
  if (scan_ >= first) {
    return false;
  }
  const auto in_memory = std::lower_bound(owed_.begin(), owed_.end(), first) -
                         std::lower_bound(owed_.begin(), owed_.end(), scan_);
  const auto settled = std::distance(settled_ahead_.begin(), settled_ahead_.lower_bound(first));
  const bool passes = static_cast<Seq>(in_memory + settled) < first - scan_;
  settled_ahead_.erase(settled_ahead_.begin(), settled_ahead_.lower_bound(first));
  scan_ = first;
  return passes;
}

bool ShardProgress::WindowFull(Seq seq) const {
  return !owed_.empty() && seq >= owed_.front() + kReaderWindowMax;
}

void ShardProgress::Unload(const std::vector<Seq>& seqs) {
  if (seqs.empty()) {
    return;
  }
  std::deque<Seq> kept;
  std::set_difference(owed_.begin(), owed_.end(), seqs.begin(), seqs.end(),
                      std::back_inserter(kept));
  const Seq first = seqs.front();
  // What is further ahead than a window was jumped over: it is not there any more (C7).
  for (Seq seq = first; seq < std::min(scan_, first + kReaderWindowMax); ++seq) {
    if (!std::binary_search(owed_.begin(), owed_.end(), seq)) {
      settled_ahead_.insert(seq);
    }
  }
  owed_ = std::move(kept);
  scan_ = std::min(scan_, first);
}

ReaderRow ShardProgress::Row(SubscriptionNumber subscription, ShardId shard) const {
  ReaderRow row;
  row.subscription = subscription;
  row.shard = shard;
  row.next_seq = owed_.empty() ? scan_ : std::min(scan_, owed_.front());
  auto owed = owed_.begin();
  // What does not fit would only be sent again after a crash; the tail's bound makes it fit.
  const Seq end = std::min(scan_, row.next_seq + kReaderWindowMax);
  for (Seq seq = row.next_seq; seq < end; ++seq) {
    if (owed != owed_.end() && *owed == seq) {
      ++owed;
    } else {
      row.settled.Add(seq - row.next_seq);
    }
  }
  for (const Seq seq : settled_ahead_) {
    if (seq - row.next_seq < kReaderWindowMax) {
      row.settled.Add(seq - row.next_seq);
    }
  }
  return row;
}

}  // namespace postrider
