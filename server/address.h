#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postrider {

// Where to listen.
struct ListenAddress {
  std::string host;  // An IP address without brackets.
  uint16_t port = 0;
  bool loopback = false;

  // As in URLs: IPv6 in brackets.
  std::string ToString() const;
};

// Reads `127.0.0.1:50051`, `[::1]:50051` or `localhost:50051`, which means the first. No other
// names: what they lead to could not be judged. INVALID_ARGUMENT, naming `field`, otherwise.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view field, absl::string_view text);

}  // namespace postrider
