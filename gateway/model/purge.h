#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/model/ids.h"

namespace postrider {

// Which events a purge is about: those that fulfil all that is given.
struct PurgeFilter {
  std::vector<std::string> event_types;       // Valid patterns; empty: every type.
  std::optional<absl::Time> accepted_before;  // Exclusive.

  bool empty() const { return event_types.empty() && !accepted_before.has_value(); }
  bool Covers(absl::string_view event_type, absl::Time accept_time) const;

  friend bool operator==(const PurgeFilter&, const PurgeFilter&) = default;
};

// What of a subscription's past is not owed to it any more (C4). Who meets an event that a mark
// covers passes over it.
struct PurgeMark {
  std::vector<Seq> through;  // By shard: the newest event that it is about.
  PurgeFilter filter;

  bool Covers(ShardId shard, Seq seq, absl::string_view event_type, absl::Time accept_time) const;
};

}  // namespace postrider
