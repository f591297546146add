#include "gateway/subscription_changes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/model/secret.h"
#include "gateway/model/url.h"

namespace postrider {
namespace {

bool SameSecrets(const std::vector<Secret>& a, const std::vector<Secret>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Secret& x, const Secret& y) { return x.text == y.text; });
}

bool SamePolicy(const DeliveryPolicy& a, const DeliveryPolicy& b) {
  return a.schedule == b.schedule && a.timeout == b.timeout && a.max_in_flight == b.max_in_flight &&
         a.order == b.order && a.rate == b.rate && a.max_age == b.max_age &&
         a.max_body_bytes == b.max_body_bytes;
}

// A subscription that was read has kHidden in the place of credentials; writing that back keeps
// them.
void SetUrl(const std::string& from, std::string& to) {
  const absl::StatusOr<Url> current = ParseUrl(to);
  if (!current.ok() || from != current->Redacted()) {
    to = from;
  }
}

void SetHeaders(std::vector<Header> from, std::vector<Header>& to) {
  for (Header& header : from) {
    const auto same_name = [&header](const Header& other) { return other.name == header.name; };
    const auto current = std::find_if(to.begin(), to.end(), same_name);
    if (header.value == kHidden && current != to.end()) {
      header.value = current->value;
    }
  }
  to = std::move(from);
}

void SetPolicy(absl::string_view path, const DeliveryPolicy& from, DeliveryPolicy& to) {
  if (path == "policy.schedule") to.schedule = from.schedule;
  if (path == "policy.timeout") to.timeout = from.timeout;
  if (path == "policy.max_in_flight") to.max_in_flight = from.max_in_flight;
  if (path == "policy.rate") to.rate = from.rate;
  if (path == "policy.max_age") to.max_age = from.max_age;
  if (path == "policy.max_body_bytes") to.max_body_bytes = from.max_body_bytes;
}

void SetPath(absl::string_view path, const Subscription& from, Subscription& to) {
  if (path == "url") SetUrl(from.url, to.url);
  if (path == "event_types") to.event_types = from.event_types;
  if (path == "scope") to.scope = from.scope;
  if (path == "description") to.description = from.description;
  if (path == "headers") SetHeaders(from.headers, to.headers);
  if (path == "secrets") to.secrets = from.secrets;
  if (path == "verification") to.verification = from.verification;
  SetPolicy(path, from.policy, to.policy);
}

PutSubscription WriteOver(const Subscription& current) {
  PutSubscription write;
  write.subscription = current;
  write.expected_version = current.version;
  return write;
}

absl::Status TooManySecrets(size_t secrets) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "the subscription would have ", secrets, " secrets that have not ended; the limit is ",
          kSecretsMax, "; wait for one to end, or end the older ones now")),
      "TOO_MANY_SECRETS");
}

// The older secrets that are still to sign, each with its end.
std::vector<Secret> Ending(const std::vector<Secret>& older, absl::Time end, absl::Time now) {
  std::vector<Secret> live;
  for (Secret secret : older) {
    secret.expire_time = std::min(secret.expire_time.value_or(end), end);
    if (*secret.expire_time > now) live.push_back(std::move(secret));
  }
  return live;
}

}  // namespace

bool AsksForTheSame(const Subscription& wish, const Subscription& existing) {
  if (!wish.secrets.empty() && !SameSecrets(wish.secrets, existing.secrets)) {
    return false;
  }
  const auto same_header = [](const Header& a, const Header& b) {
    return a.name == b.name && a.value == b.value;
  };
  return wish.organization == existing.organization && wish.url == existing.url &&
         wish.event_types == existing.event_types && wish.scope == existing.scope &&
         wish.description == existing.description && wish.verification == existing.verification &&
         wish.start_time == existing.start_time && SamePolicy(wish.policy, existing.policy) &&
         std::equal(wish.headers.begin(), wish.headers.end(), existing.headers.begin(),
                    existing.headers.end(), same_header);
}

absl::StatusOr<Subscription> Updated(const Subscription& current,
                                     const SubscriptionUpdate& update) {
  Subscription changed = current;
  for (const std::string& path : update.paths) {
    if (path == "policy.order" && update.subscription.policy.order != current.policy.order) {
      return InvalidField(path, "can't be changed; what waits was put in this order");
    }
    SetPath(path, update.subscription, changed);
  }
  if (changed.verification == Verification::kNone) {
    changed.verified = true;
  } else if (changed.url != current.url || current.verification == Verification::kNone) {
    changed.verified = false;
  }
  return changed;
}

Change Paused(const Subscription& current) {
  if (current.paused) {
    return std::nullopt;
  }
  PutSubscription write = WriteOver(current);
  write.subscription.paused = true;
  return write;
}

Change Resumed(const Subscription& current, bool skip_backlog) {
  if (!current.disabled_reason.empty()) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat("the subscription is DISABLED (",
                                                   current.disabled_reason, "); enable it first")),
        "SUBSCRIPTION_DISABLED");
  }
  if (!current.paused) {
    return std::nullopt;
  }
  PutSubscription write = WriteOver(current);
  write.subscription.paused = false;
  write.skip_backlog = skip_backlog;
  return write;
}

Change Enabled(const Subscription& current, bool skip_backlog) {
  if (current.disabled_reason.empty()) {
    return std::nullopt;
  }
  PutSubscription write = WriteOver(current);
  write.subscription.disabled_reason.clear();
  write.skip_backlog = skip_backlog;
  return write;
}

Change Verified(const Subscription& current, absl::string_view challenged_url) {
  if (current.verified || current.url != challenged_url) {
    return std::nullopt;
  }
  PutSubscription write = WriteOver(current);
  write.subscription.verified = true;
  write.start_at_heads = current.start_seqs.empty();
  return write;
}

Change Rotated(const Subscription& current, const SecretRotation& rotation, absl::Time now) {
  RETURN_IF_ERROR(ValidateSecret(rotation.secret));
  if (rotation.overlap < absl::ZeroDuration() || rotation.overlap > kSecretOverlapMax) {
    return InvalidField(
        "overlap", absl::StrCat(absl::FormatDuration(rotation.overlap), "; the limits are 0 and ",
                                absl::FormatDuration(kSecretOverlapMax)));
  }
  std::vector<Secret> older = current.secrets;
  Secret newest = {.text = rotation.secret, .create_time = now, .expire_time = {}};
  if (!older.empty() && older.back().text == rotation.secret) {
    newest = older.back();
    older.pop_back();
  }
  std::vector<Secret> secrets = Ending(older, now + rotation.overlap, now);
  const auto same_text = [&newest](const Secret& other) { return other.text == newest.text; };
  if (std::any_of(secrets.begin(), secrets.end(), same_text)) {
    return InvalidField("secret", "the subscription has it as one of its older ones");
  }
  secrets.push_back(std::move(newest));
  if (secrets.size() > kSecretsMax) {
    return TooManySecrets(secrets.size());
  }
  const auto same = [](const Secret& a, const Secret& b) {
    return a.text == b.text && a.expire_time == b.expire_time;
  };
  if (std::equal(secrets.begin(), secrets.end(), current.secrets.begin(), current.secrets.end(),
                 same)) {
    return std::nullopt;
  }
  PutSubscription write = WriteOver(current);
  write.subscription.secrets = std::move(secrets);
  return write;
}

}  // namespace postrider
