#include "gateway/accept/operational_event.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/json_writer.h"
#include "gateway/accept/timestamp.h"
#include "gateway/base/check.h"
#include "gateway/model/url.h"

namespace postrider {
namespace {

// Made once, at random: names of other programs do not meet ours.
constexpr std::array<uint8_t, 16> kNamespace = {0x5f, 0x0a, 0x8c, 0x3e, 0x71, 0x4d, 0x4b, 0x92,
                                                0x9e, 0x26, 0x1b, 0xd8, 0x60, 0xf4, 0x3a, 0xc7};

constexpr int64_t kSecondsPerDay = 24 * 60 * 60;

// A JSON object that grows by members.
class Object {
 public:
  Object& Text(absl::string_view name, absl::string_view value) {
    Name(name);
    AppendJsonString(value, &json_);
    return *this;
  }
  Object& Time(absl::string_view name, absl::Time value) {
    std::string text;
    AppendTimestamp(value, &text);
    return Text(name, text);
  }
  Object& Number(absl::string_view name, int64_t value) {
    Name(name);
    absl::StrAppend(&json_, value);
    return *this;
  }
  std::string Take() { return absl::StrCat(json_, "}"); }

 private:
  void Name(absl::string_view name) {
    json_.append(json_.size() == 1 ? "" : ",");
    AppendJsonString(name, &json_);
    json_.push_back(':');
  }

  std::string json_ = "{";
};

Object About(const Subscription& subscription) {
  Object object;
  object.Text("id", subscription.id);
  const absl::StatusOr<Url> url = ParseUrl(subscription.url);
  if (url.ok()) {
    object.Text("url", url->Redacted());
  }
  return object;
}

// `marker` tells this occurrence from others of its type and subscription.
EventInput MakeEvent(absl::string_view type, const Subscription& subscription,
                     absl::string_view marker, absl::string_view summary, absl::Time now) {
  EventInput event;
  event.type = std::string(type);
  event.id = NameUuid(absl::StrCat(type, "\n", subscription.id, "\n", marker)).ToString();
  event.time = now;
  event.organization = subscription.organization;
  event.about = subscription.id;
  event.activity.present = true;
  event.activity.type = "Announce";
  event.activity.object = ActivityInput::Party{.id = {}, .type = "Object", .name = {}};
  event.activity.summary = absl::StrCat("Subscription ", subscription.id, " ", summary);
  return event;
}

void AddResource(absl::string_view name, Object object, EventInput* event) {
  event->data.push_back({.name = std::string(name), .json = object.Take(), .canonical = true});
}

std::string Marker(absl::Time time) { return absl::StrCat(absl::ToUnixMicros(time)); }

absl::string_view NameOf(DeadReason reason) {
  switch (reason) {
    case DeadReason::kNone: return "";
    case DeadReason::kExhausted: return "exhausted";
    case DeadReason::kExpired: return "expired";
    case DeadReason::kTooLarge: return "too_large";
    case DeadReason::kQuarantined: return "quarantined";
  }
  return "";
}

}  // namespace

EventInput SubscriptionFailing(const Subscription& subscription, const SubscriptionHealth& health,
                               int days, absl::Time now) {
  const absl::Time since = health.failing_since.value_or(now);
  EventInput event = MakeEvent("postrider.subscription.failing", subscription,
                               absl::StrCat(Marker(since), "\n", days),
                               absl::StrCat("has been failing for ", days, " days"), now);
  Object object = About(subscription);
  object.Time("failing_since", since).Number("failing_days", days);
  object.Number("failures", health.failures).Text("last_error", health.last_error);
  AddResource("subscription", std::move(object), &event);
  return event;
}

EventInput SubscriptionDisabled(const Subscription& subscription, absl::Time now) {
  EventInput event =
      MakeEvent("postrider.subscription.disabled", subscription, absl::StrCat(subscription.version),
                "is disabled: its events wait", now);
  Object object = About(subscription);
  object.Text("disabled_reason", subscription.disabled_reason);
  AddResource("subscription", std::move(object), &event);
  return event;
}

EventInput SubscriptionRecovered(const Subscription& subscription, absl::Time failing_since,
                                 absl::Time now) {
  EventInput event = MakeEvent("postrider.subscription.recovered", subscription,
                               Marker(failing_since), "has recovered", now);
  Object object = About(subscription);
  object.Time("failing_since", failing_since);
  AddResource("subscription", std::move(object), &event);
  return event;
}

EventInput SubscriptionVerified(const Subscription& subscription, absl::Time now) {
  EventInput event = MakeEvent("postrider.subscription.verified", subscription,
                               absl::StrCat(subscription.version), "is verified", now);
  AddResource("subscription", About(subscription), &event);
  return event;
}

EventInput DeliveryDead(const Subscription& subscription, const LogEntry& entry, DeadReason reason,
                        absl::Time now) {
  const bool expired = reason == DeadReason::kExpired;
  const std::string event_id = entry.event->id.ToString();
  EventInput event =
      MakeEvent(expired ? "postrider.delivery.expired" : "postrider.delivery.exhausted",
                subscription, absl::StrCat(entry.event->organization, "\n", event_id),
                absl::StrCat("did not take the event ", event_id), now);
  Object letter;
  letter.Text("event_id", event_id).Text("event", entry.event->type);
  letter.Text("organization", entry.event->organization).Text("reason", NameOf(reason));
  AddResource("delivery", std::move(letter), &event);
  AddResource("subscription", About(subscription), &event);
  return event;
}

EventInput DeliveriesExpired(const Subscription& subscription, absl::Time before, absl::Time now) {
  const int64_t day = absl::ToUnixSeconds(now) / kSecondsPerDay;
  EventInput event =
      MakeEvent("postrider.delivery.expired", subscription, absl::StrCat("before\n", day),
                "was not sent all events before they were as old as events are kept", now);
  Object range;
  range.Time("accepted_before", before).Text("reason", NameOf(DeadReason::kExpired));
  AddResource("delivery", std::move(range), &event);
  AddResource("subscription", About(subscription), &event);
  return event;
}

Uuid NameUuid(absl::string_view name) {
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  std::string bytes(reinterpret_cast<const char*>(kNamespace.data()), kNamespace.size());
  bytes.append(name.data(), name.size());
  unsigned int size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  std::array<uint8_t, 16> uuid{};
  std::copy(digest.begin(), digest.begin() + uuid.size(), uuid.begin());
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0F) | 0x50);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3F) | 0x80);
  return Uuid(uuid);
}

}  // namespace postrider
