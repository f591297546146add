#include "gateway/accept/names.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/accept/utf8.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr size_t kLabelBytesMax = 63;

bool IsOrganizationCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("._:~@-").find(c) != absl::string_view::npos;
}

bool IsLabelCharacter(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// The place of the first character of C0, DEL or C1, or npos. `text` is valid UTF-8.
size_t FindControl(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == 0x7F) return i;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0) return i;
  }
  return absl::string_view::npos;
}

}  // namespace

absl::Status ValidateSize(absl::string_view field, size_t size, size_t limit,
                          absl::string_view unit) {
  if (size <= limit) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(size, " ", unit, "; the limit is ", limit));
}

absl::Status ValidateOrganization(absl::string_view field, absl::string_view organization) {
  if (organization.empty()) return InvalidField(field, "required");
  RETURN_IF_ERROR(ValidateSize(field, organization.size(), kOrganizationBytesMax));
  if (!std::all_of(organization.begin(), organization.end(), IsOrganizationCharacter)) {
    return InvalidField(field, "only letters, digits and the characters . _ : ~ @ - are allowed");
  }
  return absl::OkStatus();
}

absl::Status ValidateSubscriptionId(absl::string_view field, absl::string_view id) {
  if (id.empty()) return InvalidField(field, "required");
  RETURN_IF_ERROR(ValidateSize(field, id.size(), kLabelBytesMax));
  const auto allowed = [](char c) { return IsLabelCharacter(c) || c == '-'; };
  if (!std::all_of(id.begin(), id.end(), allowed) || id.front() == '-' || id.back() == '-') {
    return InvalidField(field,
                        "only lower-case letters, digits and, between them, hyphens are allowed");
  }
  return absl::OkStatus();
}

absl::Status ValidateProse(absl::string_view field, absl::string_view text, size_t bytes_max) {
  RETURN_IF_ERROR(ValidateSize(field, text.size(), bytes_max));
  if (const size_t valid = ValidUtf8Prefix(text); valid != text.size()) {
    return InvalidField(field, absl::StrCat("invalid UTF-8 at byte ", valid));
  }
  return absl::OkStatus();
}

absl::Status ValidateText(absl::string_view field, absl::string_view text, size_t bytes_max) {
  RETURN_IF_ERROR(ValidateProse(field, text, bytes_max));
  if (const size_t place = FindControl(text); place != absl::string_view::npos) {
    return InvalidField(field, absl::StrCat("a control character at byte ", place));
  }
  return absl::OkStatus();
}

std::string MapEntryPath(absl::string_view map, absl::string_view key) {
  constexpr size_t kShownBytesMax = 80;
  return absl::StrCat(map, "[\"", absl::Utf8SafeCEscape(key.substr(0, kShownBytesMax)), "\"]");
}

std::string ElementPath(absl::string_view list, size_t index) {
  return absl::StrCat(list, "[", index, "]");
}

}  // namespace postrider
