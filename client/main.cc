// postrider: the command line.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "client/commands.h"
#include "gateway/base/read_file.h"
#include "gateway/base/status.h"

namespace {

constexpr int kRefused = 1;
constexpr int kWrongCommand = 2;

std::string DefaultAddress() {
  const char* address = std::getenv("POSTRIDER_GRPC_ADDRESS");
  return address == nullptr ? "127.0.0.1:50051" : address;
}

// Takes `--address` from the front of the arguments.
std::string TakeAddress(std::vector<std::string>* arguments) {
  std::string address = DefaultAddress();
  while (!arguments->empty()) {
    const std::string first = arguments->front();
    size_t used = 0;
    if (absl::StartsWith(first, "--address=")) {
      address = first.substr(std::string("--address=").size());
      used = 1;
    } else if (first == "--address" && arguments->size() > 1) {
      address = (*arguments)[1];
      used = 2;
    }
    if (used == 0) break;
    arguments->erase(arguments->begin(), arguments->begin() + static_cast<ptrdiff_t>(used));
  }
  return address;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string address = TakeAddress(&arguments);
  if (arguments.empty() || arguments[0] == "--help") {
    std::cout << postrider::CommandsHelp();
    return arguments.empty() ? kWrongCommand : EXIT_SUCCESS;
  }
  const absl::Status status =
      postrider::RunCommand(arguments, {address, &std::cout, &std::cin, postrider::ReadFile});
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "postrider: " << absl::StatusCodeToString(status.code()) << ": "
            << std::string(status.message()) << std::endl;
  const bool from_gateway = status.GetPayload(postrider::kReasonPayload).has_value();
  return absl::IsInvalidArgument(status) && !from_gateway ? kWrongCommand : kRefused;
}
