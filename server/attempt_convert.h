#pragma once

#include <string>

#include "gateway/model/attempt.h"
#include "gateway/store/store.h"
#include "postrider/v1/delivery.pb.h"

namespace postrider {

v1::AttemptOutcome OutcomeToProto(Outcome outcome);

// `subscription_id` is the string id of the attempt's subscription; empty if that was deleted.
void AttemptToProto(const ListedAttempt& listed, std::string subscription_id, v1::Attempt* result);

}  // namespace postrider
