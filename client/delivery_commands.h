#pragma once

#include <map>
#include <string>

#include "client/commands.h"

namespace postrider {

// The commands about what became of deliveries, by name.
const std::map<std::string, Command>& DeliveryCommands();

}  // namespace postrider
