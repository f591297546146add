#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "gateway/dispatch/outcome_record.h"
#include "gateway/store/store.h"

namespace postrider {

// What a batch of outcomes holds, told back when it is committed.
struct OutcomeNotices {
  ShardId shard = 0;
  std::vector<CommittedOutcome> outcomes;
  std::vector<std::pair<SubscriptionNumber, uint64_t>> rows;  // With the epochs of their leaves.
  absl::Duration gathered;                                    // Monotonic: since when.
};

// What the store says of such a batch.
struct OutcomeCommit {
  AttemptSeq attempt_head = 0;
  std::vector<ExceptionKey> stale;  // Retries whose rows were not there any more.
  std::vector<Released> released;
  std::vector<LateException> late;
};

// Gathers what a loop has to write until it is worth a transaction: at most kOutcomeGatherMax long.
//
// Keeps the order of each shard's writes; positions of readers come last in a batch, as of all
// outcomes in it. Also counts what is not yet committed (R7). Lives on one loop.
class OutcomeBuffer {
 public:
  void Add(ShardId shard, OutcomeRecord record, absl::Duration now);
  void AddReaderRow(ShardId shard, SubscriptionNumber subscription, absl::Duration now);
  using ReplayKey = std::pair<SubscriptionNumber, OriginId>;
  void AddReplayPosition(ShardId shard, const ReplayKey& replay, absl::Duration now);
  void AddEraseReader(ShardId shard, SubscriptionNumber subscription, absl::Duration now);
  void AddUnmatched(ShardId shard, std::vector<Seq> seqs, absl::Duration now);
  void AddCursor(ShardId shard, AdvanceCursor cursor, absl::Duration now);
  // The item has been worked on to its end, as of all outcomes so far (E8).
  void AddForget(const WorkItem& item, absl::Duration now);

  bool empty() const { return shards_.empty(); }
  size_t size() const { return gathered_outcomes_; }
  // When the oldest write has waited long enough. Only if not empty().
  absl::Duration due() const { return first_ + kOutcomeGatherMax; }

  // Takes all that is gathered, a batch a shard. `row_of(subscription, shard)` gives the position
  // to write for each AddReaderRow() with its epoch, or nothing if none is wanted any more;
  // `position_of(replay, shard)` likewise for each AddReplayPosition().
  using Row = std::optional<std::pair<ReaderRow, uint64_t>>;
  template <typename RowOf, typename PositionOf>
  std::vector<std::pair<Batch, OutcomeNotices>> Take(RowOf row_of, PositionOf position_of);

  // Notices of a batch that was taken have come back.
  void OnCommitted(const OutcomeNotices& notices);
  // Whether outcomes pile up before the store, so that no exchange may start (R7).
  bool Congested(absl::Duration now) const;
  bool all_committed() const { return shards_.empty() && submitted_.empty(); }

 private:
  struct Gathered {
    std::vector<Write> writes;
    OutcomeNotices notices;
    absl::btree_set<SubscriptionNumber> readers;
    absl::btree_set<ReplayKey> replays;
  };

  Gathered& At(ShardId shard, absl::Duration now);
  Batch Finish(ShardId shard, Gathered& gathered);

  absl::btree_map<ShardId, Gathered> shards_;
  size_t gathered_outcomes_ = 0;
  size_t uncommitted_ = 0;  // Gathered or submitted.
  absl::Duration first_;
  std::multiset<absl::Duration> submitted_;  // Since when, of each batch on its way.
};

template <typename RowOf, typename PositionOf>
std::vector<std::pair<Batch, OutcomeNotices>> OutcomeBuffer::Take(RowOf row_of,
                                                                  PositionOf position_of) {
  std::vector<std::pair<Batch, OutcomeNotices>> batches;
  batches.reserve(shards_.size());
  for (auto& [shard, gathered] : shards_) {
    for (const SubscriptionNumber subscription : gathered.readers) {
      Row row = row_of(subscription, shard);
      if (row.has_value()) {
        gathered.notices.rows.emplace_back(subscription, row->second);
        gathered.writes.push_back(PutReader{std::move(row->first)});
      }
    }
    for (const ReplayKey& replay : gathered.replays) {
      std::optional<ReplayPosition> position = position_of(replay, shard);
      if (position.has_value()) {
        gathered.writes.push_back(PutReplayPosition{*std::move(position)});
      }
    }
    Batch batch = Finish(shard, gathered);
    batches.emplace_back(std::move(batch), std::move(gathered.notices));
  }
  shards_.clear();
  gathered_outcomes_ = 0;
  return batches;
}

}  // namespace postrider
