#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/accept/event_input.h"

namespace postrider {

// Says whether `event` may enter the log: every rule but those of the resources' JSON and of the
// body's size, which Translate() meets on its way.
//
// INVALID_ARGUMENT for the first rule broken, in the order of EventInput's fields, with the field
// and the limit. Pure: `now` is what expire_time is compared with if there is no id. Checks counts
// before contents, so that what is far too large costs little.
absl::Status ValidateEvent(const EventInput& event, absl::Time now);

}  // namespace postrider
