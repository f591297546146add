#include "gateway/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace postrider {

void CheckFailed(const char* file, int line, absl::string_view condition) {
  const std::string text(condition);
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text.c_str());
  std::abort();
}

}  // namespace postrider
