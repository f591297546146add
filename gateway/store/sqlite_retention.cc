#include "gateway/store/sqlite_retention.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_letters_sql.h"
#include "gateway/store/sqlite_retention_sql.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {
namespace {

// So many attempts and exceptions to an event of the step's limit.
constexpr size_t kRowsPerEvent = 2;

// The changes of `subscription`: the last ones, or new ones.
ExceptionChanges& ChangesOf(SubscriptionNumber subscription, DeletedEvents* deleted) {
  for (auto& [number, changes] : deleted->exceptions) {
    if (number == subscription) return changes;
  }
  return deleted->exceptions.emplace_back(subscription, ExceptionChanges()).second;
}

}  // namespace

SqliteRetention::SqliteRetention(Database* database, SqliteShards* shards,
                                 SqliteDeliveryWriter* deliveries, SqliteReplayWriter* replays,
                                 const SqliteConfigWriter* configuration)
    : shards_(shards),
      deliveries_(deliveries),
      replays_(replays),
      configuration_(configuration),
      select_events_(database, sql::kSelectOldEvents),
      select_attempts_(database, sql::kSelectOldAttempts),
      select_exceptions_(database, sql::kSelectOldExceptions),
      select_long_gone_(database, sql::kSelectLongGone),
      select_accept_time_(database, sql::kSelectAcceptTime),
      set_gone_(database, sql::kSetGone),
      delete_exception_(database, sql::kPurgeException),
      delete_events_(database, sql::kDeleteEvents),
      delete_id_(database, sql::kDeleteEventId),
      delete_by_organization_(database, sql::kDeleteByOrganization),
      delete_by_type_(database, sql::kDeleteByType),
      delete_unmatched_(database, sql::kDeleteUnmatched),
      delete_attempt_(database, sql::kDeleteAttempt),
      delete_attempt_by_event_(database, sql::kDeleteAttemptByEvent),
      delete_attempt_by_subscription_(database, sql::kDeleteAttemptBySubscription),
      delete_segments_(database, sql::kDeleteSegments) {}

absl::StatusOr<DeletedEvents> SqliteRetention::Delete(const DeleteOldEvents& write, ShardId shard,
                                                      int64_t now) {
  DeletedEvents deleted;
  deleted.first_seq = shards_->Get(shard).first_seq;
  const size_t rows = kRowsPerEvent * write.limit;
  ASSIGN_OR_RETURN(const size_t long_gone, DeleteLongGone(shard, ToStoredTime(write.before), rows));
  if (long_gone == rows) {
    deleted.more = true;
    return deleted;
  }
  ASSIGN_OR_RETURN(std::vector<OldEvent> events, FindEvents(write, shard));
  if (!events.empty()) {
    const size_t found = events.size();
    ASSIGN_OR_RETURN(Seq last, DeleteAttempts(shard, events.back().seq, rows));
    ASSIGN_OR_RETURN(last, EndExceptions(shard, last, rows, now, &deleted));
    while (!events.empty() && events.back().seq > last) {
      events.pop_back();
    }
    RETURN_IF_ERROR(DeleteEvents(shard, events));
    deleted.events = events.size();
    deleted.more = events.size() < found || found == write.limit;
    deleted.first_seq = shards_->Get(shard).first_seq;
  }
  if (!events.empty()) {
    deleted.deleted_until = FromStoredTime(events.back().accept_time);
  }
  if (!deleted.more) {
    RETURN_IF_ERROR(NoteOldest(shard, &deleted));
  }
  return deleted;
}

// --- Events --------------------------------------------------------------------------------------

