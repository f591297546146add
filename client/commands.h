#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace postrider {

// What the command line works with.
struct CommandWorld {
  std::string address;  // Of the gateway.
  std::ostream* out = nullptr;
  std::istream* in = nullptr;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_file;
};

// Runs with what comes after the command's name.
using Command = absl::Status (*)(const std::vector<std::string>& words, const CommandWorld& world);

// Runs one command: its name, then its flags. Prints what the gateway answers, as JSON, to `out`.
// The error of a command that is wrong or that the gateway refused.
absl::Status RunCommand(const std::vector<std::string>& arguments, const CommandWorld& world);

// All commands with their flags.
std::string CommandsHelp();

}  // namespace postrider
