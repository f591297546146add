#pragma once

#include <vector>

#include "client/command.h"

namespace postrider {

// The commands that publish events and show them.
const std::vector<Command>& EventCommands();

}  // namespace postrider
