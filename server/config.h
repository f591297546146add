#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/gateway.h"
#include "postrider/config/v1/config.pb.h"

namespace postrider {

// What a configuration is read from, besides the arguments.
struct ConfigSources {
  // The value of a variable of the environment; none if it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // The content of a file, or why it can't be read.
  std::function<absl::StatusOr<std::string>(const std::string& path)> file;
};

// What the arguments ask for.
struct CommandLine {
  bool help = false;
  bool version = false;
  config::v1::Config config;  // Complete and valid, unless help or version was asked for.
};

// Reads the arguments, without the program's name, then the environment, then the file that
// `--config` names, and fills in the defaults: what is earlier in this list wins, an empty list
// too. Everything is checked together. INVALID_ARGUMENT for a flag or a field of the file that does
// not exist, for what can't be read as its type, is out of bounds or would listen to strangers; the
// text says where it is from.
absl::StatusOr<CommandLine> ReadCommandLine(const std::vector<std::string>& arguments,
                                            const ConfigSources& sources);

// Whether the configuration as a whole can be run with.
absl::Status CheckConfig(const config::v1::Config& config);

// What --help prints: each flag with its meaning, from the table that every field is in.
std::string HelpText();

// How long a stopping gateway finishes its work, of a valid configuration.
absl::Duration DrainBudgetOf(const config::v1::Config& config);

// The engine's part of a valid configuration.
GatewayOptions GatewayOptionsOf(const config::v1::Config& config);

}  // namespace postrider
