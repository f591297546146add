#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {

// Payload URLs by which a Status carries what the gRPC door turns into error details. The values
// are plain text; server/convert.cc is the only reader.
inline constexpr absl::string_view kFieldPayload =
    "postrider/field";  // A field's path: `event.type`.
inline constexpr absl::string_view kReasonPayload =
    "postrider/reason";  // UPPER_SNAKE_CASE, at most 63.
inline constexpr absl::string_view kResourcePayload = "postrider/resource";  // `event:774ae370-…`.
inline constexpr absl::string_view kRetryPayload = "postrider/retry";  // Milliseconds, decimal.

// INVALID_ARGUMENT "<field>: <problem>"; `problem` says what is wrong and the limit.
absl::Status InvalidField(absl::string_view field, absl::string_view problem);

// `status` with its field path put behind `prefix` (`event` + `data["x"]` = `event.data["x"]`), in
// the payload and in the message. A status without a field is returned as it is.
absl::Status WithFieldPrefix(absl::string_view prefix, const absl::Status& status);

// `status` with a machine-readable reason, for ErrorInfo.
absl::Status WithReason(absl::Status status, absl::string_view reason);

// `status` with the resource that it is about, for ResourceInfo: a type and a name.
absl::Status WithResource(absl::Status status, absl::string_view type, absl::string_view name);

// `status` with the time after which the caller may try again, for RetryInfo.
absl::Status WithRetry(absl::Status status, absl::Duration delay);

}  // namespace postrider

#define POSTRIDER_CONCAT_INNER(a, b) a##b
#define POSTRIDER_CONCAT(a, b) POSTRIDER_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expression`, an absl::Status, is not OK.
#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

// Assigns the value of `expression`, an absl::StatusOr, to `target`, or returns its status.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_INNER(POSTRIDER_CONCAT(status_or_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_INNER(name, target, expression) \
  auto name = (expression);                              \
  if (!name.ok()) {                                      \
    return name.status();                                \
  }                                                      \
  target = *std::move(name)
