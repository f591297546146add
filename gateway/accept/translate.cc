#include "gateway/accept/translate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/accept/activity.h"
#include "gateway/accept/content_hash.h"
#include "gateway/accept/json_text.h"
#include "gateway/accept/json_writer.h"
#include "gateway/accept/names.h"
#include "gateway/accept/timestamp.h"
#include "gateway/accept/validate_event.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr std::array<absl::string_view, 5> kPrimaryLinks = {"organization", "conversation",
                                                            "message", "contact", "user"};

// The resources with their JSON compact, sorted by name.
absl::StatusOr<std::vector<Resource>> Compact(const std::vector<Resource>& resources) {
  std::vector<Resource> result;
  result.reserve(resources.size());
  for (const Resource& resource : resources) {
    Resource& compact = result.emplace_back();
    compact.name = resource.name;
    compact.canonical = true;
    if (resource.canonical) {
      compact.json = resource.json;
      continue;
    }
    const std::string field = absl::StrCat(MapEntryPath("data", resource.name), ".json");
    RETURN_IF_ERROR(AppendCompactJson(field, resource.json, &compact.json));
  }
  std::sort(result.begin(), result.end(),
            [](const Resource& a, const Resource& b) { return a.name < b.name; });
  return result;
}

// `input` in the form of which the hash and the body are made.
absl::StatusOr<EventInput> Normalize(const EventInput& input) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, Compact(input.data));
  EventInput normal{.id = input.id,
                    .type = input.type,
                    .time = input.time,
                    .organization = input.organization,
                    .organization_path = input.organization_path,
                    .activity = input.activity,
                    .data = std::move(resources),
                    .links = input.links,
                    .ordering_key = input.ordering_key,
                    .targets = input.targets,
                    .traceparent = input.traceparent,
                    .expire_time = input.expire_time,
                    .about = input.about};
  const auto rank = [](const std::pair<std::string, std::string>& link) {
    const auto* found = std::find(kPrimaryLinks.begin(), kPrimaryLinks.end(), link.first);
    return std::make_pair(found - kPrimaryLinks.begin(), absl::string_view(link.first));
  };
  std::sort(normal.links.begin(), normal.links.end(),
            [rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return normal;
}

void AppendLinks(const EventInput& input, std::string* out) {
  if (input.links.empty()) return;
  out->append(input.data.empty() ? "\"links\":" : ",\"links\":");
  char separator = '{';
  for (const auto& [name, url] : input.links) {
    out->push_back(separator);
    separator = ',';
    AppendJsonString(name, out);
    out->push_back(':');
    AppendJsonString(url, out);
  }
  out->push_back('}');
}

void AppendData(const EventInput& input, std::string* out) {
  out->push_back('{');
  for (const Resource& resource : input.data) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(resource.name, out);
    out->push_back(':');
    out->append(resource.json);
  }
  AppendLinks(input, out);
  out->push_back('}');
}

// More than the members besides the resources usually take, so that the body is allocated once.
constexpr size_t kEnvelopeBytes = 2048;

std::string RenderBody(const EventInput& input, const Uuid& id, absl::Time time) {
  size_t resource_bytes = 0;
  for (const Resource& resource : input.data) {
    resource_bytes += resource.name.size() + resource.json.size();
  }
  std::string body;
  body.reserve(kEnvelopeBytes + resource_bytes);
  absl::StrAppend(&body, "{\"id\":\"", id.ToString(), "\",\"timestamp\":\"");
  AppendTimestamp(time, &body);
  body.append("\",\"event\":");
  AppendJsonString(input.type, &body);
  body.append(",\"organization\":");
  AppendJsonString(input.organization, &body);
  body.append(",\"activity\":");
  AppendActivity(input, time, &body);
  body.append(",\"data\":");
  AppendData(input, &body);
  body.push_back('}');
  body.shrink_to_fit();  // It is kept for as long as somebody is owed the event.
  return body;
}

std::vector<std::string> PathOf(const EventInput& input, const TranslateContext& context) {
  if (!input.organization_path.empty()) return input.organization_path;
  if (!context.organization_path.empty()) return context.organization_path;
  return {input.organization};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Event>> Translate(const EventInput& input,
                                                       const TranslateContext& context) {
  RETURN_IF_ERROR(ValidateEvent(input, context.now));
  ASSIGN_OR_RETURN(EventInput normal, Normalize(input));
  auto event = std::make_shared<Event>();
  const std::optional<Uuid> given_id = Uuid::Parse(normal.id);
  event->id = given_id.has_value() ? *given_id : Uuid::Version7(context.now, context.random);
  event->time = normal.time.value_or(context.now);
  event->content_hash = HashContent(normal);
  event->body = RenderBody(normal, event->id, event->time);
  if (event->body.size() > context.body_bytes_max) {
    return InvalidField("data", absl::StrCat("the event's body would have ", event->body.size(),
                                             " bytes; the limit is ", context.body_bytes_max));
  }
  event->organization_path = PathOf(normal, context);
  event->organization = std::move(normal.organization);
  event->type = std::move(normal.type);
  event->ordering_key = std::move(normal.ordering_key);
  event->targets = std::move(normal.targets);
  event->traceparent = std::move(normal.traceparent);
  event->expire_time = normal.expire_time;
  event->about = std::move(normal.about);
  return event;
}

}  // namespace postrider
