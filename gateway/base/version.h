#pragma once

#include "absl/strings/string_view.h"

namespace postrider {

// What the programs and the User-Agent header say; as in CMakeLists.txt.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace postrider
