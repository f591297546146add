#include "gateway/store/sqlite_replay_writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_replay_sql.h"

namespace postrider {
namespace {

// About 1 ms.
constexpr uint64_t kExceptionsPerSlice = 256;

absl::Status TooMany(uint64_t unfinished) {
  return WithReason(absl::FailedPreconditionError(
                        absl::StrCat("subscription_id: the subscription has ", unfinished,
                                     " unfinished replays; the limit is ", kReplaysUnfinishedMax,
                                     "; wait for one of them, or cancel it")),
                    "TOO_MANY_REPLAYS");
}

}  // namespace

SqliteReplayWriter::SqliteReplayWriter(Database* database, const SqliteShards* shards,
                                       SqliteTimeline* timeline)
    : database_(database),
      shards_(shards),
      timeline_(timeline),
      replays_(database),
      insert_(database, sql::kInsertReplay),
      count_unfinished_(database, sql::kCountUnfinishedReplays),
      finish_(database, sql::kFinishReplay),
      cancel_(database, sql::kCancelReplay),
      select_state_(database, sql::kSelectReplayState),
      select_to_drop_(database, sql::kSelectReplayToDrop),
      drop_positions_(database, sql::kDropReplayPositions),
      drop_(database, sql::kDropReplays),
      insert_position_(database, sql::kInsertReplayPosition),
      update_position_(database, sql::kUpdateReplayPosition),
      select_to_purge_(database, sql::kSelectReplayToPurge),
      select_purge_end_(database, sql::kSelectReplayPurgeEnd),
      purge_exceptions_(database, sql::kPurgeReplayExceptions),
      set_purged_(database, sql::kSetReplayPurged) {}

absl::StatusOr<ReplayResult> SqliteReplayWriter::Create(const CreateReplay& write,
                                                        const Subscription& subscription,
                                                        int64_t now) {
  {
    Query count(&count_unfinished_);
    const uint64_t unfinished = count.Uint(subscription.number).Row() ? count.NextUint() : 0;
    RETURN_IF_ERROR(count.status());
    if (unfinished >= kReplaysUnfinishedMax) {
      return ReplayResult(TooMany(unfinished));
    }
  }
  Replay replay = write.replay;
  replay.create_time = FromStoredTime(now);
  if (write.until_now) {
    replay.until = replay.create_time;
  }
  const std::string record = EncodeReplay(replay);
  Query insert(&insert_);
  RETURN_IF_ERROR(insert.Text(replay.id).Uint(subscription.number).Blob(record).Run());
  const auto number = static_cast<OriginId>(sqlite3_last_insert_rowid(database_->handle()));
  RETURN_IF_ERROR(InsertPositions(write, subscription, number));
  RETURN_IF_ERROR(DropOld(subscription.number));
  ASSIGN_OR_RETURN(ReplayRecord created, replays_.Get(number));
  return ReplayResult(std::move(created));
}

absl::Status SqliteReplayWriter::InsertPositions(const CreateReplay& write,
                                                 const Subscription& subscription,
                                                 OriginId number) {
  for (const ShardId shard : ShardsOf(subscription, shards_->count())) {
    const Seq kept = shards_->Get(shard).first_seq;
    const Seq head = shards_->Get(shard).head;
    ASSIGN_OR_RETURN(const Seq first, timeline_->SeqAt(shard, kept, head, write.replay.since));
    Seq end = head + 1;
    if (!write.until_now) {
      ASSIGN_OR_RETURN(end, timeline_->SeqAt(shard, kept, head, write.replay.until));
    }
    if (first < end) {
      Query query(&insert_position_);
      RETURN_IF_ERROR(query.Uint(shard).Uint(number).Uint(first).Uint(end - 1).Run());
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteReplayWriter::DropOld(SubscriptionNumber subscription) {
  OriginId newest = 0;
  {
    Query query(&select_to_drop_);
    if (!query.Uint(subscription).Uint(kReplaysKeptMax).Row()) {
      return query.status();
    }
    newest = query.NextUint();
  }
  RETURN_IF_ERROR(Query(&drop_positions_).Uint(subscription).Uint(newest).Run());
  return Query(&drop_).Uint(subscription).Uint(newest).Run();
}

absl::StatusOr<ReplayResult> SqliteReplayWriter::End(const EndReplay& write, int64_t now) {
  Query query(write.state == ReplayState::kDone ? &finish_ : &cancel_);
  RETURN_IF_ERROR(query.Int(now).Uint(write.number).Run());
  absl::StatusOr<ReplayRecord> record = replays_.Get(write.number);
  if (!record.ok() && !absl::IsNotFound(record.status())) {
    return record.status();
  }
  return ReplayResult(std::move(record));
}

absl::Status SqliteReplayWriter::PutPosition(const ReplayPosition& position, ShardId shard) {
  const std::string settled = position.settled.ToBytes();
  Query query(&update_position_);
  query.Uint(position.next_seq).Blob(settled).Uint(position.delivered).Uint(position.failed);
  return query.Uint(shard).Uint(position.replay).Run();
}

absl::StatusOr<bool> SqliteReplayWriter::Accepts(OriginId origin) {
  if (origin == kOriginLog) {
    return true;
  }
  Query query(&select_state_);
  const bool canceled =
      query.Uint(origin).Row() && query.NextUint() >= static_cast<uint64_t>(ReplayState::kCanceled);
  RETURN_IF_ERROR(query.status());
  return !canceled;
}

absl::StatusOr<bool> SqliteReplayWriter::PurgeSlice() {
  OriginId number = 0;
  SubscriptionNumber subscription = 0;
  {
    Query query(&select_to_purge_);
    if (!query.Row()) {
      RETURN_IF_ERROR(query.status());
      return false;
    }
    number = query.NextUint();
    subscription = query.NextUint();
  }
  for (ShardId shard = 0; shard < shards_->count(); ++shard) {
    ASSIGN_OR_RETURN(const bool more, PurgeShard(number, subscription, shard));
    if (more) {
      return true;
    }
  }
  RETURN_IF_ERROR(Query(&set_purged_).Uint(number).Run());
  return true;
}

absl::StatusOr<bool> SqliteReplayWriter::PurgeShard(OriginId number,
                                                    SubscriptionNumber subscription,
                                                    ShardId shard) {
  Seq end = kSeqMax;
  bool more = false;
  {
    Query query(&select_purge_end_);
    query.Uint(shard).Uint(subscription).Uint(number).Uint(kExceptionsPerSlice);
    if (query.Row()) {
      more = true;
      end = query.NextUint();
    }
    RETURN_IF_ERROR(query.status());
  }
  Query purge(&purge_exceptions_);
  RETURN_IF_ERROR(purge.Uint(shard).Uint(subscription).Uint(number).Uint(end).Run());
  return more;
}

}  // namespace postrider
