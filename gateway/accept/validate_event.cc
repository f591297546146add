#include "gateway/accept/validate_event.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/accept/names.h"
#include "gateway/accept/timestamp.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/base/uuid.h"
#include "gateway/model/event_pattern.h"

namespace postrider {
namespace {

absl::Status ValidateType(const EventInput& event) {
  RETURN_IF_ERROR(ValidateEventType("type", event.type));
  if (event.about.empty() && absl::StartsWith(event.type, kOperationalPrefix)) {
    return InvalidField("type", "names beginning 'postrider.' are the gateway's own");
  }
  return absl::OkStatus();
}

absl::Status ValidatePath(const EventInput& event) {
  const std::vector<std::string>& path = event.organization_path;
  if (path.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(
      ValidateSize("organization_path", path.size(), kOrganizationPathMax, "organizations"));
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < path.size(); ++i) {
    const std::string field = ElementPath("organization_path", i);
    RETURN_IF_ERROR(ValidateOrganization(field, path[i]));
    if (!seen.insert(path[i]).second) {
      return InvalidField(field, "repeats an organization above it; each may stand once");
    }
  }
  if (path.back() != event.organization) {
    return InvalidField("organization_path", "must end with the event's own organization");
  }
  return absl::OkStatus();
}

absl::Status ValidateParty(absl::string_view field,
                           const std::optional<ActivityInput::Party>& party) {
  if (!party.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(ValidateText(absl::StrCat(field, ".id"), party->id, kActivityTextBytesMax));
  RETURN_IF_ERROR(ValidateText(absl::StrCat(field, ".type"), party->type, kActivityTextBytesMax));
  return ValidateProse(absl::StrCat(field, ".name"), party->name, kActivityTextBytesMax);
}

absl::Status ValidateActivity(const ActivityInput& activity) {
  if (!activity.present) return absl::OkStatus();
  RETURN_IF_ERROR(ValidateText("activity.type", activity.type, kActivityTextBytesMax));
  RETURN_IF_ERROR(ValidateParty("activity.actor", activity.actor));
  RETURN_IF_ERROR(ValidateParty("activity.object", activity.object));
  RETURN_IF_ERROR(ValidateParty("activity.target", activity.target));
  if (activity.published.has_value()) {
    RETURN_IF_ERROR(ValidateTimestamp("activity.published", *activity.published));
  }
  return ValidateProse("activity.summary", activity.summary, kActivitySummaryBytesMax);
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// `[A-Za-z][A-Za-z0-9_]*`: what a member of a JavaScript object may be called without quotes.
absl::Status ValidateName(absl::string_view field, absl::string_view name) {
  RETURN_IF_ERROR(ValidateSize(field, name.size(), kResourceNameBytesMax, "bytes in the name"));
  if (name.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(name[0])) ||
      !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return InvalidField(field, "a name is a letter and then letters, digits and '_'");
  }
  return absl::OkStatus();
}

absl::Status ValidateResources(const std::vector<Resource>& resources) {
  RETURN_IF_ERROR(ValidateSize("data", resources.size(), kResourcesMax, "resources"));
  absl::flat_hash_set<absl::string_view> seen;
  for (const Resource& resource : resources) {
    const std::string field = MapEntryPath("data", resource.name);
    RETURN_IF_ERROR(ValidateName(field, resource.name));
    if (resource.name == "links") {
      return InvalidField(field, "the name is taken by the event's links");
    }
    if (!seen.insert(resource.name).second) return InvalidField(field, "given twice");
  }
  return absl::OkStatus();
}

// An absolute http or https URL. It may hold other characters than ASCII, but none that ends it.
absl::Status ValidateLink(absl::string_view field, absl::string_view url) {
  RETURN_IF_ERROR(ValidateText(field, url, kLinkBytesMax));
  const absl::string_view rest = absl::StartsWithIgnoreCase(url, "https://")  ? url.substr(8)
                                 : absl::StartsWithIgnoreCase(url, "http://") ? url.substr(7)
                                                                              : "";
  if (rest.empty() || absl::string_view("/?#:@").find(rest[0]) != absl::string_view::npos) {
    return InvalidField(field, "must be an absolute http or https URL");
  }
  if (url.find_first_of(" \"<>\\^`{|}") != absl::string_view::npos) {
    return InvalidField(field, "a URL has no spaces and none of \" < > \\ ^ ` { | }");
  }
  return absl::OkStatus();
}

absl::Status ValidateLinks(const std::vector<std::pair<std::string, std::string>>& links) {
  RETURN_IF_ERROR(ValidateSize("links", links.size(), kLinksMax, "links"));
  absl::flat_hash_set<absl::string_view> seen;
  for (const auto& [name, url] : links) {
    const std::string field = MapEntryPath("links", name);
    RETURN_IF_ERROR(ValidateName(field, name));
    RETURN_IF_ERROR(ValidateLink(field, url));
    if (!seen.insert(name).second) return InvalidField(field, "given twice");
  }
  return absl::OkStatus();
}

absl::Status ValidateTargets(const std::vector<std::string>& targets) {
  RETURN_IF_ERROR(ValidateSize("targets", targets.size(), kTargetsMax, "subscriptions"));
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::string field = ElementPath("targets", i);
    RETURN_IF_ERROR(ValidateSubscriptionId(field, targets[i]));
    if (!seen.insert(targets[i]).second) return InvalidField(field, "given twice");
  }
  return absl::OkStatus();
}

bool IsLowerHex(absl::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

bool IsZero(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

// W3C Trace Context: `version-trace_id-parent_id-flags` in lower-case hex.
absl::Status ValidateTraceparent(absl::string_view traceparent) {
  if (traceparent.empty()) return absl::OkStatus();
  constexpr size_t kTraceparentBytes = 55;
  const bool well_formed =
      traceparent.size() == kTraceparentBytes && traceparent[2] == '-' && traceparent[35] == '-' &&
      traceparent[52] == '-' && IsLowerHex(traceparent.substr(0, 2)) &&
      IsLowerHex(traceparent.substr(3, 32)) && IsLowerHex(traceparent.substr(36, 16)) &&
      IsLowerHex(traceparent.substr(53)) && traceparent.substr(0, 2) != "ff" &&
      !IsZero(traceparent.substr(3, 32)) && !IsZero(traceparent.substr(36, 16));
  if (well_formed) return absl::OkStatus();
  return InvalidField("traceparent",
                      "must be two, 32, 16 and two lower-case hex digits with '-' between (W3C "
                      "Trace Context), no id of zeros only");
}

absl::Status ValidateExpireTime(const EventInput& event, absl::Time now) {
  if (!event.expire_time.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(ValidateTimestamp("expire_time", *event.expire_time));
  // An event with an id may be known, and is then a duplicate however late it is published again. A
  // new one is accepted too, and ends as expired.
  if (event.id.empty() && *event.expire_time <= now) {
    return InvalidField("expire_time", "must lie in the future for an event without an id");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateEvent(const EventInput& event, absl::Time now) {
  if (!event.id.empty() && !Uuid::Parse(event.id).has_value()) {
    return InvalidField("id", "must be a UUID in its 36-character form, or absent");
  }
  RETURN_IF_ERROR(ValidateType(event));
  if (event.time.has_value()) RETURN_IF_ERROR(ValidateTimestamp("time", *event.time));
  RETURN_IF_ERROR(ValidateOrganization("organization", event.organization));
  RETURN_IF_ERROR(ValidatePath(event));
  RETURN_IF_ERROR(ValidateActivity(event.activity));
  RETURN_IF_ERROR(ValidateResources(event.data));
  RETURN_IF_ERROR(ValidateLinks(event.links));
  RETURN_IF_ERROR(ValidateText("ordering_key", event.ordering_key, kOrderingKeyBytesMax));
  RETURN_IF_ERROR(ValidateTargets(event.targets));
  RETURN_IF_ERROR(ValidateTraceparent(event.traceparent));
  return ValidateExpireTime(event, now);
}

}  // namespace postrider
