#include "gateway/store/sqlite_list.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

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

// No caller wants more in one piece.
constexpr size_t kLimitMax = 1000;

// How many events that matched nobody one page looks at, also those of other organizations.
constexpr size_t kUnmatchedSeenMax = 2000;

size_t BodyBytes(const std::vector<LogEntry>& entries) {
  size_t bytes = 0;
  for (const LogEntry& entry : entries) {
    bytes += entry.event->body.size();
  }
  return bytes;
}

absl::Status BadPage() {
  return InvalidField("page_token", "not a token that this call has given, for these arguments");
}

}  // namespace

// --- Events -------------------------------------------------------------------------------------

SqliteEventList::SqliteEventList(Database* database, uint32_t shard_count)
    : database_(database),
      shard_count_(shard_count),
      select_shard_(database, sql::kSelectShard),
      timeline_(database),
      list_recent_(database, sql::kListRecent),
      list_recent_by_type_(database, sql::kListRecentByType),
      list_indexed_(database, sql::kListIndexed),
      list_indexed_by_type_(database, sql::kListIndexedByType),
      find_unmatched_(database, sql::kFindUnmatched),
      select_entry_(database, sql::kSelectEntry) {}

absl::StatusOr<std::vector<LogEntry>> SqliteEventList::List(const EventQuery& query) {
  ReadTransaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  const ShardId shard = ShardOf(query.organization, shard_count_);
  ASSIGN_OR_RETURN(const auto range_and_indexed, RangeOf(shard, query));
  const auto& [range, indexed] = range_and_indexed;
  std::vector<LogEntry> entries;
  const Range recent{std::max(range.low, indexed), range.high};
  RETURN_IF_ERROR(
      Collect(query.type.empty() ? &list_recent_ : &list_recent_by_type_, query, recent, &entries));
  const Range older{range.low, std::min(range.high, indexed)};
  RETURN_IF_ERROR(Collect(query.type.empty() ? &list_indexed_ : &list_indexed_by_type_, query,
                          older, &entries));
  return entries;
}

absl::StatusOr<EventPage> SqliteEventList::ListUnmatched(const EventQuery& query) {
  ReadTransaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const auto range_and_indexed,
                   RangeOf(ShardOf(query.organization, shard_count_), query));
  EventPage page;
  ASSIGN_OR_RETURN(const std::vector<int64_t> keys,
                   FindUnmatched(query, range_and_indexed.first, &page.next_before));
  size_t body_bytes = 0;
  for (const int64_t key : keys) {
    if (body_bytes >= kListedBodyBytesMax) {
      page.next_before = page.entries.back().seq;
      break;
    }
    Query row(&select_entry_);
    if (row.Int(key).Row()) {
      ASSIGN_OR_RETURN(LogEntry entry, DecodeEntry(&row));
      body_bytes += entry.event->body.size();
      page.entries.push_back(std::move(entry));
    }
    RETURN_IF_ERROR(row.status());
  }
  return page;
}

absl::StatusOr<std::vector<int64_t>> SqliteEventList::FindUnmatched(const EventQuery& query,
                                                                    Range range, Seq* next_before) {
  std::vector<int64_t> keys;
  const size_t limit = std::min(query.limit, kLimitMax);
  size_t seen = 0;
  Query row(&find_unmatched_);
  row.Int(range.low).Int(range.high).Uint(kUnmatchedSeenMax);
  while (row.Row()) {
    const int64_t key = row.NextInt();
    const bool own = row.NextBytes() == query.organization;
    if (own && (query.type.empty() || row.NextBytes() == query.type)) {
      keys.push_back(key);
    }
    if (++seen == kUnmatchedSeenMax || keys.size() >= limit) {
      *next_before = PositionOf(key);
      break;
    }
  }
  RETURN_IF_ERROR(row.status());
  return keys;
}

