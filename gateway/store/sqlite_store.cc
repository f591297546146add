#include "gateway/store/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/commit_crash_points.h"
#include "gateway/store/sqlite_schema.h"

namespace postrider {
namespace {

constexpr int kWriterCacheKibibytes = 64 * 1024;

// Beyond this the transaction of a commit indexes too, so that queries never merge more.
constexpr uint64_t kUnindexedRowsMax = 50'000;

constexpr absl::Duration kFreeBytesInterval = absl::Milliseconds(100);

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::vector<BatchResult> Refused(size_t count, CommitState state, const absl::Status& status) {
  BatchResult result;
  result.state = state;
  result.error = std::string(status.message());
  return std::vector<BatchResult>(count, result);
}

}  // namespace

SqliteStore::SqliteStore(std::shared_ptr<DataDir> directory, const SqliteOptions& options,
                         std::unique_ptr<Database> database, std::shared_ptr<SqliteMonitor> monitor)
    : directory_(std::move(directory)),
      options_(options),
      database_(std::move(database)),
      monitor_(std::move(monitor)),
      wal_bound_(database_.get(), monitor_),
      shards_(database_.get()),
      log_(database_.get(), &shards_),
      deliveries_(database_.get()),
      timeline_(database_.get()),
      configuration_(database_.get(), &shards_, &timeline_),
      replays_(database_.get(), &shards_, &timeline_),
      suspects_(database_.get()),
      indexer_(database_.get(), &shards_),
      retention_(database_.get(), &shards_, &deliveries_, &replays_, &configuration_),
      freelist_(database_.get(), "PRAGMA freelist_count"),
      begin_(database_.get(), "BEGIN IMMEDIATE"),
      commit_(database_.get(), "COMMIT") {}

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(
    std::shared_ptr<DataDir> directory, const SqliteOptions& options,
    std::shared_ptr<SqliteMonitor> monitor) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   ConnectStore(directory->StorePath(), options, kWriterCacheKibibytes));
  RETURN_IF_ERROR(CreateOrCheckStore(database.get(), options.shard_count));
  RETURN_IF_ERROR(directory->Sync());
  std::unique_ptr<SqliteStore> store(
      new SqliteStore(std::move(directory), options, std::move(database), std::move(monitor)));
  RETURN_IF_ERROR(store->Load());
  return store;
}

absl::Status SqliteStore::Load() {
  RETURN_IF_ERROR(shards_.Load());
  if (shards_.count() != options_.shard_count) {
    return absl::DataLossError("store: a shard's row is missing");
  }
  RETURN_IF_ERROR(configuration_.Load());
  monitor_->unindexed_rows.store(indexer_.Lag(), std::memory_order_relaxed);
  return absl::OkStatus();
}

std::vector<BatchResult> SqliteStore::Commit(absl::Span<const Batch> batches, absl::Time now) {
  if (!failed_.ok()) {
    return Refused(batches.size(), CommitState::kUnknown, failed_);
  }
  std::vector<BatchResult> results(batches.size());
  const int64_t stored_now = ToStoredTime(now);
  const absl::Status status = Transact(batches, [&] {
    for (size_t i = 0; i < batches.size(); ++i) {
      RETURN_IF_ERROR(Apply(batches[i], stored_now, &results[i]));
    }
    return BoundIndexLag();
  });
  if (!failed_.ok()) {
    return Refused(batches.size(), CommitState::kUnknown, failed_);
  }
  if (!status.ok()) {
    return Refused(batches.size(), CommitState::kNotApplied, status);
  }
  return results;
}

