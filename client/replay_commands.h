#pragma once

#include <vector>

#include "client/command.h"

namespace postrider {

// Those that begin with `replay`.
const std::vector<Command>& ReplayCommands();

}  // namespace postrider
