#include "gateway/model/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr size_t kHostBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;
constexpr absl::string_view kHexDigits = "0123456789ABCDEF";

absl::Status Invalid(absl::string_view problem) { return InvalidField("url", problem); }

uint16_t DefaultPort(bool https) { return https ? 443 : 80; }

absl::Status CheckCharacters(absl::string_view text) {
  if (text.empty()) {
    return Invalid("is required");
  }
  if (text.size() > kUrlBytesMax) {
    return Invalid(absl::StrCat("has ", text.size(), " bytes; the limit is ", kUrlBytesMax));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') {
      return Invalid(absl::StrCat("has a space at byte ", i, "; write it as %20"));
    }
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return Invalid(absl::StrCat("has a control character at byte ", i));
    }
    if (c == '\\') {
      return Invalid(absl::StrCat("has a backslash at byte ", i));
    }
  }
  return absl::OkStatus();
}

// The two digits after a '%', as a byte.
std::optional<char> PercentDecoded(absl::string_view text, size_t at) {
  if (at + 2 >= text.size() || !absl::ascii_isxdigit(text[at + 1]) ||
      !absl::ascii_isxdigit(text[at + 2])) {
    return std::nullopt;
  }
  uint32_t value = 0;
  for (const char c : text.substr(at + 1, 2)) {
    const char lower = absl::ascii_tolower(c);
    value = value * 16 + static_cast<uint32_t>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
  }
  return static_cast<char>(value);
}

absl::Status ParseCredentials(absl::string_view text, Url* url) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  std::vector<std::string> decoded;
  for (const absl::string_view part : parts) {
    std::string plain;
    for (size_t i = 0; i < part.size(); ++i) {
      char c = part[i];
      if (c == '%') {
        const std::optional<char> byte = PercentDecoded(part, i);
        if (!byte.has_value()) {
          return Invalid("the user name or password has a '%' without two hexadecimal digits");
        }
        c = *byte;
        i += 2;
      }
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
        return Invalid("the user name or password has a control character");
      }
      plain.push_back(c);
    }
    decoded.push_back(std::move(plain));
  }
  // Basic authentication ends the user name at the first colon.
  if (absl::StrContains(decoded[0], ':')) {
    return Invalid("the user name has a colon");
  }
  url->has_credentials = true;
  url->credentials = absl::StrCat(decoded[0], ":", decoded.size() > 1 ? decoded[1] : "");
  return absl::OkStatus();
}

absl::Status ParsePort(absl::string_view text, Url* url) {
  uint32_t port = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || text.size() > 5 || !absl::SimpleAtoi(text, &port) || port == 0 || port > 65535) {
    return Invalid("the port must be a number from 1 to 65535");
  }
  url->port = static_cast<uint16_t>(port);
  return absl::OkStatus();
}

// Four decimal numbers without leading zeros. Everything else that some resolver takes for an
// address (127.1, 0x7f.1, 2130706433) is no host name either.
bool ParseDottedQuad(absl::string_view text, Url* url) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() != 4) {
    return false;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    const absl::string_view part = parts[i];
    uint32_t value = 0;
    const bool digits = std::all_of(part.begin(), part.end(), absl::ascii_isdigit);
    if (part.empty() || part.size() > 3 || !digits || (part.size() > 1 && part[0] == '0') ||
        !absl::SimpleAtoi(part, &value) || value > 255) {
      return false;
    }
    url->address[i] = static_cast<uint8_t>(value);
  }
  url->host_kind = Url::HostKind::kIpv4;
  return true;
}

// Whether a resolver may take a name that ends in `label` for a number.
bool LooksNumeric(absl::string_view label) {
  if (std::all_of(label.begin(), label.end(), absl::ascii_isdigit)) {
    return true;
  }
  return absl::StartsWith(label, "0x") &&
         std::all_of(label.begin() + 2, label.end(), absl::ascii_isxdigit);
}

absl::Status CheckLabel(absl::string_view label) {
  if (label.empty()) {
    return Invalid("the host has an empty label");
  }
  if (label.size() > kLabelBytesMax) {
    return Invalid(absl::StrCat("a label of the host has ", label.size(), " bytes; the limit is ",
                                kLabelBytesMax));
  }
  if (label.front() == '-' || label.back() == '-') {
    return Invalid("a label of the host begins or ends with a hyphen");
  }
  for (const char c : label) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') {
      return Invalid(
          "the host may have letters, digits, hyphens and dots only (international names in their "
          "xn-- form)");
    }
  }
  return absl::OkStatus();
}