absl::Status SqliteStore::Transact(absl::Span<const Batch> batches,
                                   const std::function<absl::Status()>& work) {
  absl::Status status = Query(&begin_).Run();
  if (status.ok()) {
    status = work();
  }
  if (status.ok()) {
    status = shards_.Flush();
  }
  if (status.ok()) {
    status = CommitTransaction(batches);
  } else if (!absl::IsUnavailable(status)) {
    failed_ = status;  // A damaged file, or our own mistake: another try would meet it again.
  }
  if (!status.ok()) {
    Rollback();
    return status;
  }
  shards_.Commit();
  configuration_.Commit();
  monitor_->unindexed_rows.store(indexer_.Lag(), std::memory_order_relaxed);
  // The commit stands, whatever becomes of the checkpoint.
  const absl::Status kept = wal_bound_.Keep();
  if (!kept.ok()) {
    LogWarning(absl::StrCat("store: checkpoint: ", kept.message()));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::CommitTransaction(absl::Span<const Batch> batches) {
  const CommitCrashPoints crash_points(batches);
  crash_points.PassBefore();
  Query commit(&commit_);
  absl::Status status = commit.Run();
  if (status.ok()) {
    crash_points.PassAfter();
    return status;
  }
  // Only these say that the log did not get the commit. A failed sync may have lost it or not, and
  // a second sync that succeeds would not tell.
  const int code = sqlite3_extended_errcode(database_->handle()) & 0xFF;
  if (code != SQLITE_FULL && code != SQLITE_NOMEM && code != SQLITE_BUSY) {
    failed_ = status;
  }
  return status;
}

void SqliteStore::Rollback() {
  const int code = sqlite3_extended_errcode(database_->handle());
  if (sqlite3_get_autocommit(database_->handle()) == 0) {
    const absl::Status status = database_->Exec("ROLLBACK");
    if (!status.ok() && failed_.ok()) {
      failed_ = status;
    }
  }
  shards_.Rollback();
  configuration_.Rollback();
  // The second: the index of the write-ahead log found no room.
  const bool full = (code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE;
  if (full && directory_->ReleaseBallast()) {
    LogError("store: the disk is full; the ballast is given up so that outcomes can be written");
  }
}

absl::Status SqliteStore::Apply(const Batch& batch, int64_t now, BatchResult* result) {
  for (const Write& write : batch.writes) {
    RETURN_IF_ERROR(batch.shard.has_value() ? ApplyToShard(*batch.shard, write, now, result)
                                            : ApplyConfiguration(write, now, result));
  }
  if (batch.shard.has_value()) {
    RETURN_IF_ERROR(Release(batch, now, result));
    result->attempt_head = shards_.Get(*batch.shard).attempt_head;
  }
  return absl::OkStatus();
}

// Lets the next go of each ordering key that the batch has changed (E4).
absl::Status SqliteStore::Release(const Batch& batch, int64_t now, BatchResult* result) {
  std::set<std::pair<SubscriptionNumber, OrderingKey>> keys;
  bool purges = false;  // Such a batch is told to its subscription with all that it did.
  for (const Write& write : batch.writes) {
    if (const auto* put = std::get_if<PutException>(&write)) {
      keys.emplace(put->row.key.subscription, put->row.ordering_key);
    } else if (const auto* resolve = std::get_if<ResolveException>(&write)) {
      keys.emplace(resolve->key.subscription, resolve->ordering_key);
    } else if (const auto* purge = std::get_if<PurgeExceptions>(&write)) {
      purges = true;
      for (const auto& [seq, key] : result->exceptions.ordered) {
        keys.emplace(purge->subscription, key);
      }
    }
  }
  for (const auto& [subscription, key] : keys) {
    if (key == 0) {
      continue;
    }
    ASSIGN_OR_RETURN(const bool released,
                     deliveries_.ReleaseIfNoneWaits(*batch.shard, subscription, key, now));
    if (released && purges) {
      ++result->exceptions.waiting;
    } else if (released) {
      result->released.push_back({.subscription = subscription, .due_time = FromStoredTime(now)});
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::ApplyToShard(ShardId shard, const Write& write, int64_t now,
                                       BatchResult* result) {
  const auto append = [&](const AppendEvent& event) -> absl::Status {
    ASSIGN_OR_RETURN(Appended appended, log_.Append(shard, *event.event, now));
    result->appended.push_back(appended);
    return absl::OkStatus();
  };
  // A deleted subscription gets no new rows: nobody would take them away again (C4).
  const auto put_reader = [&](const PutReader& put) {
    return configuration_.IsDeleted(put.row.subscription) ? absl::OkStatus()
                                                          : deliveries_.PutReader(put.row, shard);
  };
  const auto advance = [&](const AdvanceCursor& put) {
    Advance(shard, put);
    return absl::OkStatus();
  };
  const auto resolve = [&](const ResolveException& put) -> absl::Status {
    ASSIGN_OR_RETURN(const bool applied, deliveries_.Resolve(put));
    if (!applied) result->stale.push_back(put.key);
    return absl::OkStatus();
  };
  const auto forget = [&](const ForgetSuspect& put) {
    return suspects_.Forget(ItemOf(put.subscription, shard, put.seq)).status();
  };
  const auto purge = [&](const PurgeExceptions& put) {
    return deliveries_.Purge(put, shard, &result->exceptions);
  };
  const auto delete_old = [&](const DeleteOldEvents& put) -> absl::Status {
    ASSIGN_OR_RETURN(result->deleted, retention_.Delete(put, shard, now));
    return absl::OkStatus();
  };
  return std::visit(
      Overloaded{
          append,
          put_reader,
          advance,
          resolve,
          forget,
          purge,
          delete_old,
          [&](const PutException& put) { return AddException(put.row, now, result); },
          [&](const PutReplayPosition& put) { return replays_.PutPosition(put.position, shard); },
          [&](const RedriveException& put) { return Redrive(put, now, result); },
          [&](const NoteUnmatched& put) { return deliveries_.NoteUnmatched(put, shard); },
          [&](const PutOrganizationPath& put) { return log_.PutPath(put); },
          [&](const RecordAttempt& put) { return log_.Record(shard, put.attempt); },
          [&](const EraseReader& put) { return deliveries_.EraseReader(put.subscription, shard); },
          [](const PutSubscription&) { return absl::InternalError("no shard's write"); },
          [](const DeleteSubscription&) { return absl::InternalError("no shard's write"); },
          [](const PutHealth&) { return absl::InternalError("no shard's write"); },
          [](const CreateReplay&) { return absl::InternalError("no shard's write"); },
          [](const EndReplay&) { return absl::InternalError("no shard's write"); },
          [](const CountDeaths&) { return absl::InternalError("no shard's write"); }},
      write);
}

absl::Status SqliteStore::AddException(const ExceptionRow& row, int64_t now, BatchResult* result) {
  ASSIGN_OR_RETURN(const bool accepts, replays_.Accepts(row.key.origin));
  if (!accepts || configuration_.IsDeleted(row.key.subscription)) {
    return absl::OkStatus();
  }
  if (row.key.seq >= shards_.Get(row.key.shard).first_seq) {
    return deliveries_.Put(row);
  }
  if (row.state != ExceptionState::kDead) {
    result->late.push_back({.key = row.key, .ordering_key = row.ordering_key});
  }
  return deliveries_.PutGone(row, now);
}

// What a canceled replay has left is about to go (C5).
absl::Status SqliteStore::Redrive(const RedriveException& put, int64_t now, BatchResult* result) {
  ASSIGN_OR_RETURN(const bool accepts, replays_.Accepts(put.key.origin));
  if (!accepts) {
    return absl::OkStatus();
  }
  const uint64_t before = result->exceptions.rows;
  RETURN_IF_ERROR(deliveries_.Redrive(put, now, &result->exceptions));
  if (result->exceptions.rows > before) {
    const ExceptionKey& key = put.key;
    ASSIGN_OR_RETURN(const bool forgiven,
                     suspects_.Forget(ItemOf(key.subscription, key.shard, key.seq)));
    if (forgiven) result->exceptions.forgiven.push_back(key.seq);
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::ApplyConfiguration(const Write& write, int64_t now, BatchResult* result) {
  if (const auto* put = std::get_if<PutSubscription>(&write)) {
    ASSIGN_OR_RETURN(ConfigResult configured, configuration_.Put(*put, now));
    result->configured.push_back(std::move(configured));
    return absl::OkStatus();
  }
  if (const auto* erase = std::get_if<DeleteSubscription>(&write)) {
    ASSIGN_OR_RETURN(ConfigResult configured, configuration_.Delete(*erase));
    result->configured.push_back(std::move(configured));
    return absl::OkStatus();
  }
  if (const auto* health = std::get_if<PutHealth>(&write)) {
    return configuration_.PutHealth(*health);
  }
  if (const auto* count = std::get_if<CountDeaths>(&write)) {
    return suspects_.Count(*count);
  }
  if (const auto* create = std::get_if<CreateReplay>(&write)) {
    ASSIGN_OR_RETURN(ReplayResult created, ApplyCreateReplay(*create, now));
    result->replays.push_back(std::move(created));
    return absl::OkStatus();
  }
  if (const auto* end = std::get_if<EndReplay>(&write)) {
    ASSIGN_OR_RETURN(ReplayResult ended, replays_.End(*end, now));
    result->replays.push_back(std::move(ended));
    return absl::OkStatus();
  }
  return absl::InternalError("a write of the configuration needs no shard, this one does");
}

absl::StatusOr<ReplayResult> SqliteStore::ApplyCreateReplay(const CreateReplay& write,
                                                            int64_t now) {
  ASSIGN_OR_RETURN(const ConfigResult subscription, configuration_.Find(write.replay.subscription));
  if (!subscription.ok()) {
    return ReplayResult(subscription.status());
  }
  return replays_.Create(write, **subscription, now);
}

void SqliteStore::Advance(ShardId shard_id, const AdvanceCursor& write) {
  SqliteShard* const shard = shards_.Change(shard_id);
  shard->cursor = std::max(shard->cursor, std::min(write.cursor, shard->head));
  shard->attempt_floor =
      std::max(shard->attempt_floor, std::min(write.attempt_floor, shard->attempt_head));
}

bool SqliteStore::Maintain() {
  if (!failed_.ok()) {
    return false;
  }
  bool more = false;
  const absl::Status status = Transact({}, [&] { return MaintainSlice(&more); });
  if (!status.ok()) {
    LogWarning(absl::StrCat("store: maintenance: ", status.message()));
    return false;  // Again after the next commit.
  }
  return more;
}

absl::Status SqliteStore::BoundIndexLag() {
  while (indexer_.Lag() > kUnindexedRowsMax) {
    RETURN_IF_ERROR(indexer_.IndexSlice());
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::MaintainSlice(bool* more) {
  if (indexer_.Lag() > 0) {
    *more = true;
    return indexer_.IndexSlice();
  }
  ASSIGN_OR_RETURN(*more, indexer_.PurgeSlice());
  if (!*more) {
    ASSIGN_OR_RETURN(*more, replays_.PurgeSlice());
  }
  return absl::OkStatus();
}

bool SqliteStore::AcceptsAppends(absl::Time now) {
  if (now >= free_bytes_time_ && now < free_bytes_time_ + kFreeBytesInterval) {
    return accepts_appends_;
  }
  free_bytes_time_ = now;
  const uint64_t free = options_.free_bytes ? options_.free_bytes() : directory_->FreeBytes();
  monitor_->free_bytes.store(free, std::memory_order_relaxed);
  const bool accepts =
      free >= options_.free_bytes_min ||
      (free >= options_.free_bytes_min / 2 && free + ReusableBytes() >= options_.free_bytes_min);
  if (accepts != accepts_appends_) {
    LogError(absl::StrCat("store: ", free, " bytes are free in ", options_.data_dir,
                          accepts ? ": new events are accepted again" : ": no new events"));
    accepts_appends_ = accepts;
  }
  if (free >= options_.free_bytes_min + 2 * options_.ballast_bytes) {
    directory_->FillBallast(options_.ballast_bytes);
  }
  return accepts_appends_;
}

}  // namespace postrider
