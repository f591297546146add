#include "server/config_fields.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gateway/base/status.h"
#include "google/protobuf/duration.pb.h"
#include "server/time_convert.h"

namespace postrider {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A field of a configuration that is being set.
struct Target {
  const FieldDescriptor& field;
  Message* message;
  const Reflection& reflection;
};

bool SetBool(const Target& target, absl::string_view text) {
  bool value = false;
  if (!absl::SimpleAtob(text, &value)) return false;
  target.reflection.SetBool(target.message, &target.field, value);
  return true;
}

bool SetInt32(const Target& target, absl::string_view text) {
  int32_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return false;
  target.reflection.SetInt32(target.message, &target.field, value);
  return true;
}

bool SetInt64(const Target& target, absl::string_view text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return false;
  target.reflection.SetInt64(target.message, &target.field, value);
  return true;
}

bool SetEnum(const Target& target, absl::string_view text) {
  const EnumValueDescriptor* value =
      target.field.enum_type()->FindValueByName(absl::AsciiStrToUpper(text));
  if (value == nullptr) return false;
  target.reflection.SetEnum(target.message, &target.field, value);
  return true;
}

bool SetString(const Target& target, absl::string_view text) {
  if (target.field.is_repeated()) {
    target.reflection.AddString(target.message, &target.field, std::string(text));
  } else {
    target.reflection.SetString(target.message, &target.field, std::string(text));
  }
  return true;
}

// The only messages in a configuration are durations.
bool SetDuration(const Target& target, absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration == absl::InfiniteDuration() ||
      duration == -absl::InfiniteDuration()) {
    return false;
  }
  Message* message = target.field.is_repeated()
                         ? target.reflection.AddMessage(target.message, &target.field)
                         : target.reflection.MutableMessage(target.message, &target.field);
  google::protobuf::Duration value;
  DurationToProto(duration, &value);
  message->CopyFrom(value);
  return true;
}

// False if the text can't be read as the field's type.
bool SetOne(const Target& target, absl::string_view text) {
  switch (target.field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: return SetBool(target, text);
    case FieldDescriptor::CPPTYPE_INT32: return SetInt32(target, text);
    case FieldDescriptor::CPPTYPE_INT64: return SetInt64(target, text);
    case FieldDescriptor::CPPTYPE_ENUM: return SetEnum(target, text);
    case FieldDescriptor::CPPTYPE_STRING: return SetString(target, text);
    case FieldDescriptor::CPPTYPE_MESSAGE: return SetDuration(target, text);
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: break;
  }
  return false;
}

absl::string_view Wanted(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM: return "VERIFICATION_NONE or VERIFICATION_CHALLENGE";
    case FieldDescriptor::CPPTYPE_MESSAGE: return "a duration such as 1m30s";
    case FieldDescriptor::CPPTYPE_STRING: return "a text";
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: break;
  }
  return "a whole number";
}

}  // namespace

std::string FlagOf(const FieldDescriptor& field) {
  return absl::StrCat("--", absl::StrReplaceAll(std::string(field.name()), {{"_", "-"}}));
}

std::string VariableOf(const FieldDescriptor& field) {
  return absl::StrCat("POSTRIDER_", absl::AsciiStrToUpper(std::string(field.name())));
}

absl::Status SetFieldFromText(absl::string_view source, absl::string_view text,
                              const FieldDescriptor& field, config::v1::Config* config) {
  const Target target{field, config, *config->GetReflection()};
  std::vector<absl::string_view> parts = {text};
  if (field.is_repeated()) {
    target.reflection.ClearField(config, &field);
    parts = absl::StrSplit(text, ',', absl::SkipWhitespace());
  }
  for (const absl::string_view part : parts) {
    if (!SetOne(target, absl::StripAsciiWhitespace(part))) {
      return InvalidField(source, absl::StrCat("is `", part, "`; it must be ", Wanted(field)));
    }
  }
  return absl::OkStatus();
}

}  // namespace postrider
