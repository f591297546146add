#include "gateway/accept/json_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace postrider {
namespace {

std::string Quoted(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

std::string NumberText(double value) {
  std::string out;
  return AppendJsonNumber(value, &out) ? out : "refused";
}

// What JSON.stringify answers for the same strings.
TEST(JsonWriter, EscapesAsStringify) {
  EXPECT_EQ(Quoted(""), R"("")");
  EXPECT_EQ(Quoted("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(Quoted("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(Quoted(absl::string_view("\0\x01\x0B\x1F", 4)), R"("\u0000\u0001\u000b\u001f")");
  EXPECT_EQ(Quoted("<b>&'\x7F"), "\"<b>&'\x7F\"");
  EXPECT_EQ(Quoted("é\u2028\u2029\uFEFF😀"), "\"é\u2028\u2029\uFEFF😀\"");
}

// What JSON.stringify answers for the same numbers.
TEST(JsonWriter, WritesNumbersAsEcmascript) {
  const std::vector<std::pair<double, std::string>> cases = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-1, "-1"},
      {1.5, "1.5"},
      {-0.25, "-0.25"},
      {10, "10"},
      {123456789, "123456789"},
      {9007199254740992.0, "9007199254740992"},
      {9007199254740993.0, "9007199254740992"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {1.5e21, "1.5e+21"},
      {-1e21, "-1e+21"},
      {1e22, "1e+22"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.0 / 3, "0.3333333333333333"},
      {0.000001, "0.000001"},
      {0.00000123, "0.00000123"},
      {1e-7, "1e-7"},
      {1.5e-7, "1.5e-7"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {4.35, "4.35"},
      {100.5, "100.5"},
      {1e23, "1e+23"},
  };
  for (const auto& [value, text] : cases) {
    EXPECT_EQ(NumberText(value), text);
  }
}

TEST(JsonWriter, RefusesWhatJsonHasNot) {
  EXPECT_EQ(NumberText(std::nan("")), "refused");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::infinity()), "refused");
  EXPECT_EQ(NumberText(-std::numeric_limits<double>::infinity()), "refused");
  std::string out = "before";
  EXPECT_FALSE(AppendJsonNumber(std::nan(""), &out));
  EXPECT_EQ(out, "before");
}

TEST(JsonWriter, NumbersReadBackAsTheyWere) {
  uint64_t bits = 88172645463325252ULL;  // xorshift64
  for (int i = 0; i < 20000; ++i) {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(NumberText(value).c_str(), nullptr), value);
  }
}

TEST(JsonWriter, OrdersKeysSoThatStringifyKeepsThem) {
  std::vector<std::string> keys = {"b",  "a",   "10", "9", "00", "4294967294", "4294967295",
                                   "-1", "1.5", "",   "é", "Z",  "0",          "99999999999"};
  std::sort(keys.begin(), keys.end(),
            [](const auto& a, const auto& b) { return JsonKeyLess(a, b); });
  EXPECT_EQ(keys, (std::vector<std::string>{"0", "9", "10", "4294967294", "", "-1", "00", "1.5",
                                            "4294967295", "99999999999", "Z", "a", "b", "é"}));
}

}  // namespace
}  // namespace postrider
