#include "gateway/deliver/http_date.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

constexpr std::array<absl::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// A number of `digits` digits, or of at least one if `digits` is 0.
std::optional<int> ParseNumber(absl::string_view text, size_t digits) {
  int value = 0;
  if (text.empty() || (digits != 0 && text.size() != digits) ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &value)) {
    return std::nullopt;
  }
  return value;
}

struct Date {
  std::optional<int> year;
  absl::string_view month;
  std::optional<int> day;
  absl::string_view time;
};

std::optional<absl::Time> ToTime(const Date& date) {
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), date.month);
  const std::vector<absl::string_view> parts = absl::StrSplit(date.time, ':');
  if (!date.year.has_value() || !date.day.has_value() || month == kMonths.end() ||
      parts.size() != 3) {
    return std::nullopt;
  }
  std::array<int, 3> clock{};
  for (size_t i = 0; i < clock.size(); ++i) {
    const std::optional<int> value = ParseNumber(parts[i], 2);
    if (!value.has_value()) {
      return std::nullopt;
    }
    clock[i] = *value;
  }
  const absl::CivilSecond second(*date.year, month - kMonths.begin() + 1, *date.day, clock[0],
                                 clock[1], std::min(clock[2], 59));  // A leap second is the 59th.
  const bool normal = second.day() == *date.day && second.hour() == clock[0] &&
                      second.minute() == clock[1] && clock[2] <= 60;
  if (!normal) {
    return std::nullopt;
  }
  return absl::FromCivil(second, absl::UTCTimeZone());
}

// RFC 9110: a date that seems more than 50 years ahead is the last past one with those digits.
std::optional<int> WholeYear(std::optional<int> two_digits, absl::Time now) {
  if (!two_digits.has_value()) {
    return std::nullopt;
  }
  const auto this_year = static_cast<int>(absl::ToCivilYear(now, absl::UTCTimeZone()).year());
  const int year = this_year - this_year % 100 + *two_digits;
  return year > this_year + 50 ? year - 100 : year;
}

}  // namespace

std::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  Date date;
  if (words.size() == 6 && words[5] == "GMT") {
    date = {.year = ParseNumber(words[3], 4),
            .month = words[2],
            .day = ParseNumber(words[1], 2),
            .time = words[4]};
  } else if (words.size() == 4 && words[3] == "GMT") {
    const std::vector<absl::string_view> parts = absl::StrSplit(words[1], '-');
    if (parts.size() != 3) {
      return std::nullopt;
    }
    date = {.year = WholeYear(ParseNumber(parts[2], 2), now),
            .month = parts[1],
            .day = ParseNumber(parts[0], 2),
            .time = words[2]};
  } else if (words.size() == 5) {
    date = {.year = ParseNumber(words[4], 4),
            .month = words[1],
            .day = ParseNumber(words[2], 0),
            .time = words[3]};
  } else {
    return std::nullopt;
  }
  return ToTime(date);
}

std::optional<absl::Duration> ParseRetryAfter(absl::string_view retry_after, absl::string_view date,
                                              absl::Time now) {
  retry_after = absl::StripAsciiWhitespace(retry_after);
  if (retry_after.empty()) {
    return std::nullopt;
  }
  if (std::all_of(retry_after.begin(), retry_after.end(), absl::ascii_isdigit)) {
    int64_t seconds = 0;
    if (!absl::SimpleAtoi(retry_after, &seconds)) {
      return kRetryAfterMax;  // More digits than fit.
    }
    return std::min(absl::Seconds(seconds), kRetryAfterMax);
  }
  const std::optional<absl::Time> until = ParseHttpDate(retry_after, now);
  if (!until.has_value()) {
    return std::nullopt;
  }
  const absl::Time sent = ParseHttpDate(date, now).value_or(now);
  return std::clamp(*until - sent, absl::ZeroDuration(), kRetryAfterMax);
}

std::optional<absl::Duration> ParseKeepAliveTimeout(absl::string_view text) {
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (!absl::StartsWithIgnoreCase(part, "timeout=")) {
      continue;
    }
    part.remove_prefix(8);
    if (const std::optional<int> seconds = ParseNumber(part, 0); seconds.has_value()) {
      return absl::Seconds(*seconds);
    }
  }
  return std::nullopt;
}

}  // namespace postrider
