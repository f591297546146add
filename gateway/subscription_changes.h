#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/gateway.h"
#include "gateway/model/subscription.h"
#include "gateway/store/store.h"

// What calls make of a subscription as it is. Pure: who commits the result is told if another
// change came first, and asks again.
//
// The facts of a subscription are separate (C6): each function touches its own and no other.
namespace postrider {

// The write; none where the subscription is already as it is to be; or why it can't be so.
using Change = absl::StatusOr<std::optional<PutSubscription>>;

// Whether a repeated create asks for what exists already. Secrets count where the wish has any.
bool AsksForTheSame(const Subscription& wish, const Subscription& existing);

// With the fields that `update` names. What the result has to obey is not judged, but for what
// can't be changed at all: INVALID_ARGUMENT, with the field.
absl::StatusOr<Subscription> Updated(const Subscription& current, const SubscriptionUpdate& update);

Change Paused(const Subscription& current);

// FAILED_PRECONDITION for one that is disabled.
Change Resumed(const Subscription& current, bool skip_backlog);

Change Enabled(const Subscription& current, bool skip_backlog);

// `challenged_url` has answered as it should. No change if the URL is another one by now.
Change Verified(const Subscription& current, absl::string_view challenged_url);

// With `rotation.secret` as the newest secret, and an end for the others. INVALID_ARGUMENT for a
// secret or an overlap that can't be, or a secret that is one of the older ones;
// FAILED_PRECONDITION if there would be more than kSecretsMax that have not ended by `now`.
Change Rotated(const Subscription& current, const SecretRotation& rotation, absl::Time now);

}  // namespace postrider
