#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postrider {

// Stands for a secret part of what is shown.
inline constexpr absl::string_view kHidden = "********";

// Where a subscription's events are POSTed to, taken apart. Made only by ParseUrl().
struct Url {
  enum class HostKind { kName, kIpv4, kIpv6 };

  bool https = true;
  HostKind host_kind = HostKind::kName;
  std::string host;                   // Lower-case; without brackets and without a trailing dot.
  std::array<uint8_t, 16> address{};  // Of a literal, in network order; IPv4 in the first four.
  uint16_t port = 0;                  // Never 0.
  std::string target;  // Path and query: what the request line says. Begins with '/'.
  bool has_credentials = false;
  std::string credentials;  // `user:password`, percent-decoded: a secret.

  // `https://host:port`, the port always written: what connections are shared by.
  std::string origin() const;

  // The value of the Host header: the port only if it is not the scheme's own.
  std::string authority() const;

  // The URL for people and logs: kHidden in the place of credentials.
  std::string Redacted() const;
};

// Reads an absolute http or https URL, strictly: what two programs could read differently is
// refused. INVALID_ARGUMENT on the field `url` says which part is wrong and never repeats
// credentials. Pure: whether the place may be sent to is AddressGuard's to say.
absl::StatusOr<Url> ParseUrl(absl::string_view text);

// The origin of a URL; empty if it is none.
std::string OriginOfUrl(absl::string_view text);

}  // namespace postrider
