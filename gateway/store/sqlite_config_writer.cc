#include "gateway/store/sqlite_config_writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/health_record.h"
#include "gateway/store/sqlite_letters_sql.h"
#include "gateway/store/sqlite_rows.h"
#include "gateway/store/sqlite_sql.h"
#include "gateway/store/subscription_record.h"

namespace postrider {
namespace {

absl::Status NotFound() { return absl::NotFoundError("subscription: there is none of this id"); }

absl::Status OtherVersion() {
  return WithReason(
      absl::AbortedError("subscription.etag: it was changed meanwhile; read it and try again"),
      "ETAG_MISMATCH");
}

absl::Status IdTaken(const std::string& id) {
  return WithResource(
      WithReason(absl::AlreadyExistsError(absl::StrCat(
                     "subscription_id: ", id,
                     " is taken, or was by a subscription now deleted: ids are never reused")),
                 "SUBSCRIPTION_ID_TAKEN"),
      "subscription", id);
}

absl::Status TooManyMarks() {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "subscription: ", kPurgeMarksMax,
          " purges with other filters are in force, no more can be; purge with one of these "
          "filters or with none, or let its deliveries catch up")),
      "TOO_MANY_PURGES");
}

std::shared_ptr<const Subscription> Share(Subscription subscription) {
  return std::make_shared<const Subscription>(std::move(subscription));
}

}  // namespace

SqliteConfigWriter::SqliteConfigWriter(Database* database, const SqliteShards* shards,
                                       SqliteTimeline* timeline)
    : database_(database),
      shards_(shards),
      timeline_(timeline),
      select_(database, sql::kSelectSubscription),
      insert_(database, sql::kInsertSubscription),
      update_(database, sql::kUpdateSubscription),
      delete_(database, sql::kDeleteSubscription),
      put_health_(database, sql::kPutHealth),
      delete_health_(database, sql::kDeleteHealth),
      select_reader_(database, sql::kSelectReader),
      put_reader_(database, sql::kPutReader) {}

absl::Status SqliteConfigWriter::Load() {
  Statement last(database_, sql::kSelectLastSubscription);
  Query last_query(&last);
  if (last_query.Row()) {
    last_number_ = last_query.NextUint();
  }
  RETURN_IF_ERROR(last_query.status());
  last_number_before_ = last_number_;
  Statement tombstones(database_, sql::kSelectTombstones);
  Query query(&tombstones);
  while (query.Row()) {
    MarkDeleted(query.NextUint(), true);
  }
  return query.status();
}

void SqliteConfigWriter::MarkDeleted(SubscriptionNumber number, bool deleted) {
  if (number >= deleted_.size()) {
    deleted_.resize(number + 1);
  }
  deleted_[number] = deleted;
}

absl::StatusOr<ConfigResult> SqliteConfigWriter::Put(const PutSubscription& write, int64_t now) {
  Subscription subscription = write.subscription;
  if (write.start_at_heads) {
    ASSIGN_OR_RETURN(subscription.start_seqs, Starts(subscription));
  }
  // Who has no start is owed nothing yet and gets one when that changes.
  if (write.skip_backlog && !subscription.start_seqs.empty()) {
    RaiseToHeads(&subscription.start_seqs);
  }
  if (write.purge.has_value()) {
    ASSIGN_OR_RETURN(const absl::Status added, AddMark(*write.purge, &subscription));
    if (!added.ok()) {
      return ConfigResult(added);
    }
  }
  subscription.update_time = FromStoredTime(now);
  ASSIGN_OR_RETURN(ConfigResult stored, Store(std::move(subscription), write.expected_version));
  if (write.start_at_heads && stored.ok()) {
    RETURN_IF_ERROR(PutFirstReaders(**stored));
  }
  return stored;
}

absl::StatusOr<ConfigResult> SqliteConfigWriter::Store(Subscription subscription,
                                                       uint64_t expected_version) {
  if (subscription.number == 0) {
    subscription.create_time = subscription.update_time;
    subscription.pauses.clear();
    NotePause(subscription.rests(), subscription.update_time, &subscription.pauses);
    return Create(std::move(subscription));
  }
  ASSIGN_OR_RETURN(const ConfigResult stored, Find(subscription.number, expected_version));
  if (!stored.ok()) {
    return stored;
  }
  if ((*stored)->version != expected_version) {
    return ConfigResult(OtherVersion());
  }
  subscription.id = (*stored)->id;
  subscription.create_time = (*stored)->create_time;
  subscription.version = (*stored)->version + 1;
  subscription.pauses = (*stored)->pauses;
  NotePause(subscription.rests(), subscription.update_time, &subscription.pauses);
  RETURN_IF_ERROR(Update(subscription));
  if (!(*stored)->disabled_reason.empty() && subscription.disabled_reason.empty()) {
    // Enabled: what disabled it must not do so again after a crash (E9).
    RETURN_IF_ERROR(Query(&delete_health_).Uint(subscription.number).Run());
  }
  return ConfigResult(Share(std::move(subscription)));
}

absl::StatusOr<ConfigResult> SqliteConfigWriter::Delete(const DeleteSubscription& write) {
  ASSIGN_OR_RETURN(ConfigResult stored, Find(write.number, write.expected_version));
  if (!stored.ok()) {
    return stored;
  }
  Query query(&delete_);
  RETURN_IF_ERROR(query.Uint(write.number).Run());
  RETURN_IF_ERROR(Query(&delete_health_).Uint(write.number).Run());
  MarkDeleted(write.number, true);
  newly_deleted_.push_back(write.number);
  return stored;
}

