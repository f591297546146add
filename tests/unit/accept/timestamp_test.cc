#include "gateway/accept/timestamp.h"

#include <gtest/gtest.h>

#include <string>

namespace postrider {
namespace {

std::string Text(absl::Time time) {
  std::string out;
  AppendTimestamp(time, &out);
  return out;
}

TEST(Timestamp, WritesThePlatformsSamples) {
  EXPECT_EQ(Text(absl::FromUnixMillis(1488846285607)), "2017-03-07T00:24:45.607Z");
  EXPECT_EQ(Text(absl::FromUnixSeconds(1545246541)), "2018-12-19T19:09:01Z");
  EXPECT_EQ(Text(absl::FromUnixMillis(1545270416003)), "2018-12-20T01:46:56.003Z");
}

TEST(Timestamp, CutsWhatIsBelowAMillisecond) {
  const absl::Time whole = absl::FromUnixSeconds(1545246541);
  EXPECT_EQ(Text(whole + absl::Nanoseconds(999'999)), "2018-12-19T19:09:01Z");
  EXPECT_EQ(Text(whole + absl::Nanoseconds(1'999'999)), "2018-12-19T19:09:01.001Z");
  EXPECT_EQ(Text(whole - absl::Nanoseconds(1)), "2018-12-19T19:09:00.999Z");
  EXPECT_EQ(Text(whole + absl::Milliseconds(100)), "2018-12-19T19:09:01.100Z");
  EXPECT_EQ(Text(absl::UnixEpoch() - absl::Microseconds(1)), "1969-12-31T23:59:59.999Z");
}

TEST(Timestamp, KnowsTheYearsOfRfc3339) {
  const absl::Time first = absl::FromCivil(absl::CivilSecond(1, 1, 1), absl::UTCTimeZone());
  const absl::Time last =
      absl::FromCivil(absl::CivilSecond(10000, 1, 1), absl::UTCTimeZone()) - absl::Nanoseconds(1);
  EXPECT_EQ(Text(first), "0001-01-01T00:00:00Z");
  EXPECT_EQ(Text(last), "9999-12-31T23:59:59.999Z");
  EXPECT_TRUE(ValidateTimestamp("time", first).ok());
  EXPECT_TRUE(ValidateTimestamp("time", last).ok());
  for (const absl::Time outside : {first - absl::Nanoseconds(1), last + absl::Nanoseconds(1),
                                   absl::InfiniteFuture(), absl::InfinitePast()}) {
    EXPECT_EQ(ValidateTimestamp("time", outside).message(),
              "time: outside of the years 0001 to 9999");
  }
}

}  // namespace
}  // namespace postrider