absl::StatusOr<std::pair<SqliteEventList::Range, int64_t>> SqliteEventList::RangeOf(
    ShardId shard, const EventQuery& query) {
  Seq head = 0;
  Seq indexed = 0;
  Seq first = 1;
  {
    Query row(&select_shard_);
    if (!row.Uint(shard).Row()) {
      RETURN_IF_ERROR(row.status());
      return absl::DataLossError("store: a shard's row is missing");
    }
    head = row.NextUint();
    for (int column = 0; column < 4; ++column) {
      row.Skip();
    }
    indexed = row.NextUint();
    row.Skip();  // indexed_attempt
    first = row.NextUint();
  }
  const Seq kept = first;
  Seq end = std::min(query.before_seq, head + 1);
  if (query.accepted_since.has_value()) {
    ASSIGN_OR_RETURN(first, timeline_.SeqAt(shard, kept, head, *query.accepted_since));
  }
  if (query.accepted_until.has_value()) {
    ASSIGN_OR_RETURN(const Seq until, timeline_.SeqAt(shard, kept, head, *query.accepted_until));
    end = std::min(end, until);
  }
  const Range range{RowKey(shard, first - 1), RowKey(shard, end == 0 ? 0 : end - 1)};
  return std::make_pair(range, RowKey(shard, indexed));
}

absl::Status SqliteEventList::Collect(Statement* statement, const EventQuery& query, Range range,
                                      std::vector<LogEntry>* entries) {
  const size_t limit = std::min(query.limit, kLimitMax);
  size_t body_bytes = BodyBytes(*entries);
  if (range.low >= range.high || entries->size() >= limit || body_bytes >= kListedBodyBytesMax) {
    return absl::OkStatus();
  }
  Query row(statement);
  const bool by_index = statement == &list_indexed_ || statement == &list_indexed_by_type_;
  if (!by_index) {
    row.Int(range.low).Int(range.high);
  }
  row.Text(query.organization);
  if (!query.type.empty()) {
    row.Text(query.type);
  }
  if (by_index) {
    row.Int(range.low).Int(range.high);
  }
  row.Uint(limit - entries->size());
  while (body_bytes < kListedBodyBytesMax && row.Row()) {
    ASSIGN_OR_RETURN(LogEntry entry, DecodeEntry(&row));
    body_bytes += entry.event->body.size();
    entries->push_back(std::move(entry));
  }
  return row.status();
}

// --- Attempts -----------------------------------------------------------------------------------

SqliteAttemptList::SqliteAttemptList(Database* database, uint32_t shard_count)
    : database_(database),
      shard_count_(shard_count),
      select_shard_(database, sql::kSelectShard),
      list_recent_by_event_(database, sql::kListRecentAttemptsByEvent),
      list_by_event_(database, sql::kListAttemptsByEvent),
      find_recent_(database, sql::kFindRecentAttempts),
      find_(database, sql::kFindAttempts),
      select_attempt_(database, sql::kSelectAttempt) {}

absl::StatusOr<AttemptPage> SqliteAttemptList::List(const AttemptQuery& query) {
  if (query.event.has_value() == query.subscription.has_value()) {
    return absl::InvalidArgumentError("attempts: of an event or of a subscription, one of them");
  }
  ReadTransaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  return query.event.has_value() ? ListOfEvent(query) : ListOfSubscription(query);
}

absl::StatusOr<AttemptPage> SqliteAttemptList::ListOfEvent(const AttemptQuery& query) {
  const auto [shard, seq] = *query.event;
  AttemptSeq last = kSeqMax;
  if (!query.page.empty()) {
    uint64_t before = 0;
    if (!absl::SimpleAtoi(query.page, &before) || before < 1 || before > kSeqMax) {
      return BadPage();
    }
    last = before - 1;
  }
  const size_t limit = std::min(query.limit, kLimitMax);
  AttemptPage page;
  ASSIGN_OR_RETURN(const Extent extent, ExtentOf(shard));
  const AttemptSeq indexed = extent.indexed;
  // One more than asked for tells whether there is another page.
  if (last > indexed) {
    Query recent(&list_recent_by_event_);
    recent.Int(RowKey(shard, indexed)).Int(RowKey(shard, std::min(last, extent.head)));
    recent.Uint(seq).Uint(limit + 1);
    RETURN_IF_ERROR(Collect(&recent, &page.attempts));
  }
  if (page.attempts.size() <= limit) {
    Query older(&list_by_event_);
    older.Int(RowKey(shard, seq)).Int(RowKey(shard, std::min(last, indexed)));
    older.Uint(limit + 1 - page.attempts.size());
    RETURN_IF_ERROR(Collect(&older, &page.attempts));
  }
  if (page.attempts.size() > limit) {
    page.attempts.resize(limit);
    page.next_page = limit == 0 ? query.page : absl::StrCat(page.attempts.back().attempt_seq);
  }
  return page;
}

