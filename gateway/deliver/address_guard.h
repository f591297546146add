#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/model/url.h"

namespace postrider {

// An IP address; IPv4 is in the first four bytes, the others are 0.
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};

  // Reads the strict forms: a dotted quad of decimal numbers, or IPv6 without a zone.
  static std::optional<IpAddress> Parse(absl::string_view text);
  static IpAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

  // The literal that is `url`'s host, if it is one.
  static std::optional<IpAddress> OfHost(const Url& url);

  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
struct Cidr {
  IpAddress base;  // The bits after `bits` are 0.
  int bits = 0;

  static std::optional<Cidr> Parse(absl::string_view text);

  bool Contains(const IpAddress& address) const;
};

// Decides which places may be delivered to, so that a subscription is no way into our own network.
//
// Public unicast addresses are allowed; everything the IANA registries reserve, what embeds an IPv4
// address, and the clouds' metadata addresses are not, unless a range of the operator's allows
// them: those are asked first. Immutable; copies are cheap enough to give each loop its own.
class AddressGuard {
 public:
  // Allows public addresses by https only.
  AddressGuard() = default;

  // INVALID_ARGUMENT on the field `allow_cidrs` if one is not a range.
  static absl::StatusOr<AddressGuard> Create(const std::vector<std::string>& allow_cidrs,
                                             bool allow_http);

  // Whether one address may be connected to.
  bool Allows(const IpAddress& address) const;

  // Whether a name that resolved to `addresses` may: all of them must be allowed, so that no
  // fallback among them leads inside.
  bool AllowsAll(absl::Span<const IpAddress> addresses) const;

  // What can be said when a subscription is made, for a clear answer: the scheme, the port, an
  // address in the URL and names that are never public. INVALID_ARGUMENT on the field `url`. What
  // counts is the check of the addresses at each connect.
  absl::Status CheckUrl(const Url& url) const;

 private:
  absl::Status CheckName(const Url& url) const;
  absl::Status CheckPort(const Url& url) const;

  std::vector<Cidr> allowed_;
  bool allow_http_ = false;
};

}  // namespace postrider
