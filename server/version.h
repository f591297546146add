#pragma once

namespace postrider {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace postrider
