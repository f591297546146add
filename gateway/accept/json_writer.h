#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Pieces of JSON text as ECMAScript's JSON.stringify writes them, so that a receiver which parses a
// body and stringifies it again gets the same bytes. Thread-safe: pure functions.
namespace postrider {

// Appends `utf8` as a JSON string with its quotes. Escaped are `"`, `\` and what is below U+0020
// (`\b \f \n \r \t`, else `\u00xx` in lower case); all else stays as it is. `utf8` is valid UTF-8;
// its bytes are not checked here (see utf8.h).
void AppendJsonString(absl::string_view utf8, std::string* out);

// The same without the quotes.
void AppendJsonEscaped(absl::string_view utf8, std::string* out);

// Appends `value` as ECMAScript's Number::toString: the shortest digits that give `value` again,
// -0 as `0`, 1e21 as `1e+21`, 1e-7 as `1e-7`. False, and nothing appended, for NaN and infinities,
// which JSON has not.
[[nodiscard]] bool AppendJsonNumber(double value, std::string* out);

// The order in which a Struct's keys are written: first the keys that ECMAScript counts as array
// indexes (`0` to `4294967294` without leading zeros) by their value, for that is where it puts
// them whatever their place in the text; then the others by their UTF-8 bytes, which is the order
// of code points. A strict total order, for std::sort.
bool JsonKeyLess(absl::string_view a, absl::string_view b);

}  // namespace postrider
