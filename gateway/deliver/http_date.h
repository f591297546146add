#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {

// Reads an HTTP date in its three forms (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`,
// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The day of the week is not
// compared. `now` places the two-digit year: at most 50 years ahead.
std::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now);

// How long a Retry-After header asks to wait: seconds, or a date that is compared with the
// response's own `date` header or, without a readable one, with `now`. At least 0 and at most
// kRetryAfterMax; nothing if it is neither form.
std::optional<absl::Duration> ParseRetryAfter(absl::string_view retry_after, absl::string_view date,
                                              absl::Time now);

// The `timeout` of a Keep-Alive header (`timeout=5, max=100`); nothing if there is none.
std::optional<absl::Duration> ParseKeepAliveTimeout(absl::string_view text);

}  // namespace postrider
