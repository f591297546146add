#include "server/subscription_convert.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/gateway.h"
#include "gateway/model/url.h"
#include "server/text.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

absl::StatusOr<Scope> ScopeFromProto(v1::Scope scope) {
  switch (scope) {
    case v1::SCOPE_UNSPECIFIED:
    case v1::SCOPE_SUBTREE: return Scope::kSubtree;
    case v1::SCOPE_SELF: return Scope::kSelf;
    case v1::Scope_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::Scope_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return InvalidField("subscription.scope", absl::StrCat("has the unknown value ", scope));
}

absl::StatusOr<Verification> VerificationFromProto(v1::Verification verification,
                                                   Verification default_verification) {
  switch (verification) {
    case v1::VERIFICATION_UNSPECIFIED: return default_verification;
    case v1::VERIFICATION_NONE: return Verification::kNone;
    case v1::VERIFICATION_CHALLENGE: return Verification::kChallenge;
    case v1::Verification_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::Verification_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return InvalidField("subscription.verification",
                      absl::StrCat("has the unknown value ", verification));
}

absl::StatusOr<OrderMode> OrderFromProto(v1::OrderMode order) {
  switch (order) {
    case v1::ORDER_MODE_UNSPECIFIED:
    case v1::ORDER_MODE_UNORDERED: return OrderMode::kUnordered;
    case v1::ORDER_MODE_BY_KEY: return OrderMode::kByKey;
    case v1::ORDER_MODE_STRICT: return OrderMode::kStrict;
    case v1::OrderMode_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::OrderMode_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return InvalidField("subscription.policy.order", absl::StrCat("has the unknown value ", order));
}

v1::OrderMode OrderToProto(OrderMode order) {
  switch (order) {
    case OrderMode::kUnordered: return v1::ORDER_MODE_UNORDERED;
    case OrderMode::kByKey: return v1::ORDER_MODE_BY_KEY;
    case OrderMode::kStrict: return v1::ORDER_MODE_STRICT;
  }
  return v1::ORDER_MODE_UNSPECIFIED;
}

absl::StatusOr<std::vector<Secret>> SecretsFromProto(const v1::Subscription& subscription,
                                                     absl::Time now) {
  std::vector<Secret> secrets;
  if (!subscription.secret().empty()) {
    if (subscription.secrets_size() > 0) {
      return InvalidField("subscription.secret", "and `secrets` are both given; give one of them");
    }
    secrets.push_back({subscription.secret(), now, std::nullopt});
    return secrets;
  }
  for (int i = 0; i < subscription.secrets_size(); ++i) {
    const v1::Secret& secret = subscription.secrets(i);
    const std::string path = absl::StrCat("subscription.secrets[", i, "]");
    if (secret.text().empty()) {
      return InvalidField(absl::StrCat(path, ".text"), "is empty; a secret needs a text");
    }
    Secret& added = secrets.emplace_back(Secret{secret.text(), now, std::nullopt});
    if (secret.has_expire_time()) {
      ASSIGN_OR_RETURN(added.expire_time,
                       TimeFromProto(absl::StrCat(path, ".expire_time"), secret.expire_time()));
    }
  }
  return secrets;
}

template <typename Number>
absl::Status OutOfRange(absl::string_view field, Number value, Number least, Number most) {
  return InvalidField(absl::StrCat("subscription.policy.", field),
                      absl::StrCat("is ", value, "; it must be between ", least, " and ", most));
}

// The limits that a policy may have or not. To the engine 0 is none; given, it is wrong.
absl::Status LimitsFromProto(const v1::DeliveryPolicy& policy, DeliveryPolicy* result) {
  if (policy.has_max_in_flight()) {
    result->max_in_flight = policy.max_in_flight();
    if (result->max_in_flight < 1) {
      return OutOfRange("max_in_flight", result->max_in_flight, 1, kMaxInFlightMax);
    }
  }
  if (policy.has_rate()) {
    result->rate = policy.rate();
    if (result->rate == 0) return OutOfRange("rate", result->rate, kRateMin, kRateMax);
  }
  if (policy.has_max_age()) {
    ASSIGN_OR_RETURN(result->max_age,
                     DurationFromProto("subscription.policy.max_age", policy.max_age()));
    if (result->max_age == absl::ZeroDuration()) {
      return OutOfRange("max_age", absl::FormatDuration(result->max_age),
                        absl::FormatDuration(kDeliveryAgeMin),
                        absl::FormatDuration(kDeliveryAgeMax));
    }
  }
  if (policy.has_max_body_bytes()) {
    if (policy.max_body_bytes() < 1) {
      return OutOfRange<int64_t>("max_body_bytes", policy.max_body_bytes(), kBodyBytesMaxFloor,
                                 kBodyBytesMaxCeiling);
    }
    result->max_body_bytes = static_cast<size_t>(policy.max_body_bytes());
  }
  return absl::OkStatus();
}

absl::StatusOr<DeliveryPolicy> PolicyFromProto(const v1::DeliveryPolicy& policy) {
  DeliveryPolicy result;
  for (int i = 0; i < policy.schedule_size(); ++i) {
    ASSIGN_OR_RETURN(const absl::Duration step,
                     DurationFromProto(absl::StrCat("subscription.policy.schedule[", i, "]"),
                                       policy.schedule(i)));
    result.schedule.push_back(step);
  }
  if (policy.has_timeout()) {
    ASSIGN_OR_RETURN(result.timeout,
                     DurationFromProto("subscription.policy.timeout", policy.timeout()));
  }
  ASSIGN_OR_RETURN(result.order, OrderFromProto(policy.order()));
  RETURN_IF_ERROR(LimitsFromProto(policy, &result));
  return result;
}

v1::SubscriptionState StateToProto(SubscriptionState state) {
  switch (state) {
    case SubscriptionState::kActive: return v1::SUBSCRIPTION_STATE_ACTIVE;
    case SubscriptionState::kUnverified: return v1::SUBSCRIPTION_STATE_UNVERIFIED;
    case SubscriptionState::kPaused: return v1::SUBSCRIPTION_STATE_PAUSED;
    case SubscriptionState::kDisabled: return v1::SUBSCRIPTION_STATE_DISABLED;
    case SubscriptionState::kFailing: return v1::SUBSCRIPTION_STATE_FAILING;
  }
  return v1::SUBSCRIPTION_STATE_UNSPECIFIED;
}

void PolicyToProto(const DeliveryPolicy& policy, v1::DeliveryPolicy* result) {
  for (const absl::Duration step : policy.schedule) {
    DurationToProto(step, result->add_schedule());
  }
  DurationToProto(policy.timeout, result->mutable_timeout());
  if (policy.max_in_flight > 0) {
    result->set_max_in_flight(policy.max_in_flight);
  }
  result->set_order(OrderToProto(policy.order));
  if (policy.rate > 0) {
    result->set_rate(policy.rate);
  }
  if (policy.max_age > absl::ZeroDuration()) {
    DurationToProto(policy.max_age, result->mutable_max_age());
  }
  if (policy.max_body_bytes > 0) {
    result->set_max_body_bytes(static_cast<int32_t>(policy.max_body_bytes));
  }
}

v1::BreakerState BreakerToProto(Breaker breaker) {
  switch (breaker) {
    case Breaker::kClosed: return v1::BREAKER_STATE_CLOSED;
    case Breaker::kOpen: return v1::BREAKER_STATE_OPEN;
    case Breaker::kHalfOpen: return v1::BREAKER_STATE_HALF_OPEN;
  }
  return v1::BREAKER_STATE_UNSPECIFIED;
}

void HealthToProto(const SubscriptionHealth& health, v1::SubscriptionHealth* result) {
  result->set_breaker(BreakerToProto(health.breaker));
  const auto set_time = [](const std::optional<absl::Time>& time, auto mutable_field) {
    if (time.has_value()) TimeToProto(*time, mutable_field());
  };
  set_time(health.failing_since, [result] { return result->mutable_failing_since(); });
  set_time(health.open_since, [result] { return result->mutable_open_since(); });
  set_time(health.next_probe, [result] { return result->mutable_next_probe_time(); });
  set_time(health.throttled_until, [result] { return result->mutable_throttled_until(); });
  result->set_failures_in_a_row(health.failures_in_a_row);
  result->set_last_error(ValidUtf8(health.last_error));
  result->set_max_in_flight(health.in_flight_max);
}

void SecretsToProto(const std::vector<Secret>& secrets, bool with_values,
                    v1::Subscription* result) {
  for (const Secret& secret : secrets) {
    v1::Secret* added = result->add_secrets();
    SecretToProto(secret, added);
    if (!with_values) added->clear_text();
  }
  if (with_values && !secrets.empty()) {
    result->set_secret(secrets.back().text);
  }
}

}  // namespace

absl::StatusOr<Subscription> SubscriptionFromProto(const v1::Subscription& subscription,
                                                   Verification default_verification,
                                                   absl::Time now) {
  RETURN_IF_ERROR(RefuseUnknownFields("subscription", subscription));
  Subscription result;
  result.organization = subscription.organization();
  result.url = subscription.url();
  result.event_types.assign(subscription.event_types().begin(), subscription.event_types().end());
  ASSIGN_OR_RETURN(result.scope, ScopeFromProto(subscription.scope()));
  result.description = subscription.description();
  for (const auto& header : subscription.headers()) {
    result.headers.push_back({header.first, header.second});
  }
  std::sort(result.headers.begin(), result.headers.end(),
            [](const Header& a, const Header& b) { return a.name < b.name; });
  ASSIGN_OR_RETURN(result.secrets, SecretsFromProto(subscription, now));
  ASSIGN_OR_RETURN(result.policy, PolicyFromProto(subscription.policy()));
  ASSIGN_OR_RETURN(result.verification,
                   VerificationFromProto(subscription.verification(), default_verification));
  return result;
}

void SecretToProto(const Secret& secret, v1::Secret* result) {
  result->set_text(secret.text);
  TimeToProto(secret.create_time, result->mutable_create_time());
  if (secret.expire_time.has_value()) {
    TimeToProto(*secret.expire_time, result->mutable_expire_time());
  }
}

void SubscriptionToProto(const Subscription& subscription,
                         const std::optional<SubscriptionHealth>& health, bool with_secrets,
                         v1::Subscription* result) {
  result->set_id(subscription.id);
  result->set_organization(subscription.organization);
  const absl::StatusOr<Url> url = ParseUrl(subscription.url);
  result->set_url(url.ok() && url->has_credentials ? url->Redacted() : subscription.url);
  result->mutable_event_types()->Assign(subscription.event_types.begin(),
                                        subscription.event_types.end());
  result->set_scope(subscription.scope == Scope::kSelf ? v1::SCOPE_SELF : v1::SCOPE_SUBTREE);
  result->set_description(subscription.description);
  for (const Header& header : subscription.headers) {
    const bool secret = absl::EqualsIgnoreCase(header.name, "authorization");
    (*result->mutable_headers())[header.name] = secret ? std::string(kHidden) : header.value;
  }
  SecretsToProto(subscription.secrets, with_secrets, result);
  PolicyToProto(subscription.policy, result->mutable_policy());
  result->set_verification(subscription.verification == Verification::kChallenge
                               ? v1::VERIFICATION_CHALLENGE
                               : v1::VERIFICATION_NONE);
  result->set_state(StateToProto(StateOf(subscription, health)));
  if (health.has_value()) {
    HealthToProto(*health, result->mutable_health());
  }
  result->set_disabled_reason(subscription.disabled_reason);
  result->set_etag(EtagOf(subscription));
  TimeToProto(subscription.create_time, result->mutable_create_time());
  TimeToProto(subscription.update_time, result->mutable_update_time());
}

}  // namespace postrider