absl::Status SqliteConfigWriter::PutHealth(const postrider::PutHealth& write) {
  if (IsDeleted(write.subscription)) {
    return absl::OkStatus();
  }
  if (!IsKept(write.health)) {
    return Query(&delete_health_).Uint(write.subscription).Run();
  }
  const std::string record = EncodeHealth(write.health);
  return Query(&put_health_).Uint(write.subscription).Blob(record).Run();
}

absl::StatusOr<ConfigResult> SqliteConfigWriter::Find(SubscriptionNumber number,
                                                      uint64_t expected_version) {
  Query query(&select_);
  if (!query.Uint(number).Row()) {
    RETURN_IF_ERROR(query.status());
    return ConfigResult(NotFound());
  }
  ASSIGN_OR_RETURN(SubscriptionRow row, DecodeSubscriptionRow(&query));
  if (row.state != sql::kLive) {
    return ConfigResult(NotFound());
  }
  if (expected_version != 0 && row.subscription.version != expected_version) {
    return ConfigResult(OtherVersion());
  }
  return ConfigResult(Share(std::move(row.subscription)));
}

absl::StatusOr<ConfigResult> SqliteConfigWriter::Create(Subscription subscription) {
  subscription.number = last_number_ + 1;
  subscription.version = 1;
  const std::string start_seqs = EncodeSeqs(subscription.start_seqs);
  const std::string record = EncodeSubscription(subscription);
  Query query(&insert_);
  query.Uint(subscription.number).Text(subscription.id).Text(subscription.organization);
  RETURN_IF_ERROR(query.Uint(subscription.version).Blob(start_seqs).Blob(record).Run());
  if (sqlite3_changes(database_->handle()) == 0) {
    return ConfigResult(IdTaken(subscription.id));
  }
  ++last_number_;
  return ConfigResult(Share(std::move(subscription)));
}

absl::Status SqliteConfigWriter::Update(const Subscription& subscription) {
  const std::string start_seqs = EncodeSeqs(subscription.start_seqs);
  const std::string record = EncodeSubscription(subscription);
  Query query(&update_);
  query.Text(subscription.organization).Uint(subscription.version).Blob(start_seqs).Blob(record);
  return query.Uint(subscription.number).Run();
}

std::vector<Seq> SqliteConfigWriter::Heads() const {
  std::vector<Seq> heads(shards_->count());
  for (ShardId shard = 0; shard < heads.size(); ++shard) {
    heads[shard] = shards_->Get(shard).head;
  }
  return heads;
}

absl::StatusOr<std::vector<Seq>> SqliteConfigWriter::Starts(const Subscription& subscription) {
  std::vector<Seq> starts = Heads();
  if (!subscription.start_time.has_value()) {
    return starts;
  }
  for (const ShardId shard : ShardsOf(subscription, shards_->count())) {
    const Seq kept = shards_->Get(shard).first_seq;
    ASSIGN_OR_RETURN(const Seq first,
                     timeline_->SeqAt(shard, kept, starts[shard], *subscription.start_time));
    starts[shard] = first - 1;
  }
  return starts;
}

absl::Status SqliteConfigWriter::PutFirstReaders(const Subscription& subscription) {
  for (const ReaderRow& row : FirstReaders(subscription)) {
    Query query(&put_reader_);
    query.Uint(row.shard).Uint(row.subscription).Uint(row.next_seq).Blob("");
    RETURN_IF_ERROR(query.Run());
  }
  return absl::OkStatus();
}

void SqliteConfigWriter::RaiseToHeads(std::vector<Seq>* start_seqs) const {
  const std::vector<Seq> heads = Heads();
  start_seqs->resize(heads.size());
  for (size_t shard = 0; shard < heads.size(); ++shard) {
    (*start_seqs)[shard] = std::max((*start_seqs)[shard], heads[shard]);
  }
}

absl::StatusOr<absl::Status> SqliteConfigWriter::AddMark(const PurgeFilter& filter,
                                                         Subscription* subscription) {
  std::vector<PurgeMark> kept;
  for (PurgeMark& mark : subscription->purge_marks) {
    ASSIGN_OR_RETURN(const bool passed, IsPassed(mark, subscription->number));
    if (!passed && mark.filter != filter) {
      kept.push_back(std::move(mark));
    }
  }
  if (kept.size() >= kPurgeMarksMax) {
    return TooManyMarks();
  }
  kept.push_back(PurgeMark{.through = Heads(), .filter = filter});
  subscription->purge_marks = std::move(kept);
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteConfigWriter::IsPassed(const PurgeMark& mark,
                                                  SubscriptionNumber number) {
  for (ShardId shard = 0; shard < mark.through.size(); ++shard) {
    Query query(&select_reader_);
    const bool reads_itself = query.Uint(shard).Uint(number).Row();
    RETURN_IF_ERROR(query.status());
    // The cursor too: who has rejoined since has no row, and a start reads from the cursor.
    const Seq cursor = shards_->Get(shard).cursor;
    const Seq kept = shards_->Get(shard).first_seq;
    const Seq next = reads_itself ? std::max(query.NextUint(), kept) : cursor + 1;
    const Seq position = std::min(next - 1, cursor);
    if (position < mark.through[shard]) {
      return false;
    }
  }
  return true;
}

void SqliteConfigWriter::Commit() {
  last_number_before_ = last_number_;
  newly_deleted_.clear();
}

void SqliteConfigWriter::Rollback() {
  last_number_ = last_number_before_;
  for (const SubscriptionNumber number : newly_deleted_) {
    MarkDeleted(number, false);
  }
  newly_deleted_.clear();
}

}  // namespace postrider
