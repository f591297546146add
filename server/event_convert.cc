#include "server/event_convert.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "server/struct_json.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using Party = ActivityInput::Party;

absl::Status OptionalTime(absl::string_view field, bool present,
                          const google::protobuf::Timestamp& timestamp,
                          std::optional<absl::Time>* result) {
  if (present) {
    ASSIGN_OR_RETURN(*result, TimeFromProto(field, timestamp));
  }
  return absl::OkStatus();
}

std::optional<Party> PartyFromProto(bool present, const v1::ActivityParty& party) {
  if (!present) return std::nullopt;
  return Party{party.id(), party.type(), party.name()};
}

absl::StatusOr<ActivityInput> ActivityFromProto(absl::string_view event_path,
                                                const v1::Activity& activity) {
  ActivityInput input;
  input.present = true;
  input.type = activity.type();
  input.actor = PartyFromProto(activity.has_actor(), activity.actor());
  input.object = PartyFromProto(activity.has_object(), activity.object());
  input.target = PartyFromProto(activity.has_target(), activity.target());
  RETURN_IF_ERROR(OptionalTime(absl::StrCat(event_path, ".activity.published"),
                               activity.has_published(), activity.published(), &input.published));
  input.summary = activity.summary();
  return input;
}

absl::StatusOr<Resource> ResourceFromProto(absl::string_view event_path, const std::string& name,
                                           const v1::Resource& resource) {
  const std::string path = absl::StrCat(event_path, ".data[\"", absl::Utf8SafeCEscape(name), "\"]");
  RETURN_IF_ERROR(RefuseUnknownFields(path, resource));
  switch (resource.content_case()) {
    case v1::Resource::kStruct: {
      ASSIGN_OR_RETURN(std::string json,
                       StructToJson(absl::StrCat(path, ".struct"), resource.struct_()));
      return Resource{name, std::move(json), /*canonical=*/true};
    }
    case v1::Resource::kJson: return Resource{name, resource.json(), /*canonical=*/false};
    case v1::Resource::CONTENT_NOT_SET: break;
  }
  return InvalidField(path, "has no content; `struct` or `json` must be given");
}

template <typename Proto>
void SetReceipt(const PublishReceipt& receipt, Proto* result) {
  result->set_id(receipt.id.ToString());
  TimeToProto(receipt.accept_time, result->mutable_accept_time());
  result->set_duplicate(receipt.duplicate);
}

}  // namespace

absl::StatusOr<EventInput> EventFromProto(absl::string_view path, const v1::Event& event) {
  RETURN_IF_ERROR(RefuseUnknownFields(path, event));
  EventInput input;
  input.id = event.id();
  input.type = event.type();
  RETURN_IF_ERROR(
      OptionalTime(absl::StrCat(path, ".time"), event.has_time(), event.time(), &input.time));
  input.organization = event.organization();
  input.organization_path.assign(event.organization_path().begin(),
                                 event.organization_path().end());
  if (event.has_activity()) {
    ASSIGN_OR_RETURN(input.activity, ActivityFromProto(path, event.activity()));
  }
  for (const auto& entry : event.data()) {
    ASSIGN_OR_RETURN(Resource resource, ResourceFromProto(path, entry.first, entry.second));
    input.data.push_back(std::move(resource));
  }
  for (const auto& entry : event.links()) {
    input.links.emplace_back(entry.first, entry.second);
  }
  input.ordering_key = event.ordering_key();
  input.targets.assign(event.targets().begin(), event.targets().end());
  input.traceparent = event.traceparent();
  RETURN_IF_ERROR(OptionalTime(absl::StrCat(path, ".expire_time"), event.has_expire_time(),
                               event.expire_time(), &input.expire_time));
  return input;
}

void ReceiptToProto(const PublishReceipt& receipt, v1::PublishResponse* response) {
  SetReceipt(receipt, response);
}

void ReceiptToProto(const PublishReceipt& receipt, v1::PublishReceipt* result) {
  SetReceipt(receipt, result);
}

void StoredEventToProto(const LogEntry& entry, bool with_body, v1::StoredEvent* result) {
  const Event& event = *entry.event;
  result->set_id(event.id.ToString());
  result->set_type(event.type);
  TimeToProto(event.time, result->mutable_time());
  result->set_organization(event.organization);
  result->mutable_organization_path()->Assign(event.organization_path.begin(),
                                              event.organization_path.end());
  result->set_ordering_key(event.ordering_key);
  result->mutable_targets()->Assign(event.targets.begin(), event.targets.end());
  result->set_traceparent(event.traceparent);
  if (event.expire_time.has_value()) {
    TimeToProto(*event.expire_time, result->mutable_expire_time());
  }
  TimeToProto(entry.accept_time, result->mutable_accept_time());
  if (with_body) {
    result->set_body(event.body);
  }
  result->set_body_bytes(static_cast<int64_t>(event.body.size()));
}

}  // namespace postrider
