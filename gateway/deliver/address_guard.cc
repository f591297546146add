#include "gateway/deliver/address_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

// A range in a table: the last byte of IPv4 bases is followed by zeros.
struct Range {
  std::array<uint8_t, 16> base;
  int bits;
};

// What of IPv4 is not public unicast (the IANA special-purpose registry), and cloud metadata that
// hides in public space.
constexpr Range kDeniedV4[] = {
    {{0}, 8},                 // "This network".
    {{10}, 8},                // Private.
    {{100, 64}, 10},          // Carrier-grade NAT; Alibaba's metadata.
    {{127}, 8},               // Loopback.
    {{169, 254}, 16},         // Link-local; most clouds' metadata.
    {{172, 16}, 12},          // Private.
    {{192, 0, 0}, 24},        // Protocol assignments; Oracle's metadata.
    {{192, 0, 2}, 24},        // Documentation.
    {{192, 31, 196}, 24},     // AS112.
    {{192, 52, 193}, 24},     // AMT.
    {{192, 88, 99}, 24},      // 6to4 relays.
    {{192, 168}, 16},         // Private.
    {{192, 175, 48}, 24},     // AS112.
    {{198, 18}, 15},          // Benchmarking.
    {{198, 51, 100}, 24},     // Documentation.
    {{203, 0, 113}, 24},      // Documentation.
    {{224}, 4},               // Multicast.
    {{240}, 4},               // Reserved; broadcast.
    {{168, 63, 129, 16}, 32}  // Azure's metadata and DNS.
};

// Of IPv6 only this is public unicast...
constexpr Range kPublicV6 = {{0x20}, 3};

// ...but for these.
constexpr Range kDeniedV6[] = {
    {{0x20, 0x01, 0x00}, 23},                    // Protocol assignments; Teredo, ORCHID.
    {{0x20, 0x01, 0x0d, 0xb8}, 32},              // Documentation.
    {{0x20, 0x02}, 16},                          // 6to4: embeds IPv4.
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},  // AS112.
    {{0x3f, 0xff, 0x00}, 20},                    // Documentation.
    {{0x3f, 0xfe}, 16},                          // The former 6bone.
};

constexpr Range kMappedV4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};

// Names that never are anybody's on the public Internet, by their end.
constexpr absl::string_view kPrivateSuffixes[] = {
    ".local",         ".internal",    ".home.arpa", ".svc",
    ".cluster.local", ".localdomain", ".lan",       ".intranet",
};

// Names that DNS does not hold at all.
constexpr absl::string_view kUnreachableSuffixes[] = {".onion", ".alt", ".invalid"};

// Ports above 1023 where something other than a web server listens: databases, brokers, and what
// browsers refuse for the same reason. Below 1024 only 80 and 443 are allowed.
constexpr uint16_t kDeniedPorts[] = {
    1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379,  2380,  3306,  3389,
    3659, 4045, 4190, 5060, 5061, 5432, 5672, 5984, 6000, 6379,  6566,  6665,  6666,
    6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 10250, 11211, 27017,
};

bool HasPrefix(const std::array<uint8_t, 16>& address, const std::array<uint8_t, 16>& base,
               int bits) {
  const int whole = bits / 8;
  if (std::memcmp(address.data(), base.data(), static_cast<size_t>(whole)) != 0) {
    return false;
  }
  const int rest = bits % 8;
  if (rest == 0) {
    return true;
  }
  const auto at = static_cast<size_t>(whole);
  return ((address[at] ^ base[at]) >> (8 - rest)) == 0;
}

template <typename Ranges>
bool InAny(const Ranges& ranges, const IpAddress& address) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
    return HasPrefix(address.bytes, range.base, range.bits);
  });
}

// The IPv4 address in the last four bytes.
IpAddress LastFour(const IpAddress& address) {
  return IpAddress::V4(address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]);
}

// Whether the interface identifier is ISATAP's, which embeds an IPv4 address.
bool IsIsatap(const IpAddress& address) {
  const auto& b = address.bytes;
  return (b[8] & 0xfd) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe;
}

bool IsPublic(const IpAddress& address) {
  if (!address.v6) {
    return !InAny(kDeniedV4, address);
  }
  if (HasPrefix(address.bytes, kMappedV4.base, kMappedV4.bits)) {
    return IsPublic(LastFour(address));
  }
  if (!HasPrefix(address.bytes, kPublicV6.base, kPublicV6.bits) || InAny(kDeniedV6, address)) {
    return false;
  }
  return !IsIsatap(address) || IsPublic(LastFour(address));
}

// A mapped address is the IPv4 one to whoever connects to it.
IpAddress Unmapped(const IpAddress& address) {
  const bool mapped = address.v6 && HasPrefix(address.bytes, kMappedV4.base, kMappedV4.bits);
  return mapped ? LastFour(address) : address;
}

