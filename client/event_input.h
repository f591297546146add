#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "client/command.h"
#include "postrider/v1/event.pb.h"

namespace postrider {

// The flags that EventFromFlags() reads.
std::vector<std::string> EventFlags();

// An event from a command's flags. INVALID_ARGUMENT for values that can't be read, NOT_FOUND for
// files that can't.
absl::StatusOr<v1::Event> EventFromFlags(const Arguments& arguments, const CommandWorld& world);

// An event from a line of JSON, as grpcurl takes it.
absl::StatusOr<v1::Event> EventFromJson(const std::string& line);

}  // namespace postrider
