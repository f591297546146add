#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/arguments.h"
#include "gateway/base/clock.h"

namespace postrider {

// What the command line works with.
struct CommandWorld {
  std::string address;            // Of the gateway.
  std::ostream* out = nullptr;    // The gateway's answers, as JSON.
  std::ostream* hints = nullptr;  // What else a person wants to know. Errors are returned instead.
  std::istream* in = nullptr;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_file;

  // How long a command waits for the gateway; none: as long as the command finds right.
  std::optional<absl::Duration> timeout;
  const Clock* clock = SystemClock();
  std::function<void(absl::Duration)> wait;  // See PublisherClient::Options.
};

// One command of the command line.
struct Command {
  const char* name;  // One word, or two of which several commands share the first.
  const char* help;  // Its lines in the help, indented by two spaces.
  std::vector<std::string> flags;
  std::vector<std::string> switches;

  // Prints what the gateway answers. The error of a command that is wrong, that the gateway
  // refused, or that did not come to what it was for.
  absl::Status (*run)(const Arguments& arguments, const CommandWorld& world);
};

}  // namespace postrider