absl::Status ParseName(absl::string_view text, Url* url) {
  absl::ConsumeSuffix(&text, ".");
  if (text.empty()) {
    return Invalid("has no host");
  }
  if (text.size() > kHostBytesMax) {
    return Invalid(
        absl::StrCat("the host has ", text.size(), " bytes; the limit is ", kHostBytesMax));
  }
  url->host = absl::AsciiStrToLower(text);
  const std::vector<absl::string_view> labels = absl::StrSplit(url->host, '.');
  for (const absl::string_view label : labels) {
    RETURN_IF_ERROR(CheckLabel(label));
  }
  if (LooksNumeric(labels.back()) && !ParseDottedQuad(url->host, url)) {
    return Invalid("an IPv4 address must be four decimal numbers from 0 to 255");
  }
  return absl::OkStatus();
}

absl::Status ParseIpv6(absl::string_view text, Url* url) {
  if (absl::StrContains(text, '%')) {
    return Invalid("an IPv6 address may not have a zone");
  }
  in6_addr address;
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) {
    return Invalid("the host in brackets is not an IPv6 address");
  }
  std::memcpy(url->address.data(), &address, sizeof(address));
  char canonical[INET6_ADDRSTRLEN];
  url->host = inet_ntop(AF_INET6, &address, canonical, sizeof(canonical));
  url->host_kind = Url::HostKind::kIpv6;
  return absl::OkStatus();
}

absl::Status ParseHostAndPort(absl::string_view text, Url* url) {
  url->port = DefaultPort(url->https);
  if (absl::ConsumePrefix(&text, "[")) {
    const size_t close = text.find(']');
    if (close == absl::string_view::npos) {
      return Invalid("the host's '[' has no ']'");
    }
    RETURN_IF_ERROR(ParseIpv6(text.substr(0, close), url));
    const absl::string_view rest = text.substr(close + 1);
    if (rest.empty()) {
      return absl::OkStatus();
    }
    if (rest[0] != ':') {
      return Invalid("after the host's ']' only a port may follow");
    }
    return ParsePort(rest.substr(1), url);
  }
  const size_t colon = text.find(':');
  RETURN_IF_ERROR(ParseName(text.substr(0, colon), url));
  return colon == absl::string_view::npos ? absl::OkStatus()
                                          : ParsePort(text.substr(colon + 1), url);
}

// Writes path and query anew: what RFC 3986 does not allow there is percent-encoded.
absl::Status ParseTarget(absl::string_view text, Url* url) {
  constexpr absl::string_view kAllowed = "-._~!$&'()*+,;=:@/?[]";
  if (text.empty() || text[0] != '/') {
    url->target.push_back('/');
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '%' && !PercentDecoded(text, i).has_value()) {
      return Invalid("the path or query has a '%' without two hexadecimal digits");
    }
    if (c == '%' || absl::ascii_isalnum(c) || absl::StrContains(kAllowed, text[i])) {
      url->target.push_back(text[i]);
    } else {
      absl::StrAppend(&url->target, "%", kHexDigits.substr(c >> 4, 1),
                      kHexDigits.substr(c & 15, 1));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string Url::origin() const {
  const bool brackets = host_kind == HostKind::kIpv6;
  return absl::StrCat(https ? "https://" : "http://", brackets ? "[" : "", host,
                      brackets ? "]" : "", ":", port);
}

std::string Url::authority() const {
  const bool brackets = host_kind == HostKind::kIpv6;
  std::string text = absl::StrCat(brackets ? "[" : "", host, brackets ? "]" : "");
  if (port != DefaultPort(https)) {
    absl::StrAppend(&text, ":", port);
  }
  return text;
}

std::string Url::Redacted() const {
  return absl::StrCat(https ? "https://" : "http://", has_credentials ? kHidden : "",
                      has_credentials ? "@" : "", authority(), target);
}

absl::StatusOr<Url> ParseUrl(absl::string_view text) {
  RETURN_IF_ERROR(CheckCharacters(text));
  Url url;
  if (absl::StartsWithIgnoreCase(text, "https://")) {
    text.remove_prefix(8);
  } else if (absl::StartsWithIgnoreCase(text, "http://")) {
    url.https = false;
    text.remove_prefix(7);
  } else {
    return Invalid("must begin with https:// or http://");
  }
  if (absl::StrContains(text, '#')) {
    return Invalid("has a fragment, which is never sent; write a '#' that is meant as %23");
  }
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  absl::string_view authority = text.substr(0, authority_end);
  if (const size_t at = authority.find('@'); at != absl::string_view::npos) {
    if (absl::StrContains(authority.substr(at + 1), '@')) {
      return Invalid("has more than one '@' before the path; write it as %40 in a password");
    }
    RETURN_IF_ERROR(ParseCredentials(authority.substr(0, at), &url));
    authority.remove_prefix(at + 1);
  }
  RETURN_IF_ERROR(ParseHostAndPort(authority, &url));
  RETURN_IF_ERROR(ParseTarget(text.substr(authority_end), &url));
  return url;
}

std::string OriginOfUrl(absl::string_view text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  return url.ok() ? url->origin() : "";
}

}  // namespace postrider
