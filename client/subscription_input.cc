#include "client/subscription_input.h"

#include "client/flag_values.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

// A flag and the field of v1::Subscription that it sets.
struct FieldFlag {
  const char* flag;
  const char* path;
};

constexpr FieldFlag kFieldFlags[] = {
    {"url", "url"},
    {"event-type", "event_types"},
    {"secret", "secret"},
    {"scope", "scope"},
    {"verification", "verification"},
    {"header", "headers"},
    {"description", "description"},
    {"order", "policy.order"},
};

std::vector<std::string> WithFieldFlags(std::vector<std::string> flags) {
  for (const FieldFlag& field : kFieldFlags) {
    flags.push_back(field.flag);
  }
  return flags;
}

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

std::vector<std::string> SubscriptionFlags() { return WithFieldFlags({"organization", "id"}); }

std::vector<std::string> SubscriptionUpdateFlags() {
  return WithFieldFlags({"organization", "etag"});
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

absl::StatusOr<v1::UpdateSubscriptionRequest> UpdateFromFlags(const Arguments& arguments) {
  RETURN_IF_ERROR(arguments.RequireWords(1, "the subscription's id"));
  v1::UpdateSubscriptionRequest request;
  v1::Subscription& subscription = *request.mutable_subscription();
  subscription.set_id(arguments.words()[0]);
  subscription.set_etag(arguments.Get("etag"));
  if (arguments.All("header") != std::vector<std::string>{""}) {
    RETURN_IF_ERROR(SetHeaders(arguments, &subscription));
  }
  RETURN_IF_ERROR(SetFields(arguments, &subscription));
  for (const FieldFlag& field : kFieldFlags) {
    if (arguments.Has(field.flag)) request.mutable_update_mask()->add_paths(field.path);
  }
  if (request.update_mask().paths().empty()) {
    return absl::InvalidArgumentError("no flag says what to change");
  }
  return request;
}

}  // namespace postrider
