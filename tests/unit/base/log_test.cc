#include "gateway/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"

namespace postrider {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

// What `write` writes to stderr, line by line.
template <typename Write>
std::vector<std::string> LinesOf(const Write& write) {
  testing::internal::CaptureStderr();
  write();
  const std::string text = testing::internal::GetCapturedStderr();
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(LogTest, WritesTimeLevelAndText) {
  const auto lines = LinesOf([] {
    LogInfo("started");
    LogWarning("peer is slow");
    LogError("disk is full");
  });
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], MatchesRegex("....-..-..T..:..:..\\....Z INFO started"));
  EXPECT_THAT(lines[1], EndsWith(" WARNING peer is slow"));
  EXPECT_THAT(lines[2], EndsWith(" ERROR disk is full"));
}

TEST(LogTest, KeepsOneTextOnOneLine) {
  const auto lines = LinesOf([] { LogInfo("one\ntwo\r\nthree"); });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], EndsWith(" INFO one two  three"));
}

TEST(LogTest, WritesAtMostAHundredLinesASecond) {
  const int64_t begin = absl::ToUnixSeconds(SystemClock()->Now());
  const auto lines = LinesOf([] {
    for (int i = 0; i < 2000; ++i) {
      LogInfo("again");
    }
  });
  const int64_t seconds = absl::ToUnixSeconds(SystemClock()->Now()) - begin + 1;
  // Each second may add one line that says how many were left out before.
  EXPECT_LE(lines.size(), static_cast<size_t>(101 * seconds));
  EXPECT_GE(lines.size(), 90U);  // Tests before this one may have used some of the first second.
}

}  // namespace
}  // namespace postrider
