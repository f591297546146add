#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_timeline.h"
#include "gateway/store/store.h"

namespace postrider {

// Lists of events and attempts, newest first: the stretch of the log that is not indexed yet, then
// the index behind it (L3). One thread at a time, as the connection.

class SqliteEventList {
 public:
  // `database` outlives this.
  SqliteEventList(Database* database, uint32_t shard_count);

  absl::StatusOr<std::vector<LogEntry>> List(const EventQuery& query);
  // Those that matched no subscription.
  absl::StatusOr<EventPage> ListUnmatched(const EventQuery& query);

 private:
  // Row keys: those above `low` and up to `high`.
  struct Range {
    int64_t low = 0;
    int64_t high = 0;
  };

  // The keys of the events to show; sets where the next page begins if there may be one.
  absl::StatusOr<std::vector<int64_t>> FindUnmatched(const EventQuery& query, Range range,
                                                     Seq* next_before);
  absl::StatusOr<std::pair<Range, int64_t>> RangeOf(ShardId shard, const EventQuery& query);
  absl::Status Collect(Statement* statement, const EventQuery& query, Range range,
                       std::vector<LogEntry>* entries);

  Database* const database_;
  const uint32_t shard_count_;
  Statement select_shard_;
  SqliteTimeline timeline_;
  Statement list_recent_;
  Statement list_recent_by_type_;
  Statement list_indexed_;
  Statement list_indexed_by_type_;
  Statement find_unmatched_;
  Statement select_entry_;
};

class SqliteAttemptList {
 public:
  // `database` outlives this.
  SqliteAttemptList(Database* database, uint32_t shard_count);

  absl::StatusOr<AttemptPage> List(const AttemptQuery& query);

 private:
  // An attempt's place in the list of a subscription.
  using Place = std::pair<int64_t, int64_t>;  // Time, key.
  struct Extent {
    AttemptSeq head = 0;     // The shard's newest attempt,
    AttemptSeq indexed = 0;  // and the newest one that is indexed.
    Seq first_seq = 1;       // Attempts of events below are about to go.
  };

  absl::StatusOr<AttemptPage> ListOfEvent(const AttemptQuery& query);
  absl::StatusOr<AttemptPage> ListOfSubscription(const AttemptQuery& query);
  absl::Status FindRecent(SubscriptionNumber subscription, Place before,
                          std::vector<Place>* places);
  absl::Status FindIndexed(SubscriptionNumber subscription, Place before, size_t limit,
                           std::vector<Place>* places);
  absl::StatusOr<Extent> ExtentOf(ShardId shard);
  absl::Status Collect(Query* query, std::vector<ListedAttempt>* attempts);

  Database* const database_;
  const uint32_t shard_count_;
  Statement select_shard_;
  Statement list_recent_by_event_;
  Statement list_by_event_;
  Statement find_recent_;
  Statement find_;
  Statement select_attempt_;
};

}  // namespace postrider
