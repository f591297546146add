#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/uuid.h"
#include "gateway/model/ids.h"

namespace postrider {

// What tells equal events from different ones of the same id (L5): a version byte and 16 bytes of
// SHA-256 over what the publisher gave.
using ContentHash = std::array<uint8_t, 17>;

// What a service published, checked and translated. Immutable once it has been submitted; shared by
// all who deliver it.
struct Event {
  Uuid id;
  std::string organization;
  std::vector<std::string> organization_path;  // Root first, `organization` last. Never empty.
  std::string type;                            // Dotted: `message.create.contact.chat`.
  absl::Time time;                             // When it happened.
  std::string ordering_key;                    // Empty: none.
  std::vector<std::string> targets;            // Subscription ids; empty: all that match.
  std::string traceparent;                     // Empty: none.
  std::optional<absl::Time> expire_time;
  std::string about;  // An operational event: the subscription that is not to get it. Else empty.
  ContentHash content_hash{};
  std::string body;  // The bytes that are stored, signed and sent.
};

// An event in the log. The store assigns shard, seq and accept_time.
struct LogEntry {
  ShardId shard = 0;
  Seq seq = 0;
  absl::Time accept_time;
  std::shared_ptr<const Event> event;

  // What the entry costs in memory budgets.
  size_t bytes() const { return event->body.size() + 256; }
};

}  // namespace postrider
