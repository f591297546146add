#include "gateway/accept/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace postrider {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// The letter of a two-character escape, or 0 if `c` has none.
char ShortEscape(char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
  }
}

bool NeedsEscape(char c) { return static_cast<uint8_t>(c) < 0x20 || c == '"' || c == '\\'; }

void AppendEscape(char c, std::string* out) {
  out->push_back('\\');
  if (const char letter = ShortEscape(c); letter != 0) {
    out->push_back(letter);
    return;
  }
  out->append("u00");
  out->push_back(kHexDigits[static_cast<uint8_t>(c) >> 4]);
  out->push_back(kHexDigits[static_cast<uint8_t>(c) & 0x0F]);
}

// The digits and the place of the point, as Number::toString names them: value = 0.digits * 10^n.
struct Decimal {
  std::string digits;
  int n = 0;
};

Decimal ShortestDecimal(double positive) {
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), positive,
                                    std::chars_format::scientific);
  const absl::string_view text(buffer.data(), result.ptr - buffer.data());
  const size_t e = text.find('e');
  Decimal decimal;
  for (const char c : text.substr(0, e)) {
    if (c != '.') decimal.digits.push_back(c);
  }
  const char* exponent = text.data() + e + 1;
  if (*exponent == '+') ++exponent;
  std::from_chars(exponent, result.ptr, decimal.n);
  ++decimal.n;
  return decimal;
}

void AppendExponentForm(const Decimal& decimal, std::string* out) {
  out->push_back(decimal.digits[0]);
  if (decimal.digits.size() > 1) {
    out->push_back('.');
    out->append(decimal.digits, 1);
  }
  const int exponent = decimal.n - 1;
  out->append(exponent < 0 ? "e-" : "e+");
  out->append(std::to_string(std::abs(exponent)));
}

// The value of a key that ECMAScript counts as an array index.
std::optional<uint32_t> ArrayIndex(absl::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return std::nullopt;
  uint64_t value = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value >= 0xFFFFFFFFULL) return std::nullopt;
  return static_cast<uint32_t>(value);
}

}  // namespace

void AppendJsonEscaped(absl::string_view utf8, std::string* out) {
  size_t copied = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
    if (!NeedsEscape(utf8[i])) continue;
    out->append(utf8.data() + copied, i - copied);
    AppendEscape(utf8[i], out);
    copied = i + 1;
  }
  out->append(utf8.data() + copied, utf8.size() - copied);
}

void AppendJsonString(absl::string_view utf8, std::string* out) {
  out->push_back('"');
  AppendJsonEscaped(utf8, out);
  out->push_back('"');
}

bool AppendJsonNumber(double value, std::string* out) {
  if (!std::isfinite(value)) return false;
  if (value == 0) {
    out->push_back('0');
    return true;
  }
  if (value < 0) out->push_back('-');
  const Decimal decimal = ShortestDecimal(std::abs(value));
  const int digit_count = static_cast<int>(decimal.digits.size());
  if (decimal.n > 21 || decimal.n <= -6) {
    AppendExponentForm(decimal, out);
  } else if (decimal.n <= 0) {
    out->append("0.").append(-decimal.n, '0').append(decimal.digits);
  } else if (decimal.n >= digit_count) {
    out->append(decimal.digits).append(decimal.n - digit_count, '0');
  } else {
    out->append(decimal.digits, 0, decimal.n).push_back('.');
    out->append(decimal.digits, decimal.n);
  }
  return true;
}

bool JsonKeyLess(absl::string_view a, absl::string_view b) {
  const std::optional<uint32_t> index_a = ArrayIndex(a);
  const std::optional<uint32_t> index_b = ArrayIndex(b);
  if (index_a.has_value() && index_b.has_value()) return *index_a < *index_b;
  if (index_a.has_value() != index_b.has_value()) return index_a.has_value();
  return a < b;
}

}  // namespace postrider
