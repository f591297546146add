#include "gateway/base/uuid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"

namespace postrider {
namespace {

// RFC 9562, appendix A.6.
constexpr char kRfcVersion7[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
// The platform's sample, a version 1.
constexpr char kSampleVersion1[] = "774ae370-02cc-11e7-ac41-c38ce8763025";

TEST(UuidTest, ReadsEitherCaseAndWritesLowerCase) {
  for (const std::string text : {kRfcVersion7, kSampleVersion1}) {
    const auto lower = Uuid::Parse(text);
    const auto upper = Uuid::Parse(absl::AsciiStrToUpper(text));
    ASSERT_TRUE(lower.has_value()) << text;
    ASSERT_TRUE(upper.has_value()) << text;
    EXPECT_EQ(*lower, *upper);
    EXPECT_EQ(upper->ToString(), text);
  }
}

TEST(UuidTest, RefusesEverythingElse) {
  for (const std::string text : {
           "",
           "774ae370-02cc-11e7-ac41-c38ce876302",
           "774ae370-02cc-11e7-ac41-c38ce87630255",
           "774ae37002cc11e7ac41c38ce8763025",
           "774ae370-02cc-11e7-ac41+c38ce8763025",
           "774ae3700-2cc-11e7-ac41-c38ce8763025",
           "774ae370-02cc-11e7-ac41-c38ce876302g",
           "{774ae370-02cc-11e7-ac41-c38ce876302}",
           " 774ae370-02cc-11e7-ac41-c38ce876302",
           "urn:uuid:774ae370-02cc-11e7-ac41-c38ce8763025",
       }) {
    EXPECT_EQ(Uuid::Parse(text), std::nullopt) << text;
  }
  const std::string with_zero_byte("774ae370-02cc-11e7-ac41-c38ce876302\0", 36);
  EXPECT_EQ(Uuid::Parse(with_zero_byte), std::nullopt);
}

TEST(UuidTest, BytesAreInNetworkOrder) {
  const auto uuid = Uuid::Parse(kSampleVersion1);
  ASSERT_TRUE(uuid.has_value());
  const std::string bytes(uuid->bytes());
  EXPECT_EQ(bytes, std::string("\x77\x4a\xe3\x70\x02\xcc\x11\xe7\xac\x41\xc3\x8c\xe8\x76\x30\x25"));
  EXPECT_EQ(Uuid::FromBytes(bytes), uuid);
}

TEST(UuidTest, FromBytesTakesSixteen) {
  EXPECT_EQ(Uuid::FromBytes(std::string(15, 'x')), std::nullopt);
  EXPECT_EQ(Uuid::FromBytes(std::string(17, 'x')), std::nullopt);
  EXPECT_EQ(Uuid::FromBytes(""), std::nullopt);
}

TEST(UuidTest, DefaultIsNil) {
  EXPECT_EQ(Uuid().ToString(), "00000000-0000-0000-0000-000000000000");
}

// Bits of `uuid` from bit `begin` (0 is the first), `count` of them.
uint64_t BitsOf(const Uuid& uuid, int begin, int count) {
  uint64_t value = 0;
  for (int bit = begin; bit < begin + count; ++bit) {
    const auto byte = static_cast<unsigned char>(uuid.bytes()[bit / 8]);
    value = value << 1 | (byte >> (7 - bit % 8) & 1);
  }
  return value;
}

TEST(UuidTest, Version7HasTheLayoutOfTheRfc) {
  const absl::Time time = absl::FromUnixMillis(1645557742000);
  for (const uint64_t random : {uint64_t{0}, ~uint64_t{0}, uint64_t{0x123456789abcdef0}}) {
    const Uuid uuid = Uuid::Version7(time + absl::Microseconds(999), {random, random});
    EXPECT_EQ(BitsOf(uuid, 0, 48), 1645557742000U);
    EXPECT_EQ(BitsOf(uuid, 48, 4), 7U);
    EXPECT_EQ(BitsOf(uuid, 64, 2), 2U);
  }
  const auto vector = Uuid::Parse(kRfcVersion7);
  ASSERT_TRUE(vector.has_value());
  const Uuid same_time = Uuid::Version7(time, {0, 0});
  EXPECT_EQ(BitsOf(same_time, 0, 52), BitsOf(*vector, 0, 52));
}

TEST(UuidTest, Version7UsesAll74RandomBits) {
  const absl::Time time = absl::FromUnixMillis(1);
  const Uuid zeros = Uuid::Version7(time, {0, 0});
  const Uuid ones = Uuid::Version7(time, {~uint64_t{0}, ~uint64_t{0}});
  int different = 0;
  for (int bit = 0; bit < 128; ++bit) {
    different += BitsOf(zeros, bit, 1) != BitsOf(ones, bit, 1) ? 1 : 0;
  }
  EXPECT_EQ(different, 74);
}

TEST(UuidTest, Version7SortsByTime) {
  const Uuid earlier = Uuid::Version7(absl::FromUnixMillis(1000), {~uint64_t{0}, ~uint64_t{0}});
  const Uuid later = Uuid::Version7(absl::FromUnixMillis(1001), {0, 0});
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.ToString(), later.ToString());
}

TEST(UuidTest, Version7BeforeTheEpochIsAtTheEpoch) {
  EXPECT_EQ(BitsOf(Uuid::Version7(absl::InfinitePast(), {0, 0}), 0, 48), 0U);
}

TEST(UuidTest, EqualOnesHashAlike) {
  const auto one = Uuid::Parse(kSampleVersion1);
  const auto same = Uuid::Parse(absl::AsciiStrToUpper(kSampleVersion1));
  ASSERT_TRUE(one.has_value() && same.has_value());
  EXPECT_EQ(absl::HashOf(*one), absl::HashOf(*same));
}

}  // namespace
}  // namespace postrider
