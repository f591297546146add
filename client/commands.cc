#include "client/commands.h"

#include <algorithm>
#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/arguments.h"
#include "client/event_input.h"
#include "client/publish_stream_client.h"
#include "client/publisher_client.h"
#include "client/rpc_status.h"
#include "gateway/base/status.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "postrider/v1/event_service.grpc.pb.h"
#include "postrider/v1/subscription_service.grpc.pb.h"

namespace postrider {
namespace {

using Words = std::vector<std::string>;
using google::protobuf::Message;

constexpr size_t kShownDefault = 50;
constexpr absl::Duration kCallDeadline = absl::Seconds(30);

std::shared_ptr<grpc::Channel> ChannelOf(const CommandWorld& world) {
  return grpc::CreateChannel(world.address, grpc::InsecureChannelCredentials());
}

void Print(const Message& message, const CommandWorld& world) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string text;
  if (google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    *world.out << text << std::flush;
  }
}

// Makes one call and prints its response's message that `shown` picks.
template <typename Stub, typename Request, typename Response>
absl::Status Call(Stub* stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(SystemClock()->Now() + kCallDeadline));
  return FromGrpc((stub->*method)(&context, request, response));
}

absl::StatusOr<size_t> LimitOf(const Arguments& arguments) {
  size_t limit = kShownDefault;
  const std::optional<std::string> text = arguments.Find("limit");
  if (text.has_value() && (!absl::SimpleAtoi(*text, &limit) || limit == 0)) {
    return absl::InvalidArgumentError("--limit must be a number above 0");
  }
  return limit;
}

// Prints up to `limit` entries, page by page. `call` fetches a page; `entries` picks what it holds.
template <typename Request, typename Response, typename Entries>
absl::Status PrintPages(Request request, size_t limit, const CommandWorld& world,
                        const std::function<absl::Status(const Request&, Response*)>& call,
                        Entries entries) {
  size_t shown = 0;
  do {
    Response response;
    request.set_page_size(static_cast<int32_t>(std::min(limit - shown, kShownDefault)));
    RETURN_IF_ERROR(call(request, &response));
    for (const auto& entry : entries(response)) {
      Print(entry, world);
      ++shown;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && shown < limit);
  return absl::OkStatus();
}

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

absl::Status CreateSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, SubscriptionFlags()));
  ASSIGN_OR_RETURN(const auto request, SubscriptionFromFlags(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::CreateSubscriptionResponse response;
  RETURN_IF_ERROR(
      Call(stub.get(), &v1::SubscriptionService::Stub::CreateSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status GetSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {}));
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::GetSubscriptionRequest request;
  request.set_subscription_id(arguments.words()[0]);
  v1::GetSubscriptionResponse response;
  RETURN_IF_ERROR(
      Call(stub.get(), &v1::SubscriptionService::Stub::GetSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status ListSubscriptions(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"organization", "limit"}));
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::ListSubscriptionsRequest request;
  request.set_organization(arguments.Get("organization"));
  return PrintPages<v1::ListSubscriptionsRequest, v1::ListSubscriptionsResponse>(
      request, limit, world,
      [&stub](const auto& page, auto* response) {
        return Call(stub.get(), &v1::SubscriptionService::Stub::ListSubscriptions, page, response);
      },
      [](const auto& response) { return response.subscriptions(); });
}

absl::Status DeleteSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}));
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::DeleteSubscriptionRequest request;
  request.set_subscription_id(arguments.words()[0]);
  request.set_etag(arguments.Get("etag"));
  v1::DeleteSubscriptionResponse response;
  return Call(stub.get(), &v1::SubscriptionService::Stub::DeleteSubscription, request, &response);
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
                   Arguments::Parse(words, {"organization", "type", "limit"}));
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::EventService::NewStub(ChannelOf(world));
  v1::ListEventsRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_type(arguments.Get("type"));
  return PrintPages<v1::ListEventsRequest, v1::ListEventsResponse>(
      request, limit, world,
      [&stub](const auto& page, auto* response) {
        return Call(stub.get(), &v1::EventService::Stub::ListEvents, page, response);
      },
      [](const auto& response) { return response.events(); });
}

absl::Status ListAttempts(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments,
                   Arguments::Parse(words, {"organization", "event", "subscription", "limit"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::DeliveryService::NewStub(ChannelOf(world));
  v1::ListAttemptsRequest request;
  request.set_organization(arguments.Get("organization"));
  request.set_event_id(arguments.Get("event"));
  request.set_subscription_id(arguments.Get("subscription"));
  return PrintPages<v1::ListAttemptsRequest, v1::ListAttemptsResponse>(
      request, limit, world,
      [&stub](const auto& page, auto* response) {
        return Call(stub.get(), &v1::DeliveryService::Stub::ListAttempts, page, response);
      },
      [](const auto& response) { return response.attempts(); });
}

using Command = absl::Status (*)(const Words&, const CommandWorld&);

const std::map<std::string, Command>& Commands() {
  static const auto* const commands = new std::map<std::string, Command>{
      {"publish", Publish},
      {"publish-lines", PublishLines},
      {"subscriptions create", CreateSubscription},
      {"subscriptions get", GetSubscription},
      {"subscriptions list", ListSubscriptions},
      {"subscriptions delete", DeleteSubscription},
      {"events get", GetEvent},
      {"events list", ListEvents},
      {"attempts", ListAttempts},
  };
  return *commands;
}

}  // namespace

absl::Status RunCommand(const std::vector<std::string>& arguments, const CommandWorld& world) {
  for (const size_t length : {size_t{1}, size_t{2}}) {
    if (arguments.size() < length) break;
    const std::string name =
        length == 1 ? arguments[0] : absl::StrCat(arguments[0], " ", arguments[1]);
    const auto command = Commands().find(name);
    if (command != Commands().end()) {
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
      [--header NAME=VALUE]... [--description TEXT]
  subscriptions get ID
  subscriptions list --organization ID [--limit N]
  subscriptions delete ID [--etag ETAG]
  events get --organization ID UUID
  events list --organization ID [--type NAME] [--limit N]
  attempts --subscription ID [--limit N]
  attempts --organization ID --event UUID [--limit N]

The address is 127.0.0.1:50051 unless --address or POSTRIDER_GRPC_ADDRESS says otherwise. Answers
are JSON. The exit status is 1 if the gateway refused and 2 if the command is wrong.
)";
}

}  // namespace postrider
