#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {

// INVALID_ARGUMENT unless `time` lies in the years 0001 to 9999, which RFC 3339 can write.
absl::Status ValidateTimestamp(absl::string_view field, absl::Time time);

// Appends `time` as RFC 3339 in UTC: `2017-03-07T00:24:45.607Z`, without the fraction where the
// milliseconds are zero. What is below a millisecond is cut, towards the past. `time` is valid as
// ValidateTimestamp has it.
void AppendTimestamp(absl::Time time, std::string* out);

}  // namespace postrider
