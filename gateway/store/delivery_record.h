#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"

namespace postrider {

// What the store tells of single deliveries.

// A dead letter as a list shows it.
struct DeadLetter {
  ExceptionRow row;
  // Of its event; without an id if the event is not kept any more.
  std::optional<Uuid> event_id;
  std::string organization;
  std::string event_type;
  absl::Time accept_time;
  std::optional<absl::Time> expire_time;
};

struct DeadLetterQuery {
  SubscriptionNumber subscription = 0;
  // Where the last page ended; empty: from the beginning. Opaque to callers.
  std::string page;
  size_t limit = 50;
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;  // By shard, then by seq: oldest first.
  std::string next_page;            // Empty: the end.
};

// All that the store knows of one event and one subscription, as of one moment.
struct DeliveryRecord {
  LogEntry entry;
  std::vector<ExceptionRow> exceptions;  // By origin.
  std::optional<Attempt> last_attempt;
  std::optional<ReaderRow> reader;    // None: the subscription is on the tail of the shard.
  ShardPosition position;             // Of the shard.
  std::optional<Uuid> parked_behind;  // The event that a parked delivery waits for.
};

}  // namespace postrider
