#include "gateway/store/sqlite_read_connection.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/health_record.h"
#include "gateway/store/sqlite_replay_sql.h"
#include "gateway/store/sqlite_rows.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_sql.h"
#include "gateway/store/sqlite_suspects.h"
#include "gateway/store/sqlite_suspects_sql.h"

namespace postrider {
namespace {

int64_t Limit(size_t limit) {
  return static_cast<int64_t>(
      std::min<size_t>(limit, static_cast<size_t>(std::numeric_limits<int64_t>::max())));
}

}  // namespace

SqliteReadConnection::SqliteReadConnection(std::unique_ptr<Database> database, uint32_t shard_count)
    : database_(std::move(database)),
      shard_count_(shard_count),
      event_list_(database_.get(), shard_count),
      attempt_list_(database_.get(), shard_count),
      letters_(database_.get()),
      timeline_(database_.get()),
      replays_(database_.get()),
      select_subscriptions_(database_.get(), sql::kSelectSubscriptions),
      select_organizations_(database_.get(), sql::kSelectOrganizations),
      select_health_(database_.get(), sql::kSelectHealth),
      select_suspects_(database_.get(), sql::kSelectSuspects),
      select_shard_(database_.get(), sql::kSelectShard),
      select_readers_(database_.get(), sql::kSelectReaders),
      select_settled_(database_.get(), sql::kSelectSettled),
      select_parked_(database_.get(), sql::kSelectParked),
      select_blocked_keys_(database_.get(), sql::kSelectBlockedKeys),
      select_next_due_(database_.get(), sql::kSelectNextDue),
      count_waiting_(database_.get(), sql::kCountWaiting),
      count_replay_waiting_(database_.get(), sql::kCountReplayWaiting),
      select_state_(database_.get(), sql::kSelectState),
      select_log_(database_.get(), sql::kSelectLog),
      select_due_(database_.get(), sql::kSelectDue),
      select_event_(database_.get(), sql::kSelectEvent) {}

absl::StatusOr<Configuration> SqliteReadConnection::ReadConfiguration() {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  Configuration configuration;
  Query subscriptions(&select_subscriptions_);
  while (subscriptions.Row()) {
    ASSIGN_OR_RETURN(SubscriptionRow row, DecodeSubscriptionRow(&subscriptions));
    configuration.subscriptions.push_back(
        std::make_shared<const Subscription>(std::move(row.subscription)));
  }
  RETURN_IF_ERROR(subscriptions.status());
  Query organizations(&select_organizations_);
  while (organizations.Row()) {
    PutOrganizationPath& entry = configuration.organizations.emplace_back();
    entry.organization = std::string(organizations.NextBytes());
    entry.path = Decoder(organizations.NextBytes()).Strings();
  }
  RETURN_IF_ERROR(organizations.status());
  Query health(&select_health_);
  while (health.Row()) {
    StoredHealth& stored = configuration.health.emplace_back();
    stored.subscription = health.NextUint();
    if (!DecodeHealth(health.NextBytes(), &stored.health)) {
      return absl::DataLossError("store: a subscriber's health is damaged");
    }
  }
  RETURN_IF_ERROR(health.status());
  for (const std::shared_ptr<const Subscription>& subscription : configuration.subscriptions) {
    ASSIGN_OR_RETURN(std::vector<ReplayRecord> running, replays_.Running(subscription->number));
    std::move(running.begin(), running.end(), std::back_inserter(configuration.replays));
  }
  ASSIGN_OR_RETURN(configuration.suspects, ReadSuspects(&select_suspects_));
  return configuration;
}

absl::StatusOr<ShardRecovery> SqliteReadConnection::ReadShard(ShardId shard) {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(ShardRecovery recovery, ReadPosition(shard));
  RETURN_IF_ERROR(ReadReaders(shard, &recovery));
  // Nothing above the cursor: its floor may be old, and the attempts since then are no one's.
  if (recovery.position.cursor < recovery.position.head) {
    RETURN_IF_ERROR(ReadSettled(shard, &recovery));
  }
  return recovery;
}

absl::StatusOr<ShardRecovery> SqliteReadConnection::ReadPosition(ShardId shard) {
  Query query(&select_shard_);
  if (!query.Uint(shard).Row()) {
    RETURN_IF_ERROR(query.status());
    return absl::NotFoundError("shard: there is none of this number");
  }
  ShardRecovery recovery;
  recovery.position.head = query.NextUint();
  recovery.position.cursor = query.NextUint();
  recovery.position.attempt_head = query.NextUint();
  recovery.position.attempt_floor = query.NextUint();
  recovery.last_accept_time = FromStoredTime(query.NextInt());
  query.Skip();  // indexed_seq
  query.Skip();  // indexed_attempt
  recovery.position.first_seq = query.NextUint();
  return recovery;
}

absl::Status SqliteReadConnection::ReadReaders(ShardId shard, ShardRecovery* recovery) {
  Query query(&select_readers_);
  query.Uint(shard);
  while (query.Row()) {
    ReaderRow& reader = recovery->readers.emplace_back();
    reader.shard = shard;
    reader.subscription = query.NextUint();
    reader.next_seq = query.NextUint();
    reader.settled = SettledBitmap::FromBytes(std::string(query.NextBytes()));
  }
  return query.status();
}

absl::Status SqliteReadConnection::ReadSettled(ShardId shard, ShardRecovery* recovery) {
  if (recovery->position.cursor >= recovery->position.head) {
    return absl::OkStatus();  // However many attempts a replay has made since the floor.
  }
  Query query(&select_settled_);
  query.Int(RowKey(shard, recovery->position.attempt_floor));
  query.Int(RowKey(shard, recovery->position.attempt_head)).Uint(recovery->position.cursor);
  while (query.Row()) {
    const SubscriptionNumber subscription = query.NextUint();
    recovery->settled.emplace_back(subscription, query.NextUint());
  }
  RETURN_IF_ERROR(query.status());
  Query parked(&select_parked_);
  parked.Uint(shard).Uint(recovery->position.cursor);
  while (parked.Row()) {
    const SubscriptionNumber subscription = parked.NextUint();
    recovery->settled.emplace_back(subscription, parked.NextUint());
  }
  return parked.status();
}

absl::StatusOr<std::vector<BlockedKey>> SqliteReadConnection::ReadBlockedKeys() {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  std::vector<BlockedKey> keys;
  for (ShardId shard = 0; shard < shard_count_; ++shard) {
    Query query(&select_blocked_keys_);
    query.Uint(shard);
    while (query.Row()) {
      BlockedKey& blocked = keys.emplace_back();
      blocked.shard = shard;
      blocked.subscription = query.NextUint();
      blocked.key = static_cast<OrderingKey>(query.NextInt());
      blocked.seq = query.NextUint();
    }
    RETURN_IF_ERROR(query.status());
  }
  return keys;
}

absl::StatusOr<std::vector<NextDue>> SqliteReadConnection::ReadNextDue() {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  std::vector<NextDue> result;
  for (ShardId shard = 0; shard < shard_count_; ++shard) {
    RETURN_IF_ERROR(ReadNextDueOfShard(shard, &result));
  }
  return result;
}

// A skip scan: from the first row of one subscription to that of the next.
absl::Status SqliteReadConnection::ReadNextDueOfShard(ShardId shard, std::vector<NextDue>* result) {
  SubscriptionNumber last = 0;
  while (true) {
    NextDue next;
    next.shard = shard;
    {
      Query query(&select_next_due_);
      if (!query.Uint(shard).Uint(last).Row()) {
        return query.status();
      }
      next.subscription = query.NextUint();
      next.due_time = FromStoredTime(query.NextInt());
    }
    last = next.subscription;
    ASSIGN_OR_RETURN(const bool live, IsLive(next.subscription));
    if (!live) {
      continue;
    }
    Query count(&count_waiting_);
    if (count.Uint(shard).Uint(next.subscription).Row()) {
      next.waiting = count.NextUint();
    }
    RETURN_IF_ERROR(count.status());
    RETURN_IF_ERROR(CountReplayWaiting(&next));
    result->push_back(std::move(next));
  }
}

absl::Status SqliteReadConnection::CountReplayWaiting(NextDue* next) {
  Query query(&count_replay_waiting_);
  query.Uint(next->shard).Uint(next->subscription);
  while (query.Row()) {
    const OriginId replay = query.NextUint();
    const uint64_t waiting = query.NextUint();
    if (query.NextUint() >= static_cast<uint64_t>(ReplayState::kCanceled)) {
      next->waiting -= waiting;
    } else {
      next->of_replays.emplace_back(replay, waiting);
    }
  }
  return query.status();
}

absl::StatusOr<bool> SqliteReadConnection::IsLive(SubscriptionNumber number) {
  Query query(&select_state_);
  const bool known = query.Uint(number).Row();
  RETURN_IF_ERROR(query.status());
  return !known || query.NextInt() == sql::kLive;
}

absl::StatusOr<std::vector<LogEntry>> SqliteReadConnection::ReadLog(ShardId shard, Seq after,
                                                                    size_t events, size_t bytes) {
  std::vector<LogEntry> entries;
  size_t total = 0;
  Query query(&select_log_);
  query.Int(RowKey(shard, after)).Int(RowKey(shard, kSeqMax)).Int(Limit(events));
  while (query.Row()) {
    ASSIGN_OR_RETURN(LogEntry entry, DecodeEntry(&query));
    total += entry.event->body.size();
    if (total > bytes && !entries.empty()) {
      return entries;
    }
    entries.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(query.status());
  return entries;
}

absl::StatusOr<std::vector<DueException>> SqliteReadConnection::ReadDue(
    SubscriptionNumber subscription, ShardId shard, absl::Time until, size_t limit, size_t bytes) {
  std::vector<DueException> result;
  size_t total = 0;
  Query query(&select_due_);
  query.Uint(shard).Uint(subscription).Int(ToStoredTime(until)).Int(Limit(limit));
  while (query.Row()) {
    DueException due;
    due.row.key.shard = shard;
    due.row.key.subscription = subscription;
    due.row.key.seq = query.NextUint();
    due.row.key.origin = query.NextUint();
    due.row.generation = query.NextUint();
    due.row.attempts = static_cast<int>(query.NextInt());
    due.row.throttled = static_cast<int>(query.NextInt());
    due.row.due_time = FromStoredTime(query.NextInt());
    due.row.first_attempt_time = FromStoredTime(query.NextInt());
    due.row.ordering_key = static_cast<OrderingKey>(query.NextInt());
    due.row.redriven = query.NextInt() != 0;
    ASSIGN_OR_RETURN(due.entry, DecodeEntry(&query));
    total += due.entry.event->body.size();
    if (total > bytes && !result.empty()) {
      return result;
    }
    result.push_back(std::move(due));
  }
  RETURN_IF_ERROR(query.status());
  return result;
}

absl::StatusOr<LogEntry> SqliteReadConnection::ReadEvent(const Uuid& id,
                                                         const std::string& organization) {
  Query query(&select_event_);
  if (!query.Blob(id.bytes()).Text(organization).Row()) {
    RETURN_IF_ERROR(query.status());
    return absl::NotFoundError("event: there is none of this id in the organization");
  }
  return DecodeEntry(&query);
}

absl::StatusOr<std::vector<LogEntry>> SqliteReadConnection::ListEvents(const EventQuery& query) {
  return event_list_.List(query);
}

absl::StatusOr<EventPage> SqliteReadConnection::ListUnmatched(const EventQuery& query) {
  return event_list_.ListUnmatched(query);
}

absl::StatusOr<DeadLetterPage> SqliteReadConnection::ListDeadLetters(const DeadLetterQuery& query) {
  return letters_.List(query);
}

absl::StatusOr<DeliveryRecord> SqliteReadConnection::ReadDelivery(const Uuid& id,
                                                                  const std::string& organization,
                                                                  SubscriptionNumber subscription) {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  DeliveryRecord record;
  ASSIGN_OR_RETURN(record.entry, ReadEvent(id, organization));
  RETURN_IF_ERROR(letters_.Read(subscription, &record));
  return record;
}

absl::StatusOr<AttemptPage> SqliteReadConnection::ListAttempts(const AttemptQuery& query) {
  return attempt_list_.List(query);
}

absl::StatusOr<SeqRange> SqliteReadConnection::FindRange(ShardId shard, absl::Time since,
                                                         std::optional<absl::Time> until) {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const ShardRecovery recovery, ReadPosition(shard));
  const Seq head = recovery.position.head;
  const Seq kept = recovery.position.first_seq;
  SeqRange range;
  range.last = head;
  ASSIGN_OR_RETURN(range.first, timeline_.SeqAt(shard, kept, head, since));
  if (until.has_value()) {
    ASSIGN_OR_RETURN(const Seq end, timeline_.SeqAt(shard, kept, head, *until));
    range.last = end - 1;
  }
  return range;
}

absl::StatusOr<ReplayRecord> SqliteReadConnection::ReadReplay(const std::string& id) {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(ReplayRecord record, replays_.Get(id));
  ASSIGN_OR_RETURN(const bool live, IsLive(record.replay->subscription));
  if (!live) {
    return absl::NotFoundError("replay: its subscription was deleted");
  }
  return record;
}

absl::StatusOr<std::vector<ReplayRecord>> SqliteReadConnection::ListReplays(
    SubscriptionNumber subscription) {
  ReadTransaction transaction(database_.get());
  RETURN_IF_ERROR(transaction.status());
  return replays_.List(subscription, kReplaysKeptMax + kReplaysUnfinishedMax);
}

}  // namespace postrider
