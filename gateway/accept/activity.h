#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/accept/event_input.h"

namespace postrider {

// Appends the `activity` object of the event to `out`: an Activity Streams 2.0 activity with the
// members `@context`, `type`, `actor`, `object`, `target`, `published` and `summary`, in this
// order. `event` has been validated; `time` is when it happened.
//
// What the publisher gave is written as given. What it left out is derived where that can be done
// honestly, else left out:
//
//     type        from the action, the first segment after the resource that names one: create
//                 Create, update Update, delete Delete, login Arrive, logout and leave Leave, join
//                 Join, accept Accept, assign Offer, notify Announce, read Read, error Flag; for
//                 others the base type `Activity`
//     actor       `{"type":"Application"}`: nobody is named, so a program caused it
//     object      its id is the event's link of the resource's name (the type's first segment), if
//                 there is one; its type follows from the resource: user Person, bot and
//                 botinstance Application, organization Organization, others Object. An object of
//                 another id than that link gets the type Object, for its kind isn't known
//     published   the event's time
//
// A party of empty members counts as absent; `target` and `summary` are never derived.
void AppendActivity(const EventInput& event, absl::Time time, std::string* out);

}  // namespace postrider