absl::StatusOr<std::vector<SqliteRetention::OldEvent>> SqliteRetention::FindEvents(
    const DeleteOldEvents& write, ShardId shard_id) {
  const SqliteShard& shard = shards_->Get(shard_id);
  const int64_t before = ToStoredTime(write.before);
  std::vector<OldEvent> events;
  // What is not indexed yet would be missing when its turn comes.
  const Seq last = std::min(shard.cursor, shard.indexed_seq);
  if (shard.first_seq > last) {
    return events;
  }
  Query query(&select_events_);
  query.Int(RowKey(shard_id, shard.first_seq)).Int(RowKey(shard_id, last)).Uint(write.limit);
  while (query.Row()) {
    OldEvent event;
    event.seq = PositionOf(query.NextInt());
    event.id = std::string(query.NextBytes());
    event.organization = std::string(query.NextBytes());
    event.type = std::string(query.NextBytes());
    event.accept_time = query.NextInt();
    if (event.accept_time >= before) {
      break;
    }
    events.push_back(std::move(event));
  }
  RETURN_IF_ERROR(query.status());
  return events;
}

absl::Status SqliteRetention::DeleteEvents(ShardId shard_id, const std::vector<OldEvent>& events) {
  if (events.empty()) {
    return absl::OkStatus();
  }
  const int64_t first = RowKey(shard_id, shards_->Get(shard_id).first_seq);
  const int64_t last = RowKey(shard_id, events.back().seq);
  for (const OldEvent& event : events) {
    const int64_t key = RowKey(shard_id, event.seq);
    RETURN_IF_ERROR(Query(&delete_id_).Blob(event.id).Text(event.organization).Run());
    RETURN_IF_ERROR(Query(&delete_by_organization_).Text(event.organization).Int(key).Run());
    Query by_type(&delete_by_type_);
    RETURN_IF_ERROR(by_type.Text(event.organization).Text(event.type).Int(key).Run());
  }
  RETURN_IF_ERROR(Query(&delete_events_).Int(first).Int(last).Run());
  RETURN_IF_ERROR(Query(&delete_unmatched_).Int(first).Int(last).Run());
  SqliteShard* const shard = shards_->Change(shard_id);
  shard->first_seq = events.back().seq + 1;
  return Query(&delete_segments_).Uint(shard_id).Uint(shard->first_seq).Run();
}

absl::Status SqliteRetention::NoteOldest(ShardId shard, DeletedEvents* deleted) {
  Query query(&select_accept_time_);
  if (query.Int(RowKey(shard, deleted->first_seq)).Row()) {
    deleted->oldest = FromStoredTime(query.NextInt());
  }
  return query.status();
}

// --- Attempts ------------------------------------------------------------------------------------

absl::StatusOr<Seq> SqliteRetention::DeleteAttempts(ShardId shard, Seq last, size_t limit) {
  struct OldAttempt {
    int64_t event_key = 0;
    int64_t key = 0;
    SubscriptionNumber subscription = 0;
    int64_t time = 0;
  };
  std::vector<OldAttempt> attempts;
  {
    Query query(&select_attempts_);
    query.Int(RowKey(shard, shards_->Get(shard).first_seq)).Int(RowKey(shard, last)).Uint(limit);
    while (query.Row()) {
      OldAttempt& attempt = attempts.emplace_back();
      attempt.event_key = query.NextInt();
      attempt.key = query.NextInt();
      attempt.subscription = query.NextUint();
      attempt.time = query.NextInt();
    }
    RETURN_IF_ERROR(query.status());
  }
  for (const OldAttempt& attempt : attempts) {
    RETURN_IF_ERROR(Query(&delete_attempt_).Int(attempt.key).Run());
    Query by_event(&delete_attempt_by_event_);
    RETURN_IF_ERROR(by_event.Int(attempt.event_key).Int(attempt.key).Run());
    Query by_subscription(&delete_attempt_by_subscription_);
    by_subscription.Uint(attempt.subscription).Int(attempt.time).Int(attempt.key);
    RETURN_IF_ERROR(by_subscription.Run());
  }
  return attempts.size() == limit ? PositionOf(attempts.back().event_key) - 1 : last;
}

