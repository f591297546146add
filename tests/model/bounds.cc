#include "tests/model/bounds.h"

namespace postrider::model {

Bounds Keeping() { return {.name = "Keeping", .crashes = 1, .failures = 1}; }

Bounds KeepingThroughTwoCrashes() { return {.name = "KeepingThroughTwoCrashes", .crashes = 2}; }

Bounds Unloading() {
  return {.name = "Unloading", .crashes = 1, .failures = 1, .throttles = true, .unloads = true};
}

Bounds Gathering() {
  return {.name = "Gathering",
          .crashes = 1,
          .failures = 1,
          .throttles = true,
          .leavers = 0,
          .gather = true,
          .late_notices = false};
}

Bounds ThreeEvents() { return {.name = "ThreeEvents", .events = 3, .crashes = 2}; }

Bounds ThreeEventsWithRetries() {
  return {.name = "ThreeEventsWithRetries", .events = 3, .crashes = 1, .failures = 1};
}

Bounds Exceptions() {
  return {.name = "Exceptions", .crashes = 2, .failures = 2, .purge = true, .leavers = 0};
}

Bounds PausedWithSmallWindow() {
  return {.name = "PausedWithSmallWindow",
          .events = 3,
          .start_paused = true,
          .script = {{Change::kResume, 0}},
          .crashes = 1,
          .leavers = 0,
          .window = 2};
}

Bounds TwoSubscriptions() {
  return {.name = "TwoSubscriptions", .subscriptions = 2, .created = 2, .crashes = 1, .leavers = 1};
}

Bounds TwoLeavers() {
  return {.name = "TwoLeavers",
          .subscriptions = 2,
          .created = 2,
          .crashes = 1,
          .late_notices = false,
          .wire = 1,
          .wanted = {Bit(1) | Bit(2), Bit(2)}};
}

Bounds Creating() {
  return {.name = "Creating",
          .subscriptions = 2,
          .created = 1,
          .script = {{Change::kCreate, 1}},
          .crashes = 1,
          .leavers = 0,
          .wire = 1};
}

Bounds Deleting() { return {.name = "Deleting", .script = {{Change::kDelete, 0}}, .crashes = 1}; }

Bounds Pausing() {
  return {.name = "Pausing",
          .script = {{Change::kPause, 0}, {Change::kResume, 0}},
          .crashes = 1,
          .leavers = 0};
}

Bounds LostAcks() { return {.name = "LostAcks", .crashes = 2, .leavers = 0, .lost_acks = true}; }

}  // namespace postrider::model
