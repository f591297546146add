#include "client/subscription_commands.h"

#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/arguments.h"
#include "client/event_input.h"
#include "client/rpc_call.h"
#include "gateway/base/status.h"
#include "google/protobuf/util/time_util.h"
#include "postrider/v1/subscription_service.grpc.pb.h"

namespace postrider {
namespace {

using Words = std::vector<std::string>;
using Stub = v1::SubscriptionService::Stub;

absl::Status CreateSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, SubscriptionFlags()));
  ASSIGN_OR_RETURN(const auto request, SubscriptionFromFlags(arguments));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::CreateSubscriptionResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::CreateSubscription, request, &response));
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
  RETURN_IF_ERROR(Call(stub.get(), &Stub::GetSubscription, request, &response));
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
        return Call(stub.get(), &Stub::ListSubscriptions, page, response);
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
  return Call(stub.get(), &Stub::DeleteSubscription, request, &response);
}

// Fills in what every request about one subscription has.
template <typename Request>
absl::Status SetTarget(const Arguments& arguments, Request* request) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  request->set_subscription_id(arguments.words()[0]);
  request->set_etag(arguments.Get("etag"));
  return absl::OkStatus();
}

absl::Status PauseSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}));
  v1::PauseSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::PauseSubscriptionResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::PauseSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status ResumeSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}, {"skip-backlog"}));
  v1::ResumeSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_skip_backlog(arguments.Has("skip-backlog"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::ResumeSubscriptionResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::ResumeSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status EnableSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}, {"skip-backlog"}));
  v1::EnableSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_skip_backlog(arguments.Has("skip-backlog"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::EnableSubscriptionResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::EnableSubscription, request, &response));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status VerifySubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}));
  v1::VerifySubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::VerifySubscriptionResponse response;
  RETURN_IF_ERROR(
      Call(stub.get(), &Stub::VerifySubscription, request, &response, kExchangeDeadline));
  Print(response.subscription(), world);
  return absl::OkStatus();
}

absl::Status TestSubscription(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments, Arguments::Parse(words, {"etag"}, {"enable"}));
  v1::TestSubscriptionRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_enable(arguments.Has("enable"));
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::TestSubscriptionResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::TestSubscription, request, &response, kExchangeDeadline));
  Print(response, world);
  return absl::OkStatus();
}

absl::Status RotateSecret(const Words& words, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Arguments arguments,
                   Arguments::Parse(words, {"etag", "secret", "overlap"}, {"expire-old-now"}));
  v1::RotateSecretRequest request;
  RETURN_IF_ERROR(SetTarget(arguments, &request));
  request.set_secret(arguments.Get("secret"));
  request.set_expire_old_now(arguments.Has("expire-old-now"));
  const std::optional<std::string> overlap = arguments.Find("overlap");
  absl::Duration duration;
  if (overlap.has_value()) {
    if (!absl::ParseDuration(*overlap, &duration) || duration == absl::InfiniteDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--overlap is `", *overlap, "`; it must be a duration such as 36h"));
    }
    *request.mutable_overlap() = google::protobuf::util::TimeUtil::MillisecondsToDuration(
        absl::ToInt64Milliseconds(duration));
  }
  const auto stub = v1::SubscriptionService::NewStub(ChannelOf(world));
  v1::RotateSecretResponse response;
  RETURN_IF_ERROR(Call(stub.get(), &Stub::RotateSecret, request, &response));
  Print(response, world);
  return absl::OkStatus();
}

}  // namespace

const std::map<std::string, Command>& SubscriptionCommands() {
  static const auto* const commands = new std::map<std::string, Command>{
      {"subscriptions create", CreateSubscription}, {"subscriptions get", GetSubscription},
      {"subscriptions list", ListSubscriptions},    {"subscriptions delete", DeleteSubscription},
      {"subscriptions pause", PauseSubscription},   {"subscriptions resume", ResumeSubscription},
      {"subscriptions enable", EnableSubscription}, {"subscriptions verify", VerifySubscription},
      {"subscriptions test", TestSubscription},     {"subscriptions rotate-secret", RotateSecret},
  };
  return *commands;
}

}  // namespace postrider
