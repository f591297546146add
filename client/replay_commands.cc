#include "client/replay_commands.h"

#include <memory>
#include <optional>
#include <string>

#include "client/flag_values.h"
#include "client/rpc_call.h"
#include "gateway/base/status.h"
#include "postrider/v1/delivery.grpc.pb.h"

namespace postrider {
namespace {

using Stub = v1::DeliveryService::Stub;

absl::StatusOr<v1::ReplayRequest> ReplayFromFlags(const Arguments& arguments) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  RETURN_IF_ERROR(arguments.Require({"subscription", "since"}));
  v1::ReplayRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  ASSIGN_OR_RETURN(const auto since, TimeOf(arguments, "since"));
  if (since.has_value()) *request.mutable_since() = *since;
  ASSIGN_OR_RETURN(const auto until, TimeOf(arguments, "until"));
  if (until.has_value()) *request.mutable_until() = *until;
  for (const std::string& pattern : arguments.All("event-type")) {
    request.add_event_types(pattern);
  }
  ASSIGN_OR_RETURN(const std::optional<double> rate, NumberOf(arguments, "rate"));
  if (rate.has_value()) request.set_rate(*rate);
  request.set_dry_run(arguments.Has("dry-run"));
  return request;
}

absl::Status RunReplay(const Arguments& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const v1::ReplayRequest request, ReplayFromFlags(arguments));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ReplayResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::Replay, request, &response));
  if (request.dry_run()) {
    PrintWithZeros(response.count(), world);
  } else {
    PrintWithZeros(response.replay(), world);
  }
  return absl::OkStatus();
}

absl::Status GetReplay(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the replay's id"));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::GetReplayRequest request;
  request.set_replay_id(arguments.words()[0]);
  v1::GetReplayResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::GetReplay, request, &response));
  PrintWithZeros(response.replay(), world);
  return absl::OkStatus();
}

absl::Status ListReplays(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"subscription"}));
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ListReplaysRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  v1::ListReplaysResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::ListReplays, request, &response));
  for (const v1::Replay& replay : response.replays()) {
    PrintWithZeros(replay, world);
  }
  return absl::OkStatus();
}

absl::Status CancelReplay(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the replay's id"));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::CancelReplayRequest request;
  request.set_replay_id(arguments.words()[0]);
  v1::CancelReplayResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::CancelReplay, request, &response));
  PrintWithZeros(response.replay(), world);
  return absl::OkStatus();
}

constexpr char kRunHelp[] =
    R"(  replay run --subscription ID --since TIME [--until TIME] [--event-type PATTERN]...
      [--rate N] [--dry-run]      send the past once more, or only count what would be sent
)";
constexpr char kGetHelp[] = "  replay get ID                   how far it is\n";
constexpr char kListHelp[] = "  replay list --subscription ID\n";
constexpr char kCancelHelp[] = "  replay cancel ID\n";

}  // namespace

const std::vector<Command>& ReplayCommands() {
  static const auto* const commands = new std::vector<Command>{
      {"replay run",
       kRunHelp,
       {"subscription", "since", "until", "event-type", "rate"},
       {"dry-run"},
       RunReplay},
      {"replay get", kGetHelp, {}, {}, GetReplay},
      {"replay list", kListHelp, {"subscription"}, {}, ListReplays},
      {"replay cancel", kCancelHelp, {}, {}, CancelReplay},
  };
  return *commands;
}

}  // namespace postrider
