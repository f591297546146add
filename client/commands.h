#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/command.h"

namespace postrider {

// Runs one line: a command's name and its flags, and anywhere among them the flags that every
// command has. What these say goes before what `world` says. The error of a line that is wrong,
// else as Command::run.
absl::Status RunCommand(const std::vector<std::string>& arguments, const CommandWorld& world);

// What the process ends with after a line that ended with `status`: 0; 1 if the gateway refused or
// the command failed; 2 if the line is wrong.
int ExitStatusOf(const absl::Status& status);

// All commands with their flags.
std::string CommandsHelp();

}  // namespace postrider
