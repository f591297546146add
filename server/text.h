#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace postrider {

// `text` with each byte that is not part of valid UTF-8 replaced by U+FFFD, as proto strings must
// be.
std::string ValidUtf8(absl::string_view text);

// The longest prefix of `text`, valid UTF-8, that is at most `bytes_max` bytes and ends between two
// characters; with `…` at its end, within the bound, if something was cut. `bytes_max` is at
// least 3.
std::string Truncated(absl::string_view text, size_t bytes_max);

}  // namespace postrider
