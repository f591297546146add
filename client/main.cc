// postrider: the command line.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/commands.h"
#include "gateway/base/read_file.h"

namespace {

std::string DefaultAddress() {
  const char* address = std::getenv("POSTRIDER_GRPC_ADDRESS");
  return address == nullptr ? "127.0.0.1:50051" : address;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  postrider::CommandWorld world;
  world.address = DefaultAddress();
  world.out = &std::cout;
  world.hints = &std::cerr;
  world.in = &std::cin;
  world.read_file = postrider::ReadFile;
  if (arguments.empty()) std::cout << postrider::CommandsHelp() << std::endl;
  const absl::Status status = postrider::RunCommand(arguments, world);
  if (!status.ok()) {
    std::cerr << "postrider: " << absl::StatusCodeToString(status.code()) << ": "
              << std::string(status.message()) << std::endl;
  }
  return postrider::ExitStatusOf(status);
}
