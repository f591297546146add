#include "client/commands.h"

#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/arguments.h"
#include "client/delivery_commands.h"
#include "client/event_input.h"
#include "client/publish_stream_client.h"
#include "client/publisher_client.h"
#include "client/rpc_call.h"
#include "client/subscription_commands.h"
#include "gateway/base/status.h"
#include "postrider/v1/event_service.grpc.pb.h"

namespace postrider {
namespace {

using Words = std::vector<std::string>;

absl::Status Publish(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, EventFlags()));
  ASSIGN_OR_RETURN(v1::Event event, EventFromFlags(arguments, world));
  PublisherClient client(ChannelOf(world), {});
  ASSIGN_OR_RETURN(const v1::PublishResponse response, client.Publish(std::move(event)));
  Print(response, world);
  return absl::OkStatus();
}

// One event a line in, one answer a line out.
absl::Status PublishLines(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {}));
  RETURN_IF_ERROR(arguments.RequireWords(0, "no more words; events are read from the input"));
  size_t refused = 0;
  const auto on_answer = [&refused, &world](const v1::Event& event,
                                            const absl::StatusOr<v1::PublishReceipt>& receipt) {
    if (!receipt.ok()) ++refused;
    *world.out << event.id() << " " << receipt.status().ToString() << "\n";
  };
  PublishStreamClient client(ChannelOf(world), on_answer);
  absl::Status status;
  std::string line;
  while (status.ok() && std::getline(*world.in, line)) {
    absl::StatusOr<v1::Event> event = EventFromJson(line);
    status = event.ok() ? client.Send(*std::move(event)) : event.status();
  }
  const absl::Status closed = client.Close();
  RETURN_IF_ERROR(closed);
  RETURN_IF_ERROR(status);
  return refused == 0 ? absl::OkStatus()
                      : absl::AbortedError(absl::StrCat(refused, " events were refused"));
}

absl::Status GetEvent(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"organization"}));
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  RETURN_IF_ERROR(arguments.RequireWords(1, "the event's id"));
  const auto stub = v1::EventService::NewStub(ChannelOf(world));
  v1::GetEventRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.words()[0]);
  v1::GetEventResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &v1::EventService::Stub::GetEvent, request, &response));
  Print(response.event(), world);
  return absl::OkStatus();
}

absl::Status ListEvents(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments,
                   Arguments::Parse(words, {"organization", "type", "only", "limit"}));
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::EventService::NewStub(ChannelOf(world));
  v1::ListEventsRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_type(arguments.Get("type"));
  const std::string only = arguments.Get("only", "all");
  if (only != "all" && only != "unmatched") {
    return absl::InvalidArgumentError("--only must be unmatched or all");
  }
  request.set_unmatched_only(only == "unmatched");
  return PrintPages<v1::ListEventsRequest, v1::ListEventsResponse>(
      request, limit, world,
      [&stub](const auto& page, auto* response) {
        return Call(stub.get(), &v1::EventService::Stub::ListEvents, page, response);
      },
      [](const auto& response) { return response.events(); });
}

const std::map<std::string, Command>& Commands() {
  static const auto* const commands = new std::map<std::string, Command>{
      {"publish", Publish},
      {"publish-lines", PublishLines},
      {"events get", GetEvent},
      {"events list", ListEvents},
  };
  return *commands;
}

}  // namespace

absl::Status RunCommand(const std::vector<std::string>& arguments, const CommandWorld& world) {
  for (const size_t length : {size_t{1}, size_t{2}}) {
    if (arguments.size() < length) break;
    const std::string name =
        length == 1 ? arguments[0] : absl::StrCat(arguments[0], " ", arguments[1]);
    for (const auto* commands : {&Commands(), &SubscriptionCommands(), &DeliveryCommands()}) {
      const auto command = commands->find(name);
      if (command == commands->end()) continue;
      const Words rest(arguments.begin() + static_cast<ptrdiff_t>(length), arguments.end());
      return command->second(rest, world);
    }
  }
  return absl::InvalidArgumentError(
      arguments.empty() ? "no command is given; see --help"
                        : absl::StrCat("there is no command `", arguments[0], "`; see --help"));
}

std::string CommandsHelp() {
  return R"(postrider: speaks to a gateway.

  postrider [--address HOST:PORT] COMMAND ...

  publish --organization ID --type NAME [--id UUID] [--time TIME] [--summary TEXT]
      [--activity-type TYPE] [--json-data NAME=JSON|NAME=@FILE]... [--link NAME=URL]...
      [--organization-path ID,ID] [--ordering-key KEY] [--target ID]... [--expire-time TIME]
      [--traceparent TEXT]        publish one event; tries again where that is safe
  publish-lines                   publish events by one stream: one in JSON on each input line
  subscriptions create --organization ID --url URL [--event-type PATTERN]... [--id ID]
      [--secret TEXT] [--scope self|subtree] [--verification none|challenge]
      [--header NAME=VALUE]... [--description TEXT] [--order unordered|by_key|strict]
  subscriptions get ID
  subscriptions list --organization ID [--limit N]
  subscriptions delete ID [--etag ETAG]
  subscriptions pause ID [--etag ETAG]
  subscriptions resume ID [--skip-backlog] [--etag ETAG]
  subscriptions enable ID [--skip-backlog] [--etag ETAG]
  subscriptions verify ID [--etag ETAG]     challenge the URL now
  subscriptions test ID [--enable] [--etag ETAG]
                                  send a sample event and show what came back
  subscriptions rotate-secret ID [--secret TEXT] [--overlap DURATION | --expire-old-now]
      [--etag ETAG]               print a new secret; the old one still signs for 24h
  events get --organization ID UUID
  events list --organization ID [--type NAME] [--only unmatched] [--limit N]
  attempts --subscription ID [--limit N]
  attempts --organization ID --event UUID [--limit N]
  dead-letters --subscription ID [--limit N]
  redrive --subscription ID [--organization ID --event UUID]    one event's, or all
  purge everything|dead-letters|matching --subscription ID [--event-type PATTERN]...
  explain --subscription ID --organization ID --event UUID

The address is 127.0.0.1:50051 unless --address or POSTRIDER_GRPC_ADDRESS says otherwise. Answers
are JSON. The exit status is 1 if the gateway refused and 2 if the command is wrong.
)";
}

}  // namespace postrider
