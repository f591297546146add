#include "gateway/store/sqlite_letters.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_letters_sql.h"
#include "gateway/store/sqlite_rows.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {
namespace {

constexpr size_t kLimitMax = 1000;

std::string PageAfter(const ExceptionKey& key) {
  return absl::StrCat(key.shard, ".", key.seq, ".", key.origin);
}

// The key that a page ended with. Before the first: a shard, seq and origin of 0 that none has.
absl::StatusOr<ExceptionKey> KeyOfPage(const std::string& page) {
  ExceptionKey key;
  if (page.empty()) {
    return key;
  }
  const std::vector<std::string> parts = absl::StrSplit(page, '.');
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &key.shard) ||
      !absl::SimpleAtoi(parts[1], &key.seq) || !absl::SimpleAtoi(parts[2], &key.origin)) {
    return InvalidField("page_token", "not a token that this call has given, for these arguments");
  }
  return key;
}

DeadLetter DecodeLetter(SubscriptionNumber subscription, Query* row) {
  DeadLetter letter;
  letter.row = DecodeException(row);
  letter.row.key.subscription = subscription;
  letter.event_id = Uuid::FromBytes(row->NextBytes());
  letter.organization = std::string(row->NextBytes());
  letter.event_type = std::string(row->NextBytes());
  letter.accept_time = FromStoredTime(row->NextInt());
  letter.expire_time = DecodeExpireTime(row->NextBytes());
  return letter;
}

}  // namespace

SqliteLetters::SqliteLetters(Database* database)
    : list_dead_(database, sql::kListDeadLetters),
      select_exceptions_(database, sql::kSelectExceptions),
      select_blocking_(database, sql::kSelectBlocking),
      select_shard_(database, sql::kSelectShard),
      select_reader_(database, sql::kSelectReader),
      recent_attempt_(database, sql::kSelectRecentAttemptOfPair),
      indexed_attempt_(database, sql::kSelectAttemptOfPair) {}

absl::StatusOr<DeadLetterPage> SqliteLetters::List(const DeadLetterQuery& query) {
  ASSIGN_OR_RETURN(const ExceptionKey after, KeyOfPage(query.page));
  const size_t limit = std::clamp<size_t>(query.limit, 1, kLimitMax);
  DeadLetterPage page;
  Query row(&list_dead_);
  row.Uint(query.subscription).Uint(after.shard).Uint(after.seq).Uint(after.origin);
  row.Uint(limit + 1);  // One more than asked for tells whether there is another page.
  while (row.Row()) {
    if (page.letters.size() == limit) {
      page.next_page = PageAfter(page.letters.back().row.key);
      break;
    }
    page.letters.push_back(DecodeLetter(query.subscription, &row));
  }
  RETURN_IF_ERROR(row.status());
  return page;
}

absl::Status SqliteLetters::Read(SubscriptionNumber subscription, DeliveryRecord* record) {
  RETURN_IF_ERROR(ReadExceptions(subscription, record));
  RETURN_IF_ERROR(ReadBlocking(subscription, record));
  RETURN_IF_ERROR(ReadPosition(subscription, record));
  return ReadLastAttempt(subscription, record);
}

absl::Status SqliteLetters::ReadExceptions(SubscriptionNumber subscription,
                                           DeliveryRecord* record) {
  Query query(&select_exceptions_);
  query.Uint(record->entry.shard).Uint(subscription).Uint(record->entry.seq);
  while (query.Row()) {
    ExceptionRow row = DecodeException(&query);
    row.key.subscription = subscription;
    record->exceptions.push_back(row);
  }
  return query.status();
}

absl::Status SqliteLetters::ReadBlocking(SubscriptionNumber subscription, DeliveryRecord* record) {
  for (const ExceptionRow& row : record->exceptions) {
    if (row.state != ExceptionState::kParked) {
      continue;
    }
    Query query(&select_blocking_);
    query.Uint(row.key.shard).Uint(subscription).Uint(row.ordering_key).Uint(row.key.seq);
    if (query.Row()) {
      record->parked_behind = Uuid::FromBytes(query.NextBytes());
    }
    RETURN_IF_ERROR(query.status());
  }
  return absl::OkStatus();
}

absl::Status SqliteLetters::ReadPosition(SubscriptionNumber subscription, DeliveryRecord* record) {
  const ShardId shard = record->entry.shard;
  {
    Query query(&select_shard_);
    if (!query.Uint(shard).Row()) {
      RETURN_IF_ERROR(query.status());
      return absl::DataLossError("store: a shard's row is missing");
    }
    record->position.head = query.NextUint();
    record->position.cursor = query.NextUint();
    record->position.attempt_head = query.NextUint();
    record->position.attempt_floor = query.NextUint();
    query.Skip();  // last_accept_time
    query.Skip();  // indexed_seq
    attempts_indexed_ = query.NextUint();
  }
  Query query(&select_reader_);
  if (query.Uint(shard).Uint(subscription).Row()) {
    ReaderRow row{.subscription = subscription, .shard = shard};
    row.next_seq = query.NextUint();
    row.settled = SettledBitmap::FromBytes(std::string(query.NextBytes()));
    record->reader = std::move(row);
  }
  return query.status();
}

absl::Status SqliteLetters::ReadLastAttempt(SubscriptionNumber subscription,
                                            DeliveryRecord* record) {
  const ShardId shard = record->entry.shard;
  const Seq seq = record->entry.seq;
  Query recent(&recent_attempt_);
  recent.Int(RowKey(shard, attempts_indexed_)).Int(RowKey(shard, record->position.attempt_head));
  Query indexed(&indexed_attempt_);
  Query* found = nullptr;
  if (recent.Uint(seq).Uint(subscription).Row()) {
    found = &recent;
  } else if (indexed.Int(RowKey(shard, seq)).Uint(subscription).Row()) {
    found = &indexed;
  }
  RETURN_IF_ERROR(recent.status());
  RETURN_IF_ERROR(indexed.status());
  if (found != nullptr) {
    ASSIGN_OR_RETURN(ListedAttempt listed, DecodeAttempt(found));
    record->last_attempt = std::move(listed.attempt);
  }
  return absl::OkStatus();
}

}  // namespace postrider
