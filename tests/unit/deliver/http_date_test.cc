#include "gateway/deliver/http_date.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 3, 1, 12, 0, 0), absl::UTCTimeZone());

TEST(HttpDate, ReadsItsThreeForms) {
  const absl::Time expected =
      absl::FromCivil(absl::CivilSecond(1994, 11, 6, 8, 49, 37), absl::UTCTimeZone());
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow), expected);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow), expected);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow), expected);
  EXPECT_EQ(ParseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", kNow),
            absl::FromCivil(absl::CivilSecond(2016, 12, 31, 23, 59, 59), absl::UTCTimeZone()));
}

TEST(HttpDate, PlacesTwoDigitYears) {
  const auto year = [](const std::string& digits) {
    const auto time = ParseHttpDate("Sunday, 06-Nov-" + digits + " 08:49:37 GMT", kNow);
    return time.has_value() ? absl::ToCivilYear(*time, absl::UTCTimeZone()).year() : 0;
  };
  EXPECT_EQ(year("26"), 2026);
  EXPECT_EQ(year("76"), 2076);
  EXPECT_EQ(year("77"), 1977);
}

TEST(HttpDate, RefusesOthers) {
  for (const std::string text :
       {"", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 6 Nov 94 08:49 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999999999 08:49:37 GMT"}) {
    EXPECT_EQ(ParseHttpDate(text, kNow), std::nullopt) << text;
  }
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("0", "", kNow), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter(" 120 ", "", kNow), absl::Seconds(120));
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999", "", kNow), kRetryAfterMax);
  EXPECT_EQ(ParseRetryAfter("9223372036854775807", "", kNow), kRetryAfterMax);
  // A date is compared with the response's own clock, or else with ours.
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", kNow),
            absl::Seconds(30));
  EXPECT_EQ(ParseRetryAfter("Sun, 01 Mar 2026 12:01:00 GMT", "", kNow), absl::Seconds(60));
  EXPECT_EQ(ParseRetryAfter("Sun, 01 Mar 2026 12:01:00 GMT", "nonsense", kNow), absl::Seconds(60));
  EXPECT_EQ(ParseRetryAfter("Sun, 01 Mar 2026 11:00:00 GMT", "", kNow), absl::ZeroDuration());
  for (const std::string text : {"", " ", "-1", "+5", "1.5", "5 s", "soon"}) {
    EXPECT_EQ(ParseRetryAfter(text, "", kNow), std::nullopt) << text;
  }
}

TEST(KeepAlive, ReadsTheTimeout) {
  EXPECT_EQ(ParseKeepAliveTimeout("timeout=5, max=100"), absl::Seconds(5));
  EXPECT_EQ(ParseKeepAliveTimeout("max=100 , Timeout=75"), absl::Seconds(75));
  for (const std::string text : {"", "max=100", "timeout=", "timeout=x", "timeout=-5"}) {
    EXPECT_EQ(ParseKeepAliveTimeout(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace postrider
