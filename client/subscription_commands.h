#pragma once

#include <vector>

#include "client/command.h"

namespace postrider {

// Those that begin with `subscriptions`.
const std::vector<Command>& SubscriptionCommands();

}  // namespace postrider
