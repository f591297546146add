#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace postrider {

// How many bytes at the beginning of `text` are whole, valid UTF-8: `text.size()` if all are.
// Overlong forms, surrogates and values above U+10FFFF are not valid.
size_t ValidUtf8Prefix(absl::string_view text);

// Whether `text` is valid UTF-8 throughout.
inline bool IsValidUtf8(absl::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

// The length of the valid UTF-8 sequence that `text` begins with, 1 to 4; 0 if it begins with none.
size_t Utf8SequenceBytes(absl::string_view text);

// Appends the UTF-8 form of `code_point`, which is at most U+10FFFF and no surrogate.
void AppendUtf8(char32_t code_point, std::string* out);

}  // namespace postrider
