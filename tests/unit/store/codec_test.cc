#include "gateway/store/codec.h"

#include <limits>
#include <string>
#include <vector>

#include "gateway/store/subscription_record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"

namespace postrider {
namespace {

TEST(Codec, ValuesComeBack) {
  const std::vector<uint64_t> unsigned_values = {
      0, 1, 127, 128, 1ULL << 48, std::numeric_limits<uint64_t>::max()};
  const std::vector<int64_t> signed_values = {0, -1, 1, std::numeric_limits<int64_t>::min(),
                                              std::numeric_limits<int64_t>::max()};
  Encoder encoder;
  for (const uint64_t value : unsigned_values) encoder.PutUint(value);
  for (const int64_t value : signed_values) encoder.PutInt(value);
  encoder.PutStrings({"", std::string("\0x", 2)});
  encoder.PutTime(absl::InfiniteFuture());
  encoder.PutTime(absl::FromUnixMicros(-17));
  encoder.PutDuration(absl::Nanoseconds(1'500'000'001));
  const std::string bytes = std::move(encoder).Take();

  Decoder decoder(bytes);
  for (const uint64_t value : unsigned_values) EXPECT_EQ(decoder.Uint(), value);
  for (const int64_t value : signed_values) EXPECT_EQ(decoder.Int(), value);
  EXPECT_THAT(decoder.Strings(), testing::ElementsAre("", std::string("\0x", 2)));
  EXPECT_EQ(decoder.Time(), absl::InfiniteFuture());
  EXPECT_EQ(decoder.Time(), absl::FromUnixMicros(-17));
  EXPECT_EQ(decoder.Duration(), absl::Nanoseconds(1'500'000'001));
  EXPECT_TRUE(decoder.ok());
  decoder.Uint();
  EXPECT_FALSE(decoder.ok()) << "there is nothing left";
}

TEST(Codec, DamagedBytesAreNoticedAndCostNothing) {
  Encoder encoder;
  encoder.PutUint(std::numeric_limits<uint64_t>::max());
  const std::string huge = std::move(encoder).Take();
  Decoder strings(huge);
  EXPECT_THAT(strings.Strings(), testing::IsEmpty());
  EXPECT_FALSE(strings.ok());
  Decoder text(huge);
  EXPECT_EQ(text.String(), "");
  EXPECT_FALSE(text.ok());
  Decoder endless("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  EXPECT_EQ(endless.Uint(), 0U);
  EXPECT_FALSE(endless.ok());
}

TEST(SubscriptionRecord, EveryPrefixIsRefused) {
  Subscription subscription = NewSubscription("a");
  subscription.headers = {{.name = "X", .value = "y"}};
  subscription.policy.schedule = {absl::Seconds(1)};
  const std::string record = EncodeSubscription(subscription);
  Subscription decoded;
  ASSERT_TRUE(DecodeSubscription(record, &decoded));
  EXPECT_EQ(decoded.url, subscription.url);
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(DecodeSubscription(record.substr(0, size), &decoded)) << size;
  }
  std::string newer = record;
  newer[0] = 99;
  EXPECT_FALSE(DecodeSubscription(newer, &decoded));
}

}  // namespace
}  // namespace postrider
