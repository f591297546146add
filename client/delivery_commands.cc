#include "client/delivery_commands.h"

#include <memory>
#include <ostream>
#include <string>

#include "client/rpc_call.h"
#include "gateway/base/status.h"
#include "postrider/v1/delivery.grpc.pb.h"

namespace postrider {
namespace {

using Stub = v1::DeliveryService::Stub;

absl::Status ListAttempts(const Arguments& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ListAttemptsRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.Get("event"));
  request.set_subscription_id(arguments.Get("subscription"));
  return PrintPages<v1::ListAttemptsRequest, v1::ListAttemptsResponse>(
      request, limit, world,
      [&stub, &world](const auto& page, auto* response) {
        return Call(world, stub.get(), &Stub::ListAttempts, page, response);
      },
      [](const auto& response) { return response.attempts(); });
}

absl::Status ListDeadLetters(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"subscription"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ListDeadLettersRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  return PrintPages<v1::ListDeadLettersRequest, v1::ListDeadLettersResponse>(
      request, limit, world,
      [&stub, &world](const auto& page, auto* response) {
        return Call(world, stub.get(), &Stub::ListDeadLetters, page, response);
      },
      [](const auto& response) { return response.dead_letters(); });
}

// One event's, or with no event all of the subscription's.
absl::Status Redrive(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags; an event is named by --event"));
  RETURN_IF_ERROR(arguments.Require({"subscription"}));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::RedriveRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.Get("event"));
  // One that is given and empty does not mean all.
  request.set_all(!arguments.Has("organization") && !arguments.Has("event"));
  v1::RedriveResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::Redrive, request, &response));
  PrintWithZeros(response, world);
  if (response.more()) {
    *world.hints << "postrider: dead letters are left; let most of these go out, then redrive again"
                 << std::endl;
  }
  return absl::OkStatus();
}

// `everything`, `dead-letters` or `matching`, the last with patterns.
absl::Status Purge(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"subscription"}));
  RETURN_IF_ERROR(arguments.RequireWords(1, "everything, matching or dead-letters"));
  const std::string what = arguments.words()[0];
  if (what != "everything" && what != "matching" && what != "dead-letters") {
    return absl::InvalidArgumentError("purge needs everything, matching or dead-letters");
  }
  v1::PurgeRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  request.set_everything(what == "everything");
  request.set_dead_letters_only(what == "dead-letters");
  for (const std::string& pattern : arguments.All("event-type")) {
    request.add_event_types(pattern);
  }
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::PurgeResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::Purge, request, &response));
  PrintWithZeros(response, world);
  return absl::OkStatus();
}

absl::Status Explain(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"subscription", "organization", "event"}));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ExplainDeliveryRequest request;
  request.set_subscription_id(arguments.Get("subscription"));
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.Get("event"));
  v1::ExplainDeliveryResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::ExplainDelivery, request, &response));
  Print(response, world);
  return absl::OkStatus();
}

constexpr char kAttemptsHelp[] =
    R"(  attempts --subscription ID [--limit N]
  attempts --organization ID --event UUID [--limit N]
)";
constexpr char kDeadLettersHelp[] = "  dead-letters --subscription ID [--limit N]\n";
constexpr char kRedriveHelp[] =
    "  redrive --subscription ID [--organization ID --event UUID]    one event's, or all\n";
constexpr char kPurgeHelp[] =
    "  purge everything|dead-letters|matching --subscription ID [--event-type PATTERN]...\n";
constexpr char kExplainHelp[] = "  explain --subscription ID --organization ID --event UUID\n";

}  // namespace

const std::vector<Command>& DeliveryCommands() {
  static const auto* const commands = new std::vector<Command>{
      {"attempts",
       kAttemptsHelp,
       {"organization", "event", "subscription", "limit"},
       {},
       ListAttempts},
      {"dead-letters", kDeadLettersHelp, {"subscription", "limit"}, {}, ListDeadLetters},
      {"redrive", kRedriveHelp, {"subscription", "organization", "event"}, {}, Redrive},
      {"purge", kPurgeHelp, {"subscription", "event-type"}, {}, Purge},
      {"explain", kExplainHelp, {"subscription", "organization", "event"}, {}, Explain},
  };
  return *commands;
}

}  // namespace postrider
