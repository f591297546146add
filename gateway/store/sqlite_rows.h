#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/model/event.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/store.h"

namespace postrider {

// An event's path as stored; empty if it is the organization alone.
std::string EncodePath(const Event& event);
// What few events have, as stored; empty if the event has none of it.
std::string EncodeExtra(const Event& event);

// Each takes the next columns of the row, as sqlite_sql.h lists them. DATA_LOSS: they can't be
// understood.
absl::StatusOr<LogEntry> DecodeEntry(Query* row);
absl::StatusOr<ListedAttempt> DecodeAttempt(Query* row);
// The columns from shard to redriven, as kListDeadLetters has them, without the subscription.
ExceptionRow DecodeException(Query* row);
// The expire time in an event's column `extra`, which may be empty.
std::optional<absl::Time> DecodeExpireTime(absl::string_view extra);
// number, id, organization, version, state, start_seqs, record.
struct SubscriptionRow {
  int state = 0;  // As sql::kLive and its kin. Tombstones have no record.
  Subscription subscription;
};
absl::StatusOr<SubscriptionRow> DecodeSubscriptionRow(Query* row);

}  // namespace postrider
