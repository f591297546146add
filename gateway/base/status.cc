#include "gateway/base/status.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace postrider {

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
  status.SetPayload(kFieldPayload, absl::Cord(field));
  return status;
}

absl::Status WithFieldPrefix(absl::string_view prefix, const absl::Status& status) {
  const auto field = status.GetPayload(kFieldPayload);
  if (!field.has_value()) {
    return status;
  }
  const std::string old_path(*field);
  const absl::string_view separator = absl::StartsWith(old_path, "[") ? "" : ".";
  const std::string new_path = absl::StrCat(prefix, separator, old_path);
  absl::string_view problem = status.message();
  if (absl::ConsumePrefix(&problem, old_path)) {
    absl::ConsumePrefix(&problem, ": ");
  }
  absl::Status result(status.code(), absl::StrCat(new_path, ": ", problem));
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& value) { result.SetPayload(url, value); });
  result.SetPayload(kFieldPayload, absl::Cord(new_path));
  return result;
}

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  status.SetPayload(kReasonPayload, absl::Cord(reason));
  return status;
}

absl::Status WithResource(absl::Status status, absl::string_view type, absl::string_view name) {
  status.SetPayload(kResourcePayload, absl::Cord(absl::StrCat(type, ":", name)));
  return status;
}

absl::Status WithRetry(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryPayload, absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(delay))));
  return status;
}

}  // namespace postrider
