#include "gateway/model/secret.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr absl::string_view kPrefix = "whsec_";
constexpr int kGeneratedWords = 4;

// Only the one canonical spelling: receivers' libraries differ in what else they take.
std::optional<std::string> DecodeCanonicalBase64(absl::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes) || absl::Base64Escape(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t length = 1;
  uint32_t code = first;
  uint32_t least = 0;
  if (first >= 0xf0 && first < 0xf8) {
    length = 4, code = first & 0x07, least = 0x10000;
  } else if (first >= 0xe0 && first < 0xf0) {
    length = 3, code = first & 0x0f, least = 0x800;
  } else if (first >= 0xc0 && first < 0xe0) {
    length = 2, code = first & 0x1f, least = 0x80;
  } else if (first >= 0x80) {
    return 0;
  }
  if (text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < least || code > 0x10ffff || surrogate ? 0 : length;
}

// Whether it is UTF-8 without control characters (C0, DEL, C1).
bool IsPrintable(absl::string_view text) {
  while (!text.empty()) {
    const uint8_t first = static_cast<uint8_t>(text[0]);
    const size_t length = Utf8Length(text);
    if (length == 0 || first < 0x20 || first == 0x7f) {
      return false;
    }
    if (first == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

absl::Status ValidateSecret(absl::string_view text) {
  if (text.size() < kSecretBytesMin || text.size() > kSecretBytesMax) {
    return InvalidField("secret", absl::StrCat("has ", text.size(), " bytes; it must have ",
                                               kSecretBytesMin, " to ", kSecretBytesMax));
  }
  if (!absl::StartsWith(text, kPrefix)) {
    if (!IsPrintable(text)) {
      return InvalidField("secret", "must be UTF-8 text without control characters");
    }
    return absl::OkStatus();
  }
  const std::optional<std::string> bytes = DecodeCanonicalBase64(text.substr(kPrefix.size()));
  if (!bytes.has_value()) {
    return InvalidField("secret", "what follows `whsec_` must be padded standard base64");
  }
  if (bytes->size() < kWhsecBytesMin || bytes->size() > kWhsecBytesMax) {
    return InvalidField("secret",
                        absl::StrCat("a `whsec_` secret must encode ", kWhsecBytesMin, " to ",
                                     kWhsecBytesMax, " bytes; this one encodes ", bytes->size()));
  }
  return absl::OkStatus();
}

SecretKeys DeriveKeys(absl::string_view text) {
  SecretKeys keys{.hub = std::string(text), .webhook = std::string(text)};
  if (absl::StartsWith(text, kPrefix)) {
    if (auto bytes = DecodeCanonicalBase64(text.substr(kPrefix.size())); bytes.has_value()) {
      keys.webhook = *std::move(bytes);
    }
  }
  return keys;
}

std::string GenerateSecret(Random* random) {
  std::string bytes;
  for (int word = 0; word < kGeneratedWords; ++word) {
    const uint64_t value = random->Next();
    for (int shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<char>(value >> shift & 0xff));
    }
  }
  return absl::StrCat(kPrefix, absl::Base64Escape(bytes));
}

std::string RedactSecret(absl::string_view text) {
  return absl::StartsWith(text, kPrefix) ? absl::StrCat(kPrefix, "********") : "********";
}

}  // namespace postrider
