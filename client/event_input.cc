#include "client/event_input.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/status.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace postrider {
namespace {

using google::protobuf::util::TimeUtil;

absl::Status SetTime(const Arguments& arguments, const std::string& flag,
                     google::protobuf::Timestamp* (v1::Event::*field)(), v1::Event* event) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (text.has_value() && !TimeUtil::FromString(*text, (event->*field)())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, " is `", *text, "`; it must be a time such as 2018-12-19T19:09:01Z"));
  }
  return absl::OkStatus();
}

absl::Status SetData(const Arguments& arguments, const CommandWorld& world, v1::Event* event) {
  ASSIGN_OR_RETURN(const auto resources, arguments.Pairs("json-data"));
  for (const auto& [name, value] : resources) {
    std::string json = value;
    if (absl::StartsWith(value, "@")) {
      ASSIGN_OR_RETURN(json, world.read_file(value.substr(1)));
    }
    (*event->mutable_data())[name].set_json(json);
  }
  return absl::OkStatus();
}

// The value of an enum from its name with or without the enum's own before it.
template <typename Enum>
absl::Status SetEnum(const Arguments& arguments, const std::string& flag, const std::string& prefix,
                     bool (*parse)(google::protobuf::ConstStringParam, Enum*), Enum* value) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (!text.has_value()) return absl::OkStatus();
  const std::string name = absl::AsciiStrToUpper(*text);
  if (!parse(name, value) && !parse(prefix + name, value)) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag, " can't be `", *text, "`"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> EventFlags() {
  return {"organization", "type",        "id",         "time",    "organization-path",
          "json-data",    "link",        "target",     "summary", "activity-type",
          "ordering-key", "expire-time", "traceparent"};
}

std::vector<std::string> SubscriptionFlags() {
  return {"organization", "url",          "event-type", "id",          "secret",
          "scope",        "verification", "header",     "description", "order"};
}

absl::StatusOr<v1::Event> EventFromFlags(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  RETURN_IF_ERROR(arguments.Require({"organization", "type"}));
  v1::Event event;
  event.set_organization(arguments.Get("organization"));
  event.set_type(arguments.Get("type"));
  event.set_id(arguments.Get("id"));
  event.set_ordering_key(arguments.Get("ordering-key"));
  event.set_traceparent(arguments.Get("traceparent"));
  for (const absl::string_view part :
       absl::StrSplit(arguments.Get("organization-path"), ',', absl::SkipEmpty())) {
    event.add_organization_path(std::string(part));
  }
  for (const std::string& target : arguments.All("target")) {
    event.add_targets(target);
  }
  if (arguments.Find("summary").has_value()) {
    event.mutable_activity()->set_summary(arguments.Get("summary"));
  }
  if (arguments.Find("activity-type").has_value()) {
    event.mutable_activity()->set_type(arguments.Get("activity-type"));
  }
  RETURN_IF_ERROR(SetTime(arguments, "time", &v1::Event::mutable_time, &event));
  RETURN_IF_ERROR(SetTime(arguments, "expire-time", &v1::Event::mutable_expire_time, &event));
  ASSIGN_OR_RETURN(const auto links, arguments.Pairs("link"));
  for (const auto& [name, url] : links) {
    (*event.mutable_links())[name] = url;
  }
  RETURN_IF_ERROR(SetData(arguments, world, &event));
  return event;
}

absl::StatusOr<v1::CreateSubscriptionRequest> SubscriptionFromFlags(const Arguments& arguments) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  RETURN_IF_ERROR(arguments.Require({"organization", "url"}));
  v1::CreateSubscriptionRequest request;
  request.set_subscription_id(arguments.Get("id"));
  v1::Subscription& subscription = *request.mutable_subscription();
  subscription.set_organization(arguments.Get("organization"));
  subscription.set_url(arguments.Get("url"));
  subscription.set_secret(arguments.Get("secret"));
  subscription.set_description(arguments.Get("description"));
  for (const std::string& pattern : arguments.All("event-type")) {
    subscription.add_event_types(pattern);
  }
  ASSIGN_OR_RETURN(const auto headers, arguments.Pairs("header"));
  for (const auto& [name, value] : headers) {
    (*subscription.mutable_headers())[name] = value;
  }
  v1::Scope scope = v1::SCOPE_UNSPECIFIED;
  RETURN_IF_ERROR(SetEnum(arguments, "scope", "SCOPE_", &v1::Scope_Parse, &scope));
  subscription.set_scope(scope);
  v1::Verification verification = v1::VERIFICATION_UNSPECIFIED;
  RETURN_IF_ERROR(
      SetEnum(arguments, "verification", "VERIFICATION_", &v1::Verification_Parse, &verification));
  subscription.set_verification(verification);
  v1::OrderMode order = v1::ORDER_MODE_UNSPECIFIED;
  RETURN_IF_ERROR(SetEnum(arguments, "order", "ORDER_MODE_", &v1::OrderMode_Parse, &order));
  if (order != v1::ORDER_MODE_UNSPECIFIED) {
    subscription.mutable_policy()->set_order(order);
  }
  return request;
}

absl::StatusOr<v1::Event> EventFromJson(const std::string& line) {
  v1::Event event;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &event);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("not an event in JSON: ", status.ToString()));
  }
  return event;
}

}  // namespace postrider
