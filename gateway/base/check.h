#pragma once

#include "absl/strings/string_view.h"

namespace postrider {

// Prints the place and ends the process. For what our own code has made impossible.
[[noreturn]] void CheckFailed(const char* file, int line, absl::string_view condition);

}  // namespace postrider

// Ends the process when `condition` is false, in every build. For programmers' errors only: nothing
// that a peer sends and nothing read from a file may make it fail.
#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) {                                         \
      ::postrider::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                           \
  } while (false)