absl::Status Invalid(absl::string_view problem) { return InvalidField("url", problem); }

template <typename Suffixes>
bool EndsWithAny(absl::string_view host, const Suffixes& suffixes) {
  return std::any_of(std::begin(suffixes), std::end(suffixes), [&](absl::string_view suffix) {
    return absl::EndsWith(host, suffix) || host == suffix.substr(1);
  });
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  address.v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

IpAddress IpAddress::V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.bytes = {a, b, c, d};
  return address;
}

std::optional<IpAddress> IpAddress::OfHost(const Url& url) {
  if (url.host_kind == Url::HostKind::kName) {
    return std::nullopt;
  }
  return IpAddress{.v6 = url.host_kind == Url::HostKind::kIpv6, .bytes = url.address};
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text));
}

std::optional<Cidr> Cidr::Parse(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  const std::optional<IpAddress> base = IpAddress::Parse(parts[0]);
  if (!base.has_value()) {
    return std::nullopt;
  }
  Cidr cidr{.base = *base, .bits = base->v6 ? 128 : 32};
  if (parts.size() == 2) {
    int bits = 0;
    if (!absl::SimpleAtoi(parts[1], &bits) || bits < 0 || bits > cidr.bits) {
      return std::nullopt;
    }
    cidr.bits = bits;
  }
  for (size_t i = 0; i < cidr.base.bytes.size(); ++i) {
    const int kept = std::clamp(cidr.bits - static_cast<int>(i) * 8, 0, 8);
    cidr.base.bytes[i] &= static_cast<uint8_t>(0xff << (8 - kept));
  }
  return cidr;
}

bool Cidr::Contains(const IpAddress& address) const {
  return address.v6 == base.v6 && HasPrefix(address.bytes, base.bytes, bits);
}

absl::StatusOr<AddressGuard> AddressGuard::Create(const std::vector<std::string>& allow_cidrs,
                                                  bool allow_http) {
  AddressGuard guard;
  guard.allow_http_ = allow_http;
  for (const std::string& text : allow_cidrs) {
    const std::optional<Cidr> cidr = Cidr::Parse(text);
    if (!cidr.has_value()) {
      return InvalidField(
          "allow_cidrs", absl::StrCat("\"", text, "\" is no range such as 10.0.0.0/8 or fd00::/8"));
    }
    guard.allowed_.push_back(*cidr);
  }
  return guard;
}

bool AddressGuard::Allows(const IpAddress& address) const {
  const IpAddress actual = Unmapped(address);
  const bool listed = std::any_of(allowed_.begin(), allowed_.end(),
                                  [&](const Cidr& cidr) { return cidr.Contains(actual); });
  return listed || IsPublic(actual);
}

bool AddressGuard::AllowsAll(absl::Span<const IpAddress> addresses) const {
  return std::all_of(addresses.begin(), addresses.end(),
                     [this](const IpAddress& address) { return Allows(address); });
}

absl::Status AddressGuard::CheckUrl(const Url& url) const {
  if (!url.https && !allow_http_) {
    return Invalid("must begin with https://; this gateway does not allow http");
  }
  const std::optional<IpAddress> literal = IpAddress::OfHost(url);
  if (!literal.has_value()) {
    RETURN_IF_ERROR(CheckName(url));
    return CheckPort(url);
  }
  if (!Allows(*literal)) {
    return Invalid("the address is not a public one");
  }
  return IsPublic(*literal) ? CheckPort(url) : absl::OkStatus();
}

absl::Status AddressGuard::CheckName(const Url& url) const {
  if (EndsWithAny(url.host, kUnreachableSuffixes)) {
    return Invalid(absl::StrCat("the host ", url.host, " is no name of the DNS"));
  }
  if (url.host == "localhost" || absl::EndsWith(url.host, ".localhost")) {
    return Allows(IpAddress::V4(127, 0, 0, 1))
               ? absl::OkStatus()
               : Invalid("the host localhost is this gateway's own machine");
  }
  // With ranges of its own an operator may well have names of its own.
  const bool is_private =
      !absl::StrContains(url.host, '.') || EndsWithAny(url.host, kPrivateSuffixes);
  if (is_private && allowed_.empty()) {
    return Invalid(absl::StrCat("the host ", url.host, " is not a public name"));
  }
  return absl::OkStatus();
}

absl::Status AddressGuard::CheckPort(const Url& url) const {
  const bool low = url.port < 1024 && url.port != 80 && url.port != 443;
  if (low || std::binary_search(std::begin(kDeniedPorts), std::end(kDeniedPorts), url.port)) {
    return Invalid(absl::StrCat("port ", url.port,
                                " is another service's; allowed are 443, 80 and most above 1023"));
  }
  return absl::OkStatus();
}

}  // namespace postrider
