#include "client/event_input.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/flag_values.h"
#include "gateway/base/status.h"
#include "google/protobuf/util/json_util.h"

namespace postrider {
namespace {

absl::Status SetData(const Arguments& arguments, const CommandWorld& world, v1::Event* event) {
  ASSIGN_OR_RETURN(const auto resources, arguments.Pairs("json-data"));
  for (const auto& [name, value] : resources) {
    std::string json = value;
    if (absl::StartsWith(value, "@")) {
      ASSIGN_OR_RETURN(json, world.read_file(value.substr(1)));
    }
    (*event->mutable_data())[name].set_json(json);
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> EventFlags() {
  return {"organization", "type",        "id",         "time",    "organization-path",
          "json-data",    "link",        "target",     "summary", "activity-type",
          "ordering-key", "expire-time", "traceparent"};
}

absl::StatusOr<v1::Event> EventFromFlags(const Arguments& arguments, const CommandWorld& world) {
  RETURN_IF_ERROR(arguments.RequireWords(0, "only flags"));
  RETURN_IF_ERROR(arguments.Require({"organization", "type"}));
  v1::Event event;
  event.set_organization(arguments.Get("organization"));
  event.set_type(arguments.Get("type"));
  event.set_id(arguments.Get("id"));
  event.set_ordering_key(arguments.Get("ordering-key"));
  event.set_traceparent(arguments.Get("traceparent"));
  for (const absl::string_view part :
       absl::StrSplit(arguments.Get("organization-path"), ',', absl::SkipEmpty())) {
    event.add_organization_path(std::string(part));
  }
  for (const std::string& target : arguments.All("target")) {
    event.add_targets(target);
  }
  if (arguments.Find("summary").has_value()) {
    event.mutable_activity()->set_summary(arguments.Get("summary"));
  }
  if (arguments.Find("activity-type").has_value()) {
    event.mutable_activity()->set_type(arguments.Get("activity-type"));
  }
  ASSIGN_OR_RETURN(const auto time, TimeOf(arguments, "time"));
  if (time.has_value()) *event.mutable_time() = *time;
  ASSIGN_OR_RETURN(const auto expire_time, TimeOf(arguments, "expire-time"));
  if (expire_time.has_value()) *event.mutable_expire_time() = *expire_time;
  ASSIGN_OR_RETURN(const auto links, arguments.Pairs("link"));
  for (const auto& [name, url] : links) {
    (*event.mutable_links())[name] = url;
  }
  RETURN_IF_ERROR(SetData(arguments, world, &event));
  return event;
}

absl::StatusOr<v1::Event> EventFromJson(const std::string& line) {
  v1::Event event;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &event);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("not an event in JSON: ", status.ToString()));
  }
  return event;
}

}  // namespace postrider
