#include "server/address.h"

#include <arpa/inet.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr uint32_t kPortMax = 65535;

absl::Status NotAnAddress(absl::string_view field, absl::string_view text) {
  return InvalidField(field, absl::StrCat("is `", text,
                                          "`; it must be an IP address and a port, such as "
                                          "127.0.0.1:50051 or [::1]:50051"));
}

bool IsLoopback4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool IsIp(int family, const std::string& host) {
  in6_addr address{};  // Large enough for either.
  return inet_pton(family, host.c_str(), &address) == 1;
}

bool IsLoopback6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address) != 0;
}

}  // namespace

std::string ListenAddress::ToString() const {
  const bool bracketed = absl::StrContains(host, ":");
  return absl::StrCat(bracketed ? "[" : "", host, bracketed ? "]:" : ":", port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view field, absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > kPortMax) {
    return NotAnAddress(field, text);
  }
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  ListenAddress address;
  address.host = host == "localhost" && !bracketed ? "127.0.0.1" : std::string(host);
  address.port = static_cast<uint16_t>(port);
  if (!IsIp(bracketed ? AF_INET6 : AF_INET, address.host)) {
    return NotAnAddress(field, text);
  }
  address.loopback = bracketed ? IsLoopback6(address.host) : IsLoopback4(address.host);
  return address;
}

}  // namespace postrider
