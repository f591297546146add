#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/arguments.h"
#include "google/protobuf/timestamp.pb.h"

// What a flag's text stands for. None if the flag was not given, INVALID_ARGUMENT if it can't be
// read.
namespace postrider {

// RFC 3339.
absl::StatusOr<std::optional<google::protobuf::Timestamp>> TimeOf(const Arguments& arguments,
                                                                  const std::string& flag);

// As absl::ParseDuration(), finite.
absl::StatusOr<std::optional<absl::Duration>> DurationOf(const Arguments& arguments,
                                                         const std::string& flag);

absl::StatusOr<std::optional<double>> NumberOf(const Arguments& arguments, const std::string& flag);

// Sets an enum from its value's name with or without `prefix`, in any case; leaves it as it is if
// the flag was not given.
template <typename Enum>
absl::Status SetEnum(const Arguments& arguments, const std::string& flag, const std::string& prefix,
                     bool (*parse)(google::protobuf::ConstStringParam, Enum*), Enum* value) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (!text.has_value()) return absl::OkStatus();
  const std::string name = absl::AsciiStrToUpper(*text);
  if (!parse(name, value) && !parse(prefix + name, value)) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag, " can't be `", *text, "`"));
  }
  return absl::OkStatus();
}

}  // namespace postrider
