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

Bounds CreatingInThePast() {
  return {.name = "CreatingInThePast",
          .subscriptions = 2,
          .created = 1,
          .script = {{Change::kCreateInThePast, 1}},
          .crashes = 1,
          .leavers = 0,
          .wire = 1};
}

Bounds Deleting() { return {.name = "Deleting", .script = {{Change::kDelete, 0}}, .crashes = 1}; }

Bounds Purging() {
  return {.name = "Purging",
          .script = {{Change::kPurge, 0}},
          .crashes = 1,
          .late_notices = false,
          .unloads = true};
}

Bounds PurgingInPart() {
  return {.name = "PurgingInPart",
          .events = 3,
          .script = {{Change::kPurge, 0}},
          .crashes = 1,
          .failures = 1,
          .covered = Bit(1),
          .keys = {Bit(1) | Bit(2) | Bit(3)},
          .leavers = 0};
}

Bounds Replaying() {
  return {.name = "Replaying",
          .subscriptions = 2,
          .replay = true,
          .script = {{Change::kReplay, 1}},
          .crashes = 1,
          .failures = 1,
          .leavers = 0,
          .late_notices = false,
          .wire = 1};
}

Bounds Cancelling() {
  return {.name = "Cancelling",
          .subscriptions = 2,
          .replay = true,
          .script = {{Change::kReplay, 1}, {Change::kCancel, 1}},
          .crashes = 1,
          .leavers = 0,
          .late_notices = false,
          .wire = 1};
}

Bounds Retaining() {
  return {.name = "Retaining",
          .crashes = 1,
          .failures = 1,
          .retention = true,
          .late_notices = false,
          .unloads = true};
}

Bounds RetainingInOrder() {
  return {.name = "RetainingInOrder",
          .crashes = 1,
          .failures = 1,
          .retention = true,
          .keys = {Bit(1) | Bit(2)},
          .leavers = 0};
}

Bounds Quarantining() {
  return {.name = "Quarantining",
          .crashes = 3,
          .failures = 1,
          .deadly = Bit(1),
          .keys = {Bit(1) | Bit(2)},
          .leavers = 1,
          .late_notices = false,
          .wire = 1};
}

Bounds Pausing() {
  return {.name = "Pausing",
          .script = {{Change::kPause, 0}, {Change::kResume, 0}},
          .crashes = 1,
          .leavers = 0};
}

Bounds Ordered() {
  return {.name = "Ordered",
          .events = 3,
          .crashes = 1,
          .failures = 2,
          .first_deaths = true,
          .keys = {Bit(1) | Bit(2) | Bit(3)},
          .leavers = 0};
}

Bounds OrderedOnTheTail() {
  return {.name = "OrderedOnTheTail",
          .crashes = 2,
          .failures = 2,
          .first_deaths = true,
          .keys = {Bit(1) | Bit(2)},
          .leavers = 0};
}

Bounds OrderedRetrying() {
  return {.name = "OrderedRetrying",
          .crashes = 2,
          .failures = 3,
          .retries_fail = true,
          .purge = true,
          .keys = {Bit(1) | Bit(2)},
          .leavers = 0};
}

Bounds OrderedKeeping() {
  return {.name = "OrderedKeeping",
          .crashes = 1,
          .failures = 1,
          .keys = {Bit(1) | Bit(2)},
          .unloads = true};
}

Bounds OrderedPurging() {
  return {.name = "OrderedPurging",
          .events = 3,
          .crashes = 1,
          .failures = 1,
          .purge = true,
          .keys = {Bit(1) | Bit(2) | Bit(3)},
          .leavers = 0};
}

Bounds TwoKeys() {
  return {.name = "TwoKeys",
          .events = 3,
          .crashes = 1,
          .failures = 1,
          .first_deaths = true,
          .keys = {Bit(1) | Bit(3), Bit(2)},
          .leavers = 0};
}

Bounds TwoKeysFailing() {
  return {.name = "TwoKeysFailing",
          .events = 3,
          .crashes = 0,
          .failures = 3,
          .keys = {Bit(1) | Bit(3), Bit(2)},
          .leavers = 0};
}

Bounds OrderedGathering() {
  return {.name = "OrderedGathering",
          .events = 3,
          .crashes = 1,
          .failures = 2,
          .first_deaths = true,
          .keys = {Bit(1) | Bit(2) | Bit(3)},
          .leavers = 0,
          .gather = true,
          .late_notices = false};
}

Bounds FewParked() {
  return {.name = "FewParked",
          .events = 4,
          .crashes = 0,
          .failures = 1,
          .purge = true,
          .keys = {Bit(1) | Bit(2) | Bit(3) | Bit(4)},
          .parked_max = 1,
          .leavers = 0,
          .late_notices = false};
}

Bounds Strict() {
  return {.name = "Strict",
          .events = 3,
          .crashes = 1,
          .failures = 2,
          .first_deaths = true,
          .keys = {Bit(1) | Bit(2) | Bit(3)},
          .parked_max = 0,
          .leavers = 0,
          .late_notices = false};
}

Bounds StrictKeeping() {
  return {.name = "StrictKeeping",
          .crashes = 1,
          .failures = 1,
          .purge = true,
          .keys = {Bit(1) | Bit(2)},
          .parked_max = 0,
          .unloads = true};
}

Bounds LostAcks() { return {.name = "LostAcks", .crashes = 2, .leavers = 0, .lost_acks = true}; }

}  // namespace postrider::model
