#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/accept/event_input.h"
#include "gateway/base/limits.h"
#include "gateway/model/event.h"

namespace postrider {

// What a translation takes besides the event.
struct TranslateContext {
  absl::Time now;                       // The event's time if it has none; also for its id.
  std::array<uint64_t, 2> random = {};  // For the id of an event that comes without one.
  size_t body_bytes_max = kBodyBytesMaxDefault;

  // The known path of the event's organization, taken if the event gives none; root first, the
  // organization itself last. Empty: none is known, the organization is its own root.
  std::vector<std::string> organization_path;
};

// Checks what a publisher gave and renders the body that subscribers get, once: the same bytes are
// stored, signed, sent, retried and replayed. The same input and context give the same bytes on
// every machine.
//
// The body has the members `id`, `timestamp`, `event`, `organization`, `activity` (activity.h) and
// `data`, in this order. `data` has the resources sorted by name, then, if there are any, the
// `links`: organization, conversation, message, contact and user, then others by name.
//
// INVALID_ARGUMENT with the field's path if the event breaks a rule of ValidateEvent(), a resource
// is no JSON (json_text.h), or the body is longer than body_bytes_max. Pure and thread-safe; takes
// time in proportion to the input.
absl::StatusOr<std::shared_ptr<const Event>> Translate(const EventInput& input,
                                                       const TranslateContext& context);

}  // namespace postrider
