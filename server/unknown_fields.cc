#include "server/unknown_fields.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/base/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace postrider {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct UnknownField {
  std::string path;  // Of the message that has it; empty for the outermost.
  std::string message_name;
  int number = 0;
};

std::optional<UnknownField> FindIn(const Message& message);

// As FindIn(message), with `name` before the path. The path is only built when something is found.
std::optional<UnknownField> FindBelow(const Message& message, absl::string_view name,
                                      std::optional<int> index) {
  std::optional<UnknownField> found = FindIn(message);
  if (found.has_value()) {
    const std::string step =
        index.has_value() ? absl::StrCat(name, "[", *index, "]") : std::string(name);
    found->path = found->path.empty() ? step : absl::StrCat(step, ".", found->path);
  }
  return found;
}

std::optional<UnknownField> FindInField(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const absl::string_view name(field.name().data(), field.name().size());
  if (!field.is_repeated()) {
    if (!reflection.HasField(message, &field)) return std::nullopt;
    return FindBelow(reflection.GetMessage(message, &field), name, std::nullopt);
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    auto found = FindBelow(reflection.GetRepeatedMessage(message, &field, i), name, i);
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

std::optional<UnknownField> FindIn(const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  const Descriptor& descriptor = *message.GetDescriptor();
  if (!unknown.empty()) {
    return UnknownField{"", std::string(descriptor.full_name()), unknown.field(0).number()};
  }
  if (descriptor.well_known_type() == Descriptor::WELLKNOWNTYPE_STRUCT) {
    return std::nullopt;
  }
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_map()) continue;
    auto found = FindInField(message, field);
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

}  // namespace

absl::Status RefuseUnknownFields(absl::string_view path, const Message& message) {
  const std::optional<UnknownField> found = FindIn(message);
  if (!found.has_value()) {
    return absl::OkStatus();
  }
  const absl::string_view separator = path.empty() || found->path.empty() ? "" : ".";
  const std::string full_path = absl::StrCat(path, separator, found->path);
  const std::string problem =
      absl::StrCat("has the unknown field ", found->number, ": ", found->message_name,
                   " of this gateway does not have it");
  absl::Status status = full_path.empty()
                            ? absl::InvalidArgumentError(absl::StrCat("the request ", problem))
                            : InvalidField(full_path, problem);
  return WithReason(std::move(status), "UNKNOWN_FIELD");
}

}  // namespace postrider
