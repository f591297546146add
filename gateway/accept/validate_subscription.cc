#include "gateway/accept/validate_subscription.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gateway/accept/names.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/model/event_pattern.h"
#include "gateway/model/secret.h"
#include "gateway/model/url.h"

namespace postrider {
namespace {

// What the gateway writes itself, what belongs to the connection and not to the message, and what
// a proxy or a browser alone may say. In lower case.
constexpr std::array<absl::string_view, 23> kReservedHeaders = {"accept",
                                                                "accept-encoding",
                                                                "connection",
                                                                "content-encoding",
                                                                "content-length",
                                                                "content-type",
                                                                "cookie",
                                                                "date",
                                                                "expect",
                                                                "forwarded",
                                                                "host",
                                                                "http2-settings",
                                                                "keep-alive",
                                                                "set-cookie",
                                                                "te",
                                                                "traceparent",
                                                                "tracestate",
                                                                "trailer",
                                                                "transfer-encoding",
                                                                "upgrade",
                                                                "user-agent",
                                                                "via",
                                                                "x-hub-signature"};
constexpr std::array<absl::string_view, 8> kReservedPrefixes = {
    "ce-", "proxy-", "sec-", "webhook-", "x-forwarded-", "x-hub-signature-", "x-postrider-", ":"};

absl::Status ValidateSecrets(const std::vector<Secret>& secrets) {
  if (secrets.empty()) return InvalidField("secrets", "at least one is required");
  RETURN_IF_ERROR(ValidateSize("secrets", secrets.size(), kSecretsMax, "secrets"));
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < secrets.size(); ++i) {
    const std::string field = ElementPath("secrets", i);
    if (absl::Status status = ValidateSecret(secrets[i].text); !status.ok()) {
      absl::string_view problem = status.message();
      absl::ConsumePrefix(&problem, "secret: ");
      return InvalidField(field, problem);
    }
    if (!seen.insert(secrets[i].text).second) return InvalidField(field, "given twice");
  }
  if (secrets.back().expire_time.has_value()) {
    return InvalidField("secrets", "the newest one must not expire");
  }
  return absl::OkStatus();
}

bool IsTokenCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("!#$%&'*+-.^_`|~").find(c) != absl::string_view::npos;
}

bool IsReserved(absl::string_view lower_name) {
  const auto begins = [lower_name](absl::string_view prefix) {
    return absl::StartsWith(lower_name, prefix);
  };
  return std::find(kReservedHeaders.begin(), kReservedHeaders.end(), lower_name) !=
             kReservedHeaders.end() ||
         std::any_of(kReservedPrefixes.begin(), kReservedPrefixes.end(), begins);
}

absl::Status ValidateHeaderName(absl::string_view field, absl::string_view name) {
  RETURN_IF_ERROR(ValidateSize(field, name.size(), kHeaderNameBytesMax, "bytes in the name"));
  if (IsReserved(absl::AsciiStrToLower(name))) {
    return InvalidField(field, "this header is the gateway's own to set");
  }
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsTokenCharacter)) {
    return InvalidField(field,
                        "the name must be letters, digits and ! # $ % & ' * + - . ^ _ ` | ~");
  }
  return absl::OkStatus();
}

absl::Status ValidateHeaderValue(absl::string_view field, absl::string_view value) {
  RETURN_IF_ERROR(ValidateSize(field, value.size(), kHeaderValueBytesMax));
  const auto allowed = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
  if (!std::all_of(value.begin(), value.end(), allowed)) {
    return InvalidField(field, "the value must be printable ASCII, spaces and tabs");
  }
  if (absl::StripAsciiWhitespace(value) != value) {
    return InvalidField(field, "the value must not begin or end with a space or tab");
  }
  return absl::OkStatus();
}

absl::Status ValidateHeaders(const std::vector<Header>& headers, bool url_has_credentials) {
  RETURN_IF_ERROR(ValidateSize("headers", headers.size(), kHeadersMax, "headers"));
  absl::flat_hash_set<std::string> seen;
  for (const Header& header : headers) {
    const std::string field = MapEntryPath("headers", header.name);
    RETURN_IF_ERROR(ValidateHeaderName(field, header.name));
    RETURN_IF_ERROR(ValidateHeaderValue(field, header.value));
    const std::string lower_name = absl::AsciiStrToLower(header.name);
    if (url_has_credentials && lower_name == "authorization") {
      return InvalidField(field, "the URL's user and password make this header already");
    }
    if (!seen.insert(lower_name).second) {
      return InvalidField(field, "given twice; upper and lower case are the same");
    }
  }
  return absl::OkStatus();
}

absl::Status OutOfRange(absl::string_view field, absl::Duration value, absl::Duration least,
                        absl::Duration most) {
  return InvalidField(
      field, absl::StrCat(absl::FormatDuration(value), "; the limits are ",
                          absl::FormatDuration(least), " and ", absl::FormatDuration(most)));
}

