#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace postrider {

// Appends the JSON value `text` to `out` without whitespace, its strings escaped as JSON.stringify
// escapes them (json_writer.h). The order of keys, repeated keys and the text of numbers stay as
// given. An escape of half a surrogate pair stays an escape, in lower case.
//
// Strict (RFC 8259): INVALID_ARGUMENT of `field` with the byte's position, counted from 0, for
// whatever is malformed, for invalid UTF-8, and for arrays and objects nested deeper than
// kJsonDepthMax; then `out` is as it was. Takes time and memory in proportion to `text`, and no
// recursion.
absl::Status AppendCompactJson(absl::string_view field, absl::string_view text, std::string* out);

}  // namespace postrider
