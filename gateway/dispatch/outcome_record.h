#pragma once

#include <optional>

#include "absl/time/time.h"
#include "gateway/dispatch/retry_policy.h"
#include "gateway/model/event.h"
#include "gateway/model/poster.h"
#include "gateway/store/store.h"

namespace postrider {

// One POST that is to be made, or was.
struct Exchange {
  LogEntry entry;
  std::optional<ExceptionRow> retry;  // Of an exception; else a first attempt.
  OrderingKey ordering_key = 0;       // What waits for it (E4).
  OriginId origin = kOriginLog;       // The replay that the delivery is of, if any.
  int attempt_number = 1;             // Of all that were made, charged or not.
  absl::Time start_time;
  int url_version = 0;  // SubscriberHealth's at the start: whose answer it is.
  DeadReason dead_reason = DeadReason::kNone;  // Set: no POST, only the record (E6).

  int charged() const { return retry.has_value() ? retry->attempts : 0; }  // Before this one.
  int throttled() const { return retry.has_value() ? retry->throttled : 0; }
};

// The result of an exchange that is dead already.
PostResult ResultWithoutPost(const Exchange& exchange);

// What an exchange leaves behind: written in one transaction.
struct OutcomeRecord {
  std::optional<Attempt> attempt;  // None: it is parked, and nothing was tried.
  std::optional<PutException> put_exception;
  std::optional<ResolveException> resolve_exception;
  OriginId replay = kOriginLog;  // Of a replay's first attempt: settles nothing of the log.
};

// What must be known of an outcome once it is committed.
struct CommittedOutcome {
  SubscriptionNumber subscription = 0;
  Seq seq = 0;
  OriginId replay = kOriginLog;          // As in OutcomeRecord.
  std::optional<ExceptionKey> added;     // A new exception that waits.
  std::optional<ExceptionKey> resolved;  // The exception of a retry.
  std::optional<absl::Time> due_time;  // When the one or the other is due; none: it waits no more.
  OrderingKey dead_key = 0;            // It is dead, and of this key.
  bool stale = false;  // The exception had been purged: the store has left it out (E1).
};

CommittedOutcome NoticeOf(const OutcomeRecord& record);

// What makes `entry` a parked exception of its key.
OutcomeRecord MakeParkedRecord(SubscriptionNumber subscription, const LogEntry& entry,
                               OrderingKey key);

// Turns an exchange, its result and what follows into the rows that say so.
OutcomeRecord MakeOutcomeRecord(SubscriptionNumber subscription, const Exchange& exchange,
                                const PostResult& result, const NextStep& step);

}  // namespace postrider
