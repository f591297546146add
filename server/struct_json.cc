#include "server/struct_json.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/accept/json_writer.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

// Writes one Struct; remembers where it is, for errors.
class Writer {
 public:
  explicit Writer(absl::string_view field) : field_(field) {}

  absl::Status WriteStruct(const Struct& object);
  std::string TakeText() { return std::move(text_); }

 private:
  using Step = std::variant<const std::string*, int>;  // A key, or an index.

  absl::Status WriteValue(const Value& value);
  absl::Status WriteList(const ListValue& list);
  absl::Status WriteNumber(double number);
  absl::Status Invalid(absl::string_view problem) const;
  absl::Status CheckDepth() const;

  const absl::string_view field_;
  std::string text_;
  std::vector<Step> path_;
};

absl::Status Writer::Invalid(absl::string_view problem) const {
  std::string path(field_);
  for (const Step& step : path_) {
    if (const auto* key = std::get_if<const std::string*>(&step)) {
      absl::StrAppend(&path, ".", **key);
    } else {
      absl::StrAppend(&path, "[", std::get<int>(step), "]");
    }
  }
  return InvalidField(path, problem);
}

absl::Status Writer::CheckDepth() const {
  if (path_.size() >= static_cast<size_t>(kJsonDepthMax)) {
    return InvalidField(field_, absl::StrCat("is nested deeper than ", kJsonDepthMax, " levels"));
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteStruct(const Struct& object) {
  RETURN_IF_ERROR(CheckDepth());
  std::vector<const std::string*> keys;
  keys.reserve(object.fields().size());
  for (const auto& entry : object.fields()) {
    keys.push_back(&entry.first);
  }
  std::sort(keys.begin(), keys.end(),
            [](const auto* a, const auto* b) { return JsonKeyLess(*a, *b); });
  text_ += '{';
  for (const std::string* key : keys) {
    if (key != keys.front()) text_ += ',';
    AppendJsonString(*key, &text_);
    text_ += ':';
    path_.emplace_back(key);
    RETURN_IF_ERROR(WriteValue(object.fields().at(*key)));
    path_.pop_back();
  }
  text_ += '}';
  return absl::OkStatus();
}

absl::Status Writer::WriteList(const ListValue& list) {
  RETURN_IF_ERROR(CheckDepth());
  text_ += '[';
  for (int i = 0; i < list.values_size(); ++i) {
    if (i > 0) text_ += ',';
    path_.emplace_back(i);
    RETURN_IF_ERROR(WriteValue(list.values(i)));
    path_.pop_back();
  }
  text_ += ']';
  return absl::OkStatus();
}

absl::Status Writer::WriteNumber(double number) {
  if (!AppendJsonNumber(number, &text_)) {
    return Invalid("is NaN or infinite, which JSON can't say");
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteValue(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNullValue: text_ += "null"; return absl::OkStatus();
    case Value::kBoolValue: text_ += value.bool_value() ? "true" : "false"; return absl::OkStatus();
    case Value::kNumberValue: return WriteNumber(value.number_value());
    case Value::kStringValue:
      AppendJsonString(value.string_value(), &text_);
      return absl::OkStatus();
    case Value::kStructValue: return WriteStruct(value.struct_value());
    case Value::kListValue: return WriteList(value.list_value());
    case Value::KIND_NOT_SET: return Invalid("has no kind of value set");
  }
  return Invalid("has an unknown kind of value");
}

}  // namespace

absl::StatusOr<std::string> StructToJson(absl::string_view field, const Struct& object) {
  Writer writer(field);
  RETURN_IF_ERROR(writer.WriteStruct(object));
  return writer.TakeText();
}

}  // namespace postrider
