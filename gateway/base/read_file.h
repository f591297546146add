#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace postrider {

// What is in the file, at most kFileBytesMax of it. NOT_FOUND, with the path, if it is not there or
// can't be read, such as a directory; INVALID_ARGUMENT if it is longer. Waits for the disk.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace postrider
