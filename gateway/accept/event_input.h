#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace postrider {

// A resource of an event's `data`: JSON text, as the publisher gave it or made from a Struct.
struct Resource {
  std::string name;
  std::string json;
  bool canonical = false;  // True: `json` is already as JSON.stringify writes it (from a Struct).
};

// An event's activity, as given. Strings are empty and JSON texts are empty when absent.
struct ActivityInput {
  struct Party {
    std::string id;
    std::string type;
    std::string name;
  };
  bool present = false;
  std::string type;
  std::optional<Party> actor;
  std::optional<Party> object;
  std::optional<Party> target;
  std::optional<absl::Time> published;
  std::string summary;
};

// What a publisher gave, before it is checked. Field paths in errors are those of the proto
// (`event.` is put before them by the caller).
struct EventInput {
  std::string id;  // Empty: the gateway makes one, and nothing is idempotent.
  std::string type;
  std::optional<absl::Time> time;
  std::string organization;
  std::vector<std::string> organization_path;
  ActivityInput activity;
  std::vector<Resource> data;                              // Any order; names are unique.
  std::vector<std::pair<std::string, std::string>> links;  // Any order; names are unique.
  std::string ordering_key;
  std::vector<std::string> targets;
  std::string traceparent;
  std::optional<absl::Time> expire_time;

  // Never a publisher's: the event is the gateway's own, about the subscription of this id, and its
  // type begins with kOperationalPrefix (operational_event.h). Empty: it is a publisher's.
  std::string about;
};

}  // namespace postrider
