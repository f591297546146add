#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_timeline.h"
#include "gateway/store/store.h"

namespace postrider {

// Writes subscriptions (C2, C4) and knows which numbers are deleted. Store thread, in a
// transaction.
class SqliteConfigWriter {
 public:
  // All outlive this.
  SqliteConfigWriter(Database* database, const SqliteShards* shards, SqliteTimeline* timeline);

  absl::Status Load();

  // The outer status is the store's failure; the inner one the caller's.
  absl::StatusOr<ConfigResult> Put(const PutSubscription& write, int64_t now);
  absl::StatusOr<ConfigResult> Delete(const DeleteSubscription& write);
  absl::Status PutHealth(const postrider::PutHealth& write);

  // The row of `number` if it is live and of the version: 0 is any.
  absl::StatusOr<ConfigResult> Find(SubscriptionNumber number, uint64_t expected_version = 0);

  // Whether late outcomes of the subscription are to be dropped (C4).
  bool IsDeleted(SubscriptionNumber number) const {
    return number < deleted_.size() && deleted_[number];
  }

  // What was written is committed, or undone.
  void Commit();
  void Rollback();

 private:
  absl::StatusOr<ConfigResult> Create(Subscription subscription);
  absl::Status Update(const Subscription& subscription);
  std::vector<Seq> Heads() const;
  void RaiseToHeads(std::vector<Seq>* start_seqs) const;
  // Adds the mark of a purge. The inner status: there are too many.
  absl::StatusOr<absl::Status> AddMark(const PurgeFilter& filter, Subscription* subscription);
  // Whether the subscription's position in each shard is past what the mark is about.
  absl::StatusOr<bool> IsPassed(const PurgeMark& mark, SubscriptionNumber number);
  // Creates or replaces it.
  absl::StatusOr<ConfigResult> Store(Subscription subscription, uint64_t expected_version);
  // Where it starts if it does so now.
  absl::StatusOr<std::vector<Seq>> Starts(const Subscription& subscription);
  absl::Status PutFirstReaders(const Subscription& subscription);
  void MarkDeleted(SubscriptionNumber number, bool deleted);

  Database* const database_;
  const SqliteShards* const shards_;
  SqliteTimeline* const timeline_;
  Statement select_;
  Statement insert_;
  Statement update_;
  Statement delete_;
  Statement put_health_;
  Statement delete_health_;
  Statement select_reader_;
  Statement put_reader_;
  SubscriptionNumber last_number_ = 0;
  std::vector<bool> deleted_;  // By number: a bit each.
  // Of the open transaction.
  SubscriptionNumber last_number_before_ = 0;
  std::vector<SubscriptionNumber> newly_deleted_;
};

}  // namespace postrider
