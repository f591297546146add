#include "gateway/accept/activity.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gateway/accept/json_writer.h"
#include "gateway/accept/timestamp.h"

namespace postrider {
namespace {

using Party = ActivityInput::Party;

constexpr std::array<std::pair<absl::string_view, absl::string_view>, 12> kTypeOfAction = {{
    {"create", "Create"},
    {"update", "Update"},
    {"delete", "Delete"},
    {"login", "Arrive"},
    {"logout", "Leave"},
    {"leave", "Leave"},
    {"join", "Join"},
    {"accept", "Accept"},
    {"assign", "Offer"},
    {"notify", "Announce"},
    {"read", "Read"},
    {"error", "Flag"},
}};

constexpr std::array<std::pair<absl::string_view, absl::string_view>, 4> kTypeOfResource = {{
    {"user", "Person"},
    {"bot", "Application"},
    {"botinstance", "Application"},
    {"organization", "Organization"},
}};

template <size_t kSize>
absl::string_view Lookup(
    const std::array<std::pair<absl::string_view, absl::string_view>, kSize>& table,
    absl::string_view key) {
  const auto* found =
      std::find_if(table.begin(), table.end(), [key](const auto& row) { return row.first == key; });
  return found == table.end() ? absl::string_view() : found->second;
}

absl::string_view DeriveType(absl::string_view event_type) {
  const std::vector<absl::string_view> segments = absl::StrSplit(event_type, '.');
  for (size_t i = 1; i < segments.size(); ++i) {
    const absl::string_view type = Lookup(kTypeOfAction, segments[i]);
    if (!type.empty()) return type;
  }
  return "Activity";
}

bool IsGiven(const std::optional<Party>& party) {
  return party.has_value() && !(party->id.empty() && party->type.empty() && party->name.empty());
}

Party DeriveObject(const EventInput& event, const Party& given) {
  const absl::string_view resource = absl::string_view(event.type).substr(0, event.type.find('.'));
  const auto link = std::find_if(event.links.begin(), event.links.end(),
                                 [resource](const auto& entry) { return entry.first == resource; });
  Party object = given;
  if (object.id.empty() && link != event.links.end()) object.id = link->second;
  if (object.type.empty()) {
    const bool is_resource =
        given.id.empty() || (link != event.links.end() && given.id == link->second);
    const absl::string_view type =
        is_resource ? Lookup(kTypeOfResource, resource) : absl::string_view();
    object.type = std::string(type.empty() ? absl::string_view("Object") : type);
  }
  return object;
}

// `,"key":` or, as the first member of an object, `"key":`.
void AppendKey(absl::string_view key, std::string* out) {
  if (out->back() != '{') out->push_back(',');
  AppendJsonString(key, out);
  out->push_back(':');
}

void AppendMember(absl::string_view key, absl::string_view text, std::string* out) {
  if (text.empty()) return;
  AppendKey(key, out);
  AppendJsonString(text, out);
}

void AppendParty(absl::string_view key, const Party& party, std::string* out) {
  AppendKey(key, out);
  out->push_back('{');
  AppendMember("id", party.id, out);
  AppendMember("type", party.type, out);
  AppendMember("name", party.name, out);
  out->push_back('}');
}

}  // namespace

void AppendActivity(const EventInput& event, absl::Time time, std::string* out) {
  static const Party* const kSystem = new Party{.id = "", .type = "Application", .name = ""};
  static const ActivityInput* const kNothing = new ActivityInput;
  const ActivityInput& activity = event.activity.present ? event.activity : *kNothing;
  out->append("{\"@context\":\"https://www.w3.org/ns/activitystreams\"");
  AppendMember("type", activity.type.empty() ? DeriveType(event.type) : activity.type, out);
  AppendParty("actor", IsGiven(activity.actor) ? *activity.actor : *kSystem, out);
  AppendParty("object", DeriveObject(event, activity.object.value_or(Party())), out);
  if (IsGiven(activity.target)) AppendParty("target", *activity.target, out);
  out->append(",\"published\":\"");
  AppendTimestamp(activity.published.value_or(time), out);
  out->push_back('"');
  AppendMember("summary", activity.summary, out);
  out->push_back('}');
}

}  // namespace postrider
