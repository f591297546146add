#pragma once

#include "tests/model/machine.h"

namespace postrider::model {

// The searches: together they reach every rule, each in seconds.

// A subscription that leaves and rejoins, retries, and one crash.
Bounds Keeping();
// The same without retries, and two crashes.
Bounds KeepingThroughTwoCrashes();
// A reader that forgets what it has in memory.
Bounds Unloading();
// Outcomes that wait before they are submitted, and throttled attempts.
Bounds Gathering();
// Three events and two crashes.
Bounds ThreeEvents();
// Three events and retries, one crash.
Bounds ThreeEventsWithRetries();
// Exceptions: retried, purged, exhausted; two crashes.
Bounds Exceptions();
// A subscription that may not send at first, and a third event beyond its reader's window.
Bounds PausedWithSmallWindow();
// Two subscriptions, of which one leaves and rejoins: the other sees fan-out in slices.
Bounds TwoSubscriptions();
// Two subscriptions that both leave and rejoin; one wants only one of the events.
Bounds TwoLeavers();
// Subscriptions are created, deleted, purged, paused and resumed among events.
Bounds Creating();
Bounds CreatingInThePast();
Bounds Deleting();
Bounds Purging();
Bounds PurgingInPart();
Bounds Pausing();
// The oldest events are deleted while they are owed.
Bounds Retaining();
Bounds RetainingInOrder();
// An event that kills the process when it is sent.
Bounds Quarantining();
// A replay, to its end or until it is cancelled.
Bounds Replaying();
Bounds Cancelling();
// A publisher that does not hear of its commits.
Bounds LostAcks();

// Events of one key or of two: failing, parked, released, purged.
Bounds Ordered();
Bounds OrderedOnTheTail();
Bounds OrderedRetrying();
Bounds OrderedKeeping();
Bounds OrderedPurging();
Bounds OrderedGathering();
Bounds TwoKeys();
Bounds TwoKeysFailing();
// No more than one parked event; strict order: none.
Bounds FewParked();
Bounds Strict();
Bounds StrictKeeping();

}  // namespace postrider::model
