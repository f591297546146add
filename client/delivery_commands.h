#pragma once

#include <vector>

#include "client/command.h"

namespace postrider {

// The commands about what became of deliveries.
const std::vector<Command>& DeliveryCommands();

}  // namespace postrider
