#include "client/subscription_commands.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/flag_values.h"
#include "client/rpc_call.h"
#include "client/subscription_input.h"
#include "gateway/base/status.h"
#include "google/protobuf/util/time_util.h"
#include "postrider/v1/subscription_service.grpc.pb.h"

namespace postrider {
namespace {

using Stub = v1::SubscriptionService::Stub;

absl::Status CreateSubscription(const Arguments& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const auto request, SubscriptionFromFlags(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::CreateSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::CreateSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status GetSubscription(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::GetSubscriptionRequest request;
  request.set_subscription_id(arguments.words()[0]);
  v1::GetSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::GetSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status ListSubscriptions(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.Require({"organization"}));
  ASSIGN_OR_RETURN(const size_t limit, LimitOf(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::ListSubscriptionsRequest request;
  request.set_organization(arguments.Get("organization"));
  return PrintPages<v1::ListSubscriptionsRequest, v1::ListSubscriptionsResponse>(
      request, limit, world,
      [&stub, &world](const auto& page, auto* response) {
        return Call(world, stub.get(), &Stub::ListSubscriptions, page, response);
      },
      [](const auto& response) { return response.subscriptions(); });
}

absl::Status UpdateSubscription(const Arguments& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const auto request, UpdateFromFlags(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::UpdateSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::UpdateSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status DeleteSubscription(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::DeleteSubscriptionRequest request;
  request.set_subscription_id(arguments.words()[0]);
  request.set_etag(arguments.Get("etag"));
  v1::DeleteSubscriptionResponse response;
  return Call(world, stub.get(), &Stub::DeleteSubscription, request, &response);
}

// Fills in what every request about one subscription has.
template <typename Request>
absl::Status SetTarget(const Arguments& arguments, Request* request) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  request->set_subscription_id(arguments.words()[0]);
  request->set_etag(arguments.Get("etag"));
  return absl::OkStatus();
}

absl::Status PauseSubscription(const Arguments& arguments, const CommandWorld& world) {
  v1::PauseSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::PauseSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::PauseSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status ResumeSubscription(const Arguments& arguments, const CommandWorld& world) {
  v1::ResumeSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_skip_backlog(arguments.Has("skip-backlog"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::ResumeSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::ResumeSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status EnableSubscription(const Arguments& arguments, const CommandWorld& world) {
  v1::EnableSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_skip_backlog(arguments.Has("skip-backlog"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::EnableSubscriptionResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::EnableSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status VerifySubscription(const Arguments& arguments, const CommandWorld& world) {
  v1::VerifySubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::VerifySubscriptionResponse response;
  RETURN_IF_ERROR(
      Call(world, stub.get(), &Stub::VerifySubscription, request, &response, kExchangeDeadline));
  Print(response.subscription(), world);
  // Its URL was changed while it was challenged.
  const bool verified = response.subscription().state() != v1::SUBSCRIPTION_STATE_UNVERIFIED;
  return verified ? absl::OkStatus() : absl::AbortedError("it is not verified; verify it again");
}

absl::Status TestSubscription(const Arguments& arguments, const CommandWorld& world) {
  v1::TestSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_enable(arguments.Has("enable"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::TestSubscriptionResponse response;
  RETURN_IF_ERROR(
      Call(world, stub.get(), &Stub::TestSubscription, request, &response, kExchangeDeadline));
  Print(response, world);
  if (response.outcome() == v1::ATTEMPT_OUTCOME_SUCCESS) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the test failed: ", response.error()));
}

absl::Status RotateSecret(const Arguments& arguments, const CommandWorld& world) {
  v1::RotateSecretRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_secret(arguments.Get("secret"));
  request.set_expire_old_now(arguments.Has("expire-old-now"));
  ASSIGN_OR_RETURN(const std::optional<absl::Duration> overlap, DurationOf(arguments, "overlap"));
  if (overlap.has_value()) {
    *request.mutable_overlap() = google::protobuf::util::TimeUtil::MillisecondsToDuration(
        absl::ToInt64Milliseconds(*overlap));
  }
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::RotateSecretResponse response;
  RETURN_IF_ERROR(Call(world, stub.get(), &Stub::RotateSecret, request, &response));
  Print(response, world);
  return absl::OkStatus();
}

constexpr char kCreateHelp[] =
    R"(  subscriptions create --organization ID --url URL [--event-type PATTERN]... [--id ID]
      [--secret TEXT] [--scope self|subtree] [--verification none|challenge]
      [--header NAME=VALUE]... [--description TEXT] [--order unordered|by_key|strict]
)";
constexpr char kGetHelp[] = "  subscriptions get ID\n";
constexpr char kListHelp[] = "  subscriptions list --organization ID [--limit N]\n";
constexpr char kUpdateHelp[] =
    R"(  subscriptions update ID [--etag ETAG] [--url URL] [--event-type PATTERN]... [--secret TEXT]
      [--scope self|subtree] [--verification none|challenge] [--header NAME=VALUE]...
      [--description TEXT] [--organization ID] [--order unordered|by_key|strict]
                                  change what is given; the patterns given replace all there were,
                                  and so do headers (`--header=`: none). The organization and the
                                  order can't change: given, they must be what they are
)";
constexpr char kDeleteHelp[] = "  subscriptions delete ID [--etag ETAG]\n";
constexpr char kPauseHelp[] = "  subscriptions pause ID [--etag ETAG]\n";
constexpr char kResumeHelp[] = "  subscriptions resume ID [--skip-backlog] [--etag ETAG]\n";
constexpr char kEnableHelp[] = "  subscriptions enable ID [--skip-backlog] [--etag ETAG]\n";
constexpr char kVerifyHelp[] =
    "  subscriptions verify ID [--etag ETAG]     challenge the URL now\n";
constexpr char kTestHelp[] =
    R"(  subscriptions test ID [--enable] [--etag ETAG]
                                  send a sample event and show what came back; fails if that did
)";
constexpr char kRotateSecretHelp[] =
    R"(  subscriptions rotate-secret ID [--secret TEXT] [--overlap DURATION | --expire-old-now]
      [--etag ETAG]               print a new secret; the old one still signs for 24h
)";

}  // namespace

const std::vector<Command>& SubscriptionCommands() {
  static const auto* const commands = new std::vector<Command>{
      {"subscriptions create", kCreateHelp, SubscriptionFlags(), {}, CreateSubscription},
      {"subscriptions get", kGetHelp, {}, {}, GetSubscription},
      {"subscriptions list", kListHelp, {"organization", "limit"}, {}, ListSubscriptions},
      {"subscriptions update", kUpdateHelp, SubscriptionUpdateFlags(), {}, UpdateSubscription},
      {"subscriptions delete", kDeleteHelp, {"etag"}, {}, DeleteSubscription},
      {"subscriptions pause", kPauseHelp, {"etag"}, {}, PauseSubscription},
      {"subscriptions resume", kResumeHelp, {"etag"}, {"skip-backlog"}, ResumeSubscription},
      {"subscriptions enable", kEnableHelp, {"etag"}, {"skip-backlog"}, EnableSubscription},
      {"subscriptions verify", kVerifyHelp, {"etag"}, {}, VerifySubscription},
      {"subscriptions test", kTestHelp, {"etag"}, {"enable"}, TestSubscription},
      {"subscriptions rotate-secret",
       kRotateSecretHelp,
       {"etag", "secret", "overlap"},
       {"expire-old-now"},
       RotateSecret},
  };
  return *commands;
}

}  // namespace postrider
