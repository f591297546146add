#include "client/subscription_input.h"

#include "client/flag_values.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

absl::Status SetEnums(const Arguments& arguments, v1::Subscription* subscription) {
  v1::Scope scope = v1::SCOPE_UNSPECIFIED;
  RETURN_IF_ERROR(SetEnum(arguments, "scope", "SCOPE_", &v1::Scope_Parse, &scope));
  subscription->set_scope(scope);
  v1::Verification verification = v1::VERIFICATION_UNSPECIFIED;
  RETURN_IF_ERROR(
      SetEnum(arguments, "verification", "VERIFICATION_", &v1::Verification_Parse, &verification));
  subscription->set_verification(verification);
  v1::OrderMode order = v1::ORDER_MODE_UNSPECIFIED;
  RETURN_IF_ERROR(SetEnum(arguments, "order", "ORDER_MODE_", &v1::OrderMode_Parse, &order));
  if (order != v1::ORDER_MODE_UNSPECIFIED) {
    subscription->mutable_policy()->set_order(order);
  }
  return absl::OkStatus();
}

absl::Status SetHeaders(const Arguments& arguments, v1::Subscription* subscription) {
  ASSIGN_OR_RETURN(const auto headers, arguments.Pairs("header"));
  for (const auto& [name, value] : headers) {
    (*subscription->mutable_headers())[name] = value;
  }
  return absl::OkStatus();
}

// All but the headers.
absl::Status SetFields(const Arguments& arguments, v1::Subscription* subscription) {
  subscription->set_organization(arguments.Get("organization"));
  subscription->set_url(arguments.Get("url"));
  subscription->set_secret(arguments.Get("secret"));
  subscription->set_description(arguments.Get("description"));
  for (const std::string& pattern : arguments.All("event-type")) {
    subscription->add_event_types(pattern);
  }
  return SetEnums(arguments, subscription);
}

}  // namespace

std::vector<std::string> SubscriptionFlags() {
  return {"organization", "url",          "event-type", "id",          "secret",
          "scope",        "verification", "header",     "description", "order"};
}

absl::StatusOr<v1::CreateSubscriptionRequest> SubscriptionFromFlags(const Arguments& arguments) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  RETURN_IF_ERROR(arguments.Require({"organization", "url"}));
  v1::CreateSubscriptionRequest request;
  request.set_subscription_id(arguments.Get("id"));
  RETURN_IF_ERROR(SetHeaders(arguments, request.mutable_subscription()));
  RETURN_IF_ERROR(SetFields(arguments, request.mutable_subscription()));
  return request;
}

}  // namespace postrider
