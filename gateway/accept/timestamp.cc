#include "gateway/accept/timestamp.h"

#include <cstdint>

#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr int64_t kYearOneSeconds = -62135596800;    // 0001-01-01T00:00:00Z
constexpr int64_t kYear10000Seconds = 253402300800;  // 10000-01-01T00:00:00Z

void AppendDigits(int64_t value, int width, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + width);
  for (int i = width - 1; i >= 0; --i) {
    (*out)[begin + i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

absl::Status ValidateTimestamp(absl::string_view field, absl::Time time) {
  if (time < absl::FromUnixSeconds(kYearOneSeconds) ||
      time >= absl::FromUnixSeconds(kYear10000Seconds)) {
    return InvalidField(field, "outside of the years 0001 to 9999");
  }
  return absl::OkStatus();
}

void AppendTimestamp(absl::Time time, std::string* out) {
  const auto parts = absl::UTCTimeZone().At(time);
  AppendDigits(parts.cs.year(), 4, out);
  out->push_back('-');
  AppendDigits(parts.cs.month(), 2, out);
  out->push_back('-');
  AppendDigits(parts.cs.day(), 2, out);
  out->push_back('T');
  AppendDigits(parts.cs.hour(), 2, out);
  out->push_back(':');
  AppendDigits(parts.cs.minute(), 2, out);
  out->push_back(':');
  AppendDigits(parts.cs.second(), 2, out);
  if (const int64_t milliseconds = absl::ToInt64Milliseconds(parts.subsecond); milliseconds != 0) {
    out->push_back('.');
    AppendDigits(milliseconds, 3, out);
  }
  out->push_back('Z');
}

}  // namespace postrider
