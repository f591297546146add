#pragma once

#include <map>
#include <string>

#include "client/commands.h"

namespace postrider {

// Those that begin with `subscriptions`, by their whole names.
const std::map<std::string, Command>& SubscriptionCommands();

}  // namespace postrider