absl::Status ValidateSchedule(const DeliveryPolicy& policy) {
  RETURN_IF_ERROR(
      ValidateSize("policy.schedule", policy.schedule.size(), kScheduleStepsMax, "steps"));
  absl::Duration total;
  for (size_t i = 0; i < policy.schedule.size(); ++i) {
    const absl::Duration step = policy.schedule[i];
    if (step < absl::ZeroDuration() || step > kScheduleStepMax) {
      return OutOfRange(ElementPath("policy.schedule", i), step, absl::ZeroDuration(),
                        kScheduleStepMax);
    }
    total += step;
  }
  if (total > kScheduleTotalMax) {
    return InvalidField("policy.schedule",
                        absl::StrCat(absl::FormatDuration(total), " in all; the limit is ",
                                     absl::FormatDuration(kScheduleTotalMax)));
  }
  return absl::OkStatus();
}

// Of the limits that a policy may have or not: 0 is none.
absl::Status ValidateLimits(const DeliveryPolicy& policy) {
  // Not a number is in no range.
  if (policy.rate != 0 && !(policy.rate >= kRateMin && policy.rate <= kRateMax)) {
    return InvalidField(
        "policy.rate", absl::StrCat(policy.rate, "; the limits are ", kRateMin, " and ", kRateMax));
  }
  if (policy.max_age != absl::ZeroDuration() &&
      (policy.max_age < kDeliveryAgeMin || policy.max_age > kDeliveryAgeMax)) {
    return OutOfRange("policy.max_age", policy.max_age, kDeliveryAgeMin, kDeliveryAgeMax);
  }
  if (policy.max_body_bytes != 0 && (policy.max_body_bytes < kBodyBytesMaxFloor ||
                                     policy.max_body_bytes > kBodyBytesMaxCeiling)) {
    return InvalidField("policy.max_body_bytes",
                        absl::StrCat(policy.max_body_bytes, "; the limits are ", kBodyBytesMaxFloor,
                                     " and ", kBodyBytesMaxCeiling));
  }
  return absl::OkStatus();
}

absl::Status ValidatePolicy(const DeliveryPolicy& policy) {
  RETURN_IF_ERROR(ValidateSchedule(policy));
  if (policy.timeout < kExchangeTimeoutMin || policy.timeout > kExchangeTimeoutMax) {
    return OutOfRange("policy.timeout", policy.timeout, kExchangeTimeoutMin, kExchangeTimeoutMax);
  }
  if (policy.max_in_flight < 0 || policy.max_in_flight > kMaxInFlightMax) {
    return InvalidField(
        "policy.max_in_flight",
        absl::StrCat(policy.max_in_flight, "; the limits are 1 and ", kMaxInFlightMax));
  }
  return ValidateLimits(policy);
}

}  // namespace

absl::Status ValidateForRetention(const DeliveryPolicy& policy, absl::Duration retention) {
  const absl::Duration most = retention - kRetentionMargin;
  const auto too_long = [&](absl::string_view field, absl::Duration value) {
    return InvalidField(field, absl::StrCat(absl::FormatDuration(value), "; the limit is ",
                                            absl::FormatDuration(most),
                                            ", a day less than this gateway keeps events"));
  };
  absl::Duration total;
  for (const absl::Duration step : policy.schedule) {
    total += step;
  }
  if (total > most) {
    return too_long("policy.schedule", total);
  }
  return policy.max_age > most ? too_long("policy.max_age", policy.max_age) : absl::OkStatus();
}

absl::Status ValidatePatterns(const std::vector<std::string>& patterns) {
  RETURN_IF_ERROR(ValidateSize("event_types", patterns.size(), kPatternsMax, "patterns"));
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < patterns.size(); ++i) {
    const std::string field = ElementPath("event_types", i);
    RETURN_IF_ERROR(EventPattern::Parse(field, patterns[i]).status());
    if (!seen.insert(patterns[i]).second) return InvalidField(field, "given twice");
  }
  return absl::OkStatus();
}

absl::Status ValidateSubscription(const Subscription& subscription, bool allow_http) {
  RETURN_IF_ERROR(ValidateSubscriptionId("id", subscription.id));
  RETURN_IF_ERROR(ValidateOrganization("organization", subscription.organization));
  ASSIGN_OR_RETURN(const Url url, ParseUrl(subscription.url));
  if (!url.https && !allow_http) {
    return InvalidField("url", "must be https; this gateway's configuration does not allow http");
  }
  RETURN_IF_ERROR(ValidatePatterns(subscription.event_types));
  RETURN_IF_ERROR(ValidateProse("description", subscription.description, kDescriptionBytesMax));
  RETURN_IF_ERROR(ValidateHeaders(subscription.headers, url.has_credentials));
  RETURN_IF_ERROR(ValidateSecrets(subscription.secrets));
  return ValidatePolicy(subscription.policy);
}

}  // namespace postrider
