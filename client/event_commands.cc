#include "client/event_commands.h"

#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/event_input.h"
#include "client/publish_stream_client.h"
#include "client/publisher_client.h"
#include "client/rpc_call.h"
#include "gateway/base/status.h"
#include "postrider/v1/event_service.grpc.pb.h"

namespace postrider {
namespace {

using Stub = v1::EventService::Stub;

// Why nothing is printed yet, and how long that may last.
void SayThatItIsTriedAgain(const absl::Status& failure, absl::Duration left,
                           const CommandWorld& world) {
  std::string problem = absl::StrCat("can't reach ", world.address);
  if (failure.GetPayload(kReasonPayload).has_value()) {
    problem = absl::StrCat(world.address, " says `", failure.message(), "`");
  }
  *world.hints << "postrider: " << problem << ", trying again until the deadline, "
               << absl::FormatDuration(absl::Ceil(left, absl::Milliseconds(100)))
               << " from now; --timeout sets it" << std::endl;
}

absl::Status Publish(const Arguments& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(v1::Event event, EventFromFlags(arguments, world));
  PublisherClient::Options options;
  options.deadline = world.timeout.value_or(options.deadline);
  options.clock = world.clock;
  options.wait = world.wait;
  bool said = false;
  options.on_failure = [&said, &world](const absl::Status& failure, absl::Duration left) {
    if (!said) SayThatItIsTriedAgain(failure, left, world);
    said = true;
  };
  PublisherClient client(ChannelOf(world), options);
  ASSIGN_OR_RETURN(const v1::PublishResponse response, client.Publish(std::move(event)));
  Print(response, world);
  return absl::OkStatus();
}

// One event a line in, one answer a line out.
absl::Status PublishLines(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "no more words; events are read from the input"));
  if (world.timeout.has_value()) {
    return absl::InvalidArgumentError("--timeout is not for publish-lines: it ends with its input");
  }
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

absl::Status GetEvent(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  RETURN_IF_ERROR(arguments.RequireWords(1, "the event's id"));
  const auto stub = v1::EventService::NewStub(ChannelOf(world));
  v1::GetEventRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.words()[0]);
  v1::GetEventResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::GetEvent, request, &response));
  Print(response.event(), world);
  return absl::OkStatus();
}

absl::Status ListEvents(const Arguments& arguments, const CommandWorld& world) {
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
      [&stub, &world](const auto& page, auto* response) {
        return Call(world, stub.get(), &Stub::ListEvents, page, response);
      },
      [](const auto& response) { return response.events(); });
}

constexpr char kPublishHelp[] =
    R"(  publish --organization ID --type NAME [--id UUID] [--time TIME] [--summary TEXT]
      [--activity-type TYPE] [--json-data NAME=JSON|NAME=@FILE]... [--link NAME=URL]...
      [--organization-path ID,ID] [--ordering-key KEY] [--target ID]... [--expire-time TIME]
      [--traceparent TEXT]        publish one event; tries again where that is safe, for 30s or
                                  --timeout
)";
constexpr char kPublishLinesHelp[] =
    "  publish-lines                   publish events by one stream: one in JSON on each input "
    "line\n";
constexpr char kGetHelp[] = "  events get --organization ID UUID\n";
constexpr char kListHelp[] =
    "  events list --organization ID [--type NAME] [--only unmatched] [--limit N]\n";

}  // namespace

const std::vector<Command>& EventCommands() {
  static const auto* const commands = new std::vector<Command>{
      {"publish", kPublishHelp, EventFlags(), {}, Publish},
      {"publish-lines", kPublishLinesHelp, {}, {}, PublishLines},
      {"events get", kGetHelp, {"organization"}, {}, GetEvent},
      {"events list", kListHelp, {"organization", "type", "only", "limit"}, {}, ListEvents},
  };
  return *commands;
}

}  // namespace postrider
