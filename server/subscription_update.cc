#include "server/subscription_update.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/base/status.h"
#include "server/subscription_convert.h"

namespace postrider {
namespace {

using Paths = std::set<std::string>;

constexpr absl::string_view kNotUpdatable[] = {
    "id",          "organization", "state",           "etag",
    "create_time", "update_time",  "disabled_reason", "health"};

// A subscription that was read has its secrets without their texts: those are not given.
bool SecretsGiven(const v1::Subscription& subscription) {
  return !subscription.secret().empty() ||
         std::any_of(subscription.secrets().begin(), subscription.secrets().end(),
                     [](const v1::Secret& secret) { return !secret.text().empty(); });
}

void AddPopulatedPolicy(const v1::DeliveryPolicy& policy, Paths* paths) {
  if (policy.schedule_size() > 0) paths->insert("policy.schedule");
  if (policy.has_timeout()) paths->insert("policy.timeout");
  if (policy.has_max_in_flight()) paths->insert("policy.max_in_flight");
  if (policy.order() != v1::ORDER_MODE_UNSPECIFIED) paths->insert("policy.order");
  if (policy.has_rate()) paths->insert("policy.rate");
  if (policy.has_max_age()) paths->insert("policy.max_age");
  if (policy.has_max_body_bytes()) paths->insert("policy.max_body_bytes");
}

Paths PopulatedPaths(const v1::Subscription& subscription) {
  Paths paths;
  if (!subscription.url().empty()) paths.insert("url");
  if (subscription.event_types_size() > 0) paths.insert("event_types");
  if (subscription.scope() != v1::SCOPE_UNSPECIFIED) paths.insert("scope");
  if (!subscription.description().empty()) paths.insert("description");
  if (subscription.headers_size() > 0) paths.insert("headers");
  if (SecretsGiven(subscription)) paths.insert("secrets");
  AddPopulatedPolicy(subscription.policy(), &paths);
  if (subscription.verification() != v1::VERIFICATION_UNSPECIFIED) paths.insert("verification");
  return paths;
}

Paths AllPaths(const v1::Subscription& subscription) {
  Paths paths(std::begin(kUpdatablePaths), std::end(kUpdatablePaths));
  if (!SecretsGiven(subscription)) {
    paths.erase("secrets");
  }
  return paths;
}

// Adds what a mask's `path` stands for.
absl::Status AddPath(absl::string_view path, const v1::Subscription& subscription, Paths* paths) {
  if (path == "secret" || path == "secrets") {
    if (!SecretsGiven(subscription)) {
      return InvalidField(absl::StrCat("subscription.", path),
                          "is named by update_mask but has no value");
    }
    paths->insert("secrets");
    return absl::OkStatus();
  }
  const auto* const not_updatable =
      std::find(std::begin(kNotUpdatable), std::end(kNotUpdatable), path);
  if (not_updatable != std::end(kNotUpdatable)) {
    return absl::OkStatus();
  }
  bool known = false;
  for (const absl::string_view updatable : kUpdatablePaths) {
    if (updatable == path || absl::StartsWith(updatable, absl::StrCat(path, "."))) {
      paths->insert(std::string(updatable));
      known = true;
    }
  }
  return known ? absl::OkStatus()
               : InvalidField("update_mask", absl::StrCat("names `", path,
                                                          "`, which a subscription does not have"));
}

absl::StatusOr<Paths> PathsOf(const v1::UpdateSubscriptionRequest& request) {
  const v1::Subscription& subscription = request.subscription();
  if (request.update_mask().paths_size() == 0) {
    return PopulatedPaths(subscription);
  }
  Paths paths;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "*") return AllPaths(subscription);
    RETURN_IF_ERROR(AddPath(path, subscription, &paths));
  }
  return paths;
}

}  // namespace

absl::StatusOr<SubscriptionUpdate> UpdateFromProto(const v1::UpdateSubscriptionRequest& request,
                                                   Verification default_verification,
                                                   absl::Time now) {
  ASSIGN_OR_RETURN(Paths paths, PathsOf(request));
  if (request.subscription().policy().order() == v1::ORDER_MODE_UNSPECIFIED) {
    paths.erase("policy.order");
  }
  v1::Subscription values = request.subscription();
  if (paths.count("secrets") == 0) {
    values.clear_secret();
    values.clear_secrets();
  }
  SubscriptionUpdate update;
  ASSIGN_OR_RETURN(update.subscription, SubscriptionFromProto(values, default_verification, now));
  update.subscription.id = values.id();
  update.etag = values.etag();
  std::copy_if(std::begin(kUpdatablePaths), std::end(kUpdatablePaths),
               std::back_inserter(update.paths),
               [&paths](const char* path) { return paths.count(path) > 0; });
  return update;
}

}  // namespace postrider
