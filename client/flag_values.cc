#include "client/flag_values.h"

#include "absl/strings/numbers.h"
#include "google/protobuf/util/time_util.h"

namespace postrider {
namespace {

absl::Status Unreadable(const std::string& flag, const std::string& text,
                        absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " is `", text, "`; it must be ", expected));
}

}  // namespace

absl::StatusOr<std::optional<google::protobuf::Timestamp>> TimeOf(const Arguments& arguments,
                                                                  const std::string& flag) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (!text.has_value()) return std::nullopt;
  google::protobuf::Timestamp time;
  if (!google::protobuf::util::TimeUtil::FromString(*text, &time)) {
    return Unreadable(flag, *text, "a time such as 2018-12-19T19:09:01Z");
  }
  return time;
}

absl::StatusOr<std::optional<absl::Duration>> DurationOf(const Arguments& arguments,
                                                         const std::string& flag) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (!text.has_value()) return std::nullopt;
  absl::Duration duration;
  if (!absl::ParseDuration(*text, &duration) ||
      absl::AbsDuration(duration) == absl::InfiniteDuration()) {
    return Unreadable(flag, *text, "a duration such as 36h");
  }
  return duration;
}

absl::StatusOr<std::optional<double>> NumberOf(const Arguments& arguments,
                                               const std::string& flag) {
  const std::optional<std::string> text = arguments.Find(flag);
  if (!text.has_value()) return std::nullopt;
  double number = 0;
  if (!absl::SimpleAtod(*text, &number)) return Unreadable(flag, *text, "a number");
  return number;
}

}  // namespace postrider
