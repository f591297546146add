// postriderd: one gateway with its gRPC door and its admin port.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/clock.h"
#include "gateway/base/http_listener.h"
#include "gateway/base/log.h"
#include "gateway/base/read_file.h"
#include "gateway/base/status.h"
#include "gateway/gateway.h"
#include "server/address.h"
#include "server/admin.h"
#include "server/config.h"
#include "server/grpc_server.h"
#include "server/process.h"
#include "server/version.h"

namespace postrider {
namespace {

constexpr absl::Duration kTickInterval = absl::Seconds(1);
constexpr absl::Duration kShutdownBudget = absl::Seconds(5);
constexpr absl::Duration kHangBudget = absl::Seconds(10);  // Beyond the other budgets.

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// What a newcomer can try. The values are those of the platform's own documentation.
std::string Examples(const std::string& address) {
  return absl::StrCat(
      "Try it, with something listening on port 9000:\n"
      "  grpcurl -plaintext ",
      address,
      " list\n"
      "  grpcurl -plaintext -d '{\"subscription\":{\"organization\":\"5c138790ec944f05ff5f6d77\","
      "\"url\":\"http://127.0.0.1:9000/hook\",\"event_types\":[\"message.create.*\"]}}' ",
      address,
      " postrider.v1.SubscriptionService/CreateSubscription\n"
      "  grpcurl -plaintext -d '{\"event\":{\"type\":\"message.create.contact.chat\","
      "\"organization\":\"5c138790ec944f05ff5f6d77\",\"data\":{\"message\":{\"struct\":"
      "{\"text\":\"hello\"}}}}}' ",
      address, " postrider.v1.PublisherService/Publish\n");
}

// The running parts, in the order in which they are started.
class Process {
 public:
  explicit Process(config::v1::Config config) : config_(std::move(config)) {}

  absl::Status Start();
  void PrintWelcome() const;
  void RunUntilStopped();
  void Stop();

 private:
  absl::Status StartGrpc();
  absl::Status StartAdmin();

  const config::v1::Config config_;
  std::atomic<bool> ready_ = false;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<HttpListener> admin_;
  ListenAddress grpc_address_;
  ListenAddress admin_address_;
};

absl::Status Process::Start() {
  ASSIGN_OR_RETURN(gateway_, Gateway::Start(GatewayOptionsOf(config_)));
  absl::Status status = StartGrpc();
  if (status.ok()) status = StartAdmin();
  if (!status.ok()) {
    Stop();
  }
  ready_ = status.ok();
  return status;
}

absl::Status Process::StartGrpc() {
  ASSIGN_OR_RETURN(grpc_address_, ParseListenAddress("grpc_address", config_.grpc_address()));
  GrpcServerOptions options;
  options.address = grpc_address_.ToString();
  options.default_verification = config_.default_verification() == v1::VERIFICATION_CHALLENGE
                                     ? Verification::kChallenge
                                     : Verification::kNone;
  options.max_concurrent_streams = config_.max_concurrent_streams();
  options.memory_bytes_max = config_.grpc_memory_bytes_max();
  ASSIGN_OR_RETURN(grpc_, GrpcServer::Start(gateway_.get(), SystemClock(), options));
  grpc_address_.port = static_cast<uint16_t>(grpc_->port());
  return absl::OkStatus();
}

absl::Status Process::StartAdmin() {
  ASSIGN_OR_RETURN(admin_address_, ParseListenAddress("admin_address", config_.admin_address()));
  auto answer = [this](absl::string_view path) { return AdminAnswer(path, *gateway_, ready_); };
  absl::StatusOr<std::unique_ptr<HttpListener>> admin =
      HttpListener::Start(admin_address_.host, admin_address_.port, std::move(answer));
  if (!admin.ok()) {
    return absl::UnavailableError(absl::StrCat("admin_address: ", admin.status().message()));
  }
  admin_ = *std::move(admin);
  admin_address_.port = admin_->port();
  return absl::OkStatus();
}

void Process::PrintWelcome() const {
  std::cout << "postriderd " << kVersion << "\n\n"
            << config_.DebugString() << "\n"
            << "gRPC on " << grpc_address_.ToString() << ", admin HTTP on "
            << admin_address_.ToString() << ", data in " << config_.data_dir() << "\n";
  if (config_.allow_loopback_targets()) {
    std::cout << "loopback targets are allowed (development)\n";
  }
  std::cout << "\n" << Examples(grpc_address_.ToString()) << std::flush;
}

void Process::RunUntilStopped() {
  while (!WaitForStop(kTickInterval)) {
    grpc_->Tick();
    gateway_->Tick();
  }
}

// First no new work, then what was accepted is committed and what is on the wire is finished, then
// the calls are over.
void Process::Stop() {
  ready_ = false;
  const absl::Duration budget = DrainBudgetOf(config_);
  EndProcessAfter(budget + kShutdownBudget + kHangBudget);
  if (grpc_ != nullptr) {
    grpc_->Drain();
  }
  gateway_->Stop(budget);
  if (grpc_ != nullptr) {
    grpc_->Shutdown(kShutdownBudget);
  }
  admin_.reset();
  grpc_.reset();
  gateway_.reset();
}

int Fail(const absl::Status& status) {
  std::cerr << "postriderd: " << std::string(status.message()) << std::endl;
  return EXIT_FAILURE;
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<CommandLine> command_line = ReadCommandLine(arguments, {Variable, ReadFile});
  if (!command_line.ok()) return Fail(command_line.status());
  if (command_line->help) {
    std::cout << HelpText();
    return EXIT_SUCCESS;
  }
  if (command_line->version) {
    std::cout << "postriderd " << kVersion << "\n";
    return EXIT_SUCCESS;
  }
  PrepareProcess();
  Process process(command_line->config);
  const absl::Status started = process.Start();
  if (!started.ok()) return Fail(started);
  process.PrintWelcome();
  process.RunUntilStopped();
  LogInfo("stopping");
  process.Stop();
  LogInfo("stopped");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace postrider

int main(int argc, char** argv) {
  return postrider::Main(std::vector<std::string>(argv + 1, argv + argc));
}