// --- Exceptions ----------------------------------------------------------------------------------

absl::StatusOr<Seq> SqliteRetention::EndExceptions(ShardId shard, Seq last, size_t limit,
                                                   int64_t now, DeletedEvents* deleted) {
  ASSIGN_OR_RETURN(const std::vector<OldException> exceptions, FindExceptions(shard, last, limit));
  for (const OldException& old : exceptions) {
    const OriginId origin = old.place.second;
    ASSIGN_OR_RETURN(const bool accepts, replays_->Accepts(origin));
    if (!accepts || configuration_->IsDeleted(old.subscription)) {
      RETURN_IF_ERROR(DeleteException(shard, old.subscription, old.place));
      continue;  // Nobody counts it any more.
    }
    RETURN_IF_ERROR(EndException(shard, old, now, &ChangesOf(old.subscription, deleted)));
  }
  RETURN_IF_ERROR(Release(shard, now, deleted));
  return exceptions.size() == limit ? exceptions.back().place.first - 1 : last;
}

absl::StatusOr<std::vector<SqliteRetention::OldException>> SqliteRetention::FindExceptions(
    ShardId shard, Seq last, size_t limit) {
  std::vector<OldException> exceptions;
  Query query(&select_exceptions_);
  query.Uint(shard).Uint(last).Uint(limit);
  while (query.Row()) {
    OldException& old = exceptions.emplace_back();
    old.subscription = query.NextUint();
    old.place.first = query.NextUint();
    old.place.second = query.NextUint();
    old.state = static_cast<ExceptionState>(query.NextUint());
    old.ordering_key = static_cast<OrderingKey>(query.NextInt());
  }
  RETURN_IF_ERROR(query.status());
  return exceptions;
}

absl::Status SqliteRetention::EndException(ShardId shard, const OldException& old, int64_t now,
                                           ExceptionChanges* changes) {
  Query query(&set_gone_);
  query.Uint(static_cast<uint64_t>(DeadReason::kExpired)).Int(now);
  query.Uint(shard).Uint(old.subscription).Uint(old.place.first).Uint(old.place.second);
  RETURN_IF_ERROR(query.Run());
  if (old.state == ExceptionState::kDead) {
    return absl::OkStatus();
  }
  changes->expired = true;
  NoteGone(old, changes);
  return absl::OkStatus();
}

absl::Status SqliteRetention::Release(ShardId shard, int64_t now, DeletedEvents* deleted) {
  for (auto& [subscription, changes] : deleted->exceptions) {
    std::set<OrderingKey> keys;
    for (const auto& [seq, key] : changes.ordered) {
      keys.insert(key);
    }
    for (const OrderingKey key : keys) {
      ASSIGN_OR_RETURN(const bool released,
                       deliveries_->ReleaseIfNoneWaits(shard, subscription, key, now));
      changes.waiting += released ? 1 : 0;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> SqliteRetention::DeleteLongGone(ShardId shard, int64_t before,
                                                       size_t limit) {
  std::vector<std::pair<SubscriptionNumber, ExceptionPlace>> gone;
  {
    Query query(&select_long_gone_);
    query.Uint(shard).Int(before).Uint(limit);
    while (query.Row()) {
      auto& [subscription, place] = gone.emplace_back();
      subscription = query.NextUint();
      place.first = query.NextUint();
      place.second = query.NextUint();
    }
    RETURN_IF_ERROR(query.status());
  }
  for (const auto& [subscription, place] : gone) {
    RETURN_IF_ERROR(DeleteException(shard, subscription, place));
  }
  return gone.size();
}

absl::Status SqliteRetention::DeleteException(ShardId shard, SubscriptionNumber subscription,
                                              const ExceptionPlace& place) {
  Query query(&delete_exception_);
  return query.Uint(shard).Uint(subscription).Uint(place.first).Uint(place.second).Run();
}

}  // namespace postrider