absl::StatusOr<SqliteAttemptList::Extent> SqliteAttemptList::ExtentOf(ShardId shard) {
  Query row(&select_shard_);
  if (!row.Uint(shard).Row()) {
    RETURN_IF_ERROR(row.status());
    return absl::NotFoundError("shard: there is none of this number");
  }
  row.Skip();  // head
  row.Skip();  // cursor
  Extent extent;
  extent.head = row.NextUint();
  row.Skip();  // attempt_floor
  row.Skip();  // last_accept_time
  row.Skip();  // indexed_seq
  extent.indexed = row.NextUint();
  extent.first_seq = row.NextUint();
  return extent;
}

absl::StatusOr<AttemptPage> SqliteAttemptList::ListOfSubscription(const AttemptQuery& query) {
  Place before{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()};
  if (!query.page.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(query.page, '.');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &before.first) ||
        !absl::SimpleAtoi(parts[1], &before.second)) {
      return BadPage();
    }
  }
  const size_t limit = std::min(query.limit, kLimitMax);
  std::vector<Place> places;
  RETURN_IF_ERROR(FindRecent(*query.subscription, before, &places));
  RETURN_IF_ERROR(FindIndexed(*query.subscription, before, limit + 1, &places));
  std::sort(places.begin(), places.end(), std::greater<>());
  AttemptPage page;
  for (size_t i = 0; i < std::min(limit, places.size()); ++i) {
    Query row(&select_attempt_);
    row.Int(places[i].second);
    RETURN_IF_ERROR(Collect(&row, &page.attempts));
  }
  if (places.size() > limit) {
    page.next_page = limit == 0
                         ? query.page
                         : absl::StrCat(places[limit - 1].first, ".", places[limit - 1].second);
  }
  return page;
}

absl::Status SqliteAttemptList::FindRecent(SubscriptionNumber subscription, Place before,
                                           std::vector<Place>* places) {
  for (ShardId shard = 0; shard < shard_count_; ++shard) {
    ASSIGN_OR_RETURN(const Extent extent, ExtentOf(shard));
    Query query(&find_recent_);
    query.Int(RowKey(shard, extent.indexed)).Int(RowKey(shard, extent.head));
    query.Uint(subscription).Uint(extent.first_seq);
    while (query.Row()) {
      const int64_t time = query.NextInt();
      const Place place{time, query.NextInt()};
      if (place < before) {
        places->push_back(place);
      }
    }
    RETURN_IF_ERROR(query.status());
  }
  return absl::OkStatus();
}

absl::Status SqliteAttemptList::FindIndexed(SubscriptionNumber subscription, Place before,
                                            size_t limit, std::vector<Place>* places) {
  Query query(&find_);
  query.Uint(subscription).Int(before.first).Int(before.second).Uint(limit);
  while (query.Row()) {
    const int64_t time = query.NextInt();
    places->emplace_back(time, query.NextInt());
  }
  return query.status();
}

absl::Status SqliteAttemptList::Collect(Query* query, std::vector<ListedAttempt>* attempts) {
  while (query->Row()) {
    ASSIGN_OR_RETURN(ListedAttempt attempt, DecodeAttempt(query));
    attempts->push_back(std::move(attempt));
  }
  return query->status();
}

}  // namespace postrider
