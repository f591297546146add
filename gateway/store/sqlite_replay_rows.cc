#include "gateway/store/sqlite_replay_rows.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/base/casts.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_replay_sql.h"

namespace postrider {
namespace {

constexpr uint64_t kRecordVersion = 1;

}  // namespace

std::string EncodeReplay(const Replay& replay) {
  Encoder encoder;
  encoder.PutUint(kRecordVersion);
  encoder.PutTime(replay.since);
  encoder.PutTime(replay.until);
  encoder.PutStrings(replay.event_types);
  encoder.PutUint(absl::bit_cast<uint64_t>(replay.rate));
  encoder.PutTime(replay.create_time);
  return std::move(encoder).Take();
}

absl::StatusOr<Replay> DecodeReplayRow(Query* row) {
  Replay replay;
  replay.number = row->NextUint();
  replay.id = std::string(row->NextBytes());
  replay.subscription = row->NextUint();
  const uint64_t state = row->NextUint();
  replay.state = static_cast<ReplayState>(
      std::min(state, static_cast<uint64_t>(ReplayState::kCanceled)));  // Purged: canceled too.
  if (row->NextIsNull()) {
    row->Skip();
  } else {
    replay.finish_time = FromStoredTime(row->NextInt());
  }
  Decoder decoder(row->NextBytes());
  const bool known = decoder.Uint() == kRecordVersion;
  replay.since = decoder.Time();
  replay.until = decoder.Time();
  replay.event_types = decoder.Strings();
  replay.rate = absl::bit_cast<double>(decoder.Uint());
  replay.create_time = decoder.Time();
  if (!known || !decoder.ok()) {
    return absl::DataLossError(absl::StrCat("store: the row of replay ", replay.id, " is damaged"));
  }
  return replay;
}

SqliteReplays::SqliteReplays(Database* database)
    : select_(database, sql::kSelectReplay),
      select_by_id_(database, sql::kSelectReplayById),
      select_of_(database, sql::kSelectReplaysOf),
      select_running_(database, sql::kSelectRunningReplays),
      select_positions_(database, sql::kSelectReplayPositions) {}

absl::StatusOr<ReplayRecord> SqliteReplays::Get(OriginId number) {
  Query query(&select_);
  return One(&query.Uint(number));
}

absl::StatusOr<ReplayRecord> SqliteReplays::Get(const std::string& id) {
  Query query(&select_by_id_);
  return One(&query.Text(id));
}

absl::StatusOr<std::vector<ReplayRecord>> SqliteReplays::List(SubscriptionNumber subscription,
                                                              size_t limit) {
  Query query(&select_of_);
  return All(&query.Uint(subscription).Uint(limit));
}

absl::StatusOr<std::vector<ReplayRecord>> SqliteReplays::Running(SubscriptionNumber subscription) {
  Query query(&select_running_);
  return All(&query.Uint(subscription));
}

absl::StatusOr<ReplayRecord> SqliteReplays::One(Query* query) {
  ASSIGN_OR_RETURN(std::vector<ReplayRecord> records, All(query));
  if (records.empty()) {
    return absl::NotFoundError("replay: there is none of this id");
  }
  return std::move(records.front());
}

absl::StatusOr<std::vector<ReplayRecord>> SqliteReplays::All(Query* query) {
  std::vector<ReplayRecord> records;
  while (query->Row()) {
    ASSIGN_OR_RETURN(Replay replay, DecodeReplayRow(query));
    records.emplace_back().replay = std::make_shared<const Replay>(std::move(replay));
  }
  RETURN_IF_ERROR(query->status());
  for (ReplayRecord& record : records) {
    RETURN_IF_ERROR(ReadPositions(&record));
  }
  return records;
}

absl::Status SqliteReplays::ReadPositions(ReplayRecord* record) {
  Query query(&select_positions_);
  query.Uint(record->replay->number);
  while (query.Row()) {
    ReplayPosition& position = record->positions.emplace_back();
    position.replay = record->replay->number;
    position.shard = static_cast<ShardId>(query.NextUint());
    position.next_seq = query.NextUint();
    position.end_seq = query.NextUint();
    position.settled = SettledBitmap::FromBytes(std::string(query.NextBytes()));
    position.delivered = query.NextUint();
    position.failed = query.NextUint();
  }
  return query.status();
}

}  // namespace postrider
