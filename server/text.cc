#include "server/text.h"

#include "absl/strings/str_cat.h"
#include "gateway/accept/utf8.h"

namespace postrider {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";
constexpr absl::string_view kEllipsis = "\xE2\x80\xA6";

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string ValidUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (true) {
    const size_t prefix = ValidUtf8Prefix(text);
    valid.append(text.data(), prefix);
    if (prefix == text.size()) return valid;
    valid.append(kReplacement.data(), kReplacement.size());
    text.remove_prefix(prefix + 1);
  }
}

std::string Truncated(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return std::string(text);
  }
  size_t end = bytes_max - kEllipsis.size();
  while (end > 0 && IsContinuation(text[end])) {
    --end;
  }
  return absl::StrCat(text.substr(0, end), kEllipsis);
}

}  // namespace postrider
