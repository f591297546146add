#include "gateway/model/position.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

TEST(SettledBitmapTest, ContainsWhatWasAdded) {
  SettledBitmap bitmap;
  EXPECT_FALSE(bitmap.Contains(0));
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{1}, uint64_t{63}, uint64_t{64}, uint64_t{kReaderWindowMax - 1}}) {
    bitmap.Add(offset);
    EXPECT_TRUE(bitmap.Contains(offset)) << offset;
  }
  for (const uint64_t offset :
       {uint64_t{2}, uint64_t{62}, uint64_t{65}, uint64_t{127}, uint64_t{kReaderWindowMax - 2},
        uint64_t{kReaderWindowMax}, uint64_t{kReaderWindowMax * 100}}) {
    EXPECT_FALSE(bitmap.Contains(offset)) << offset;
  }
}

TEST(SettledBitmapTest, BytesAreLittleEndianWithoutTrailingZeros) {
  SettledBitmap bitmap;
  EXPECT_EQ(bitmap.ToBytes(), "");
  bitmap.Add(0);
  bitmap.Add(9);
  EXPECT_EQ(bitmap.ToBytes(), std::string("\x01\x02"));
  bitmap.Add(23);
  EXPECT_EQ(bitmap.ToBytes(), std::string("\x01\x02\x80"));
}

TEST(SettledBitmapTest, ComesBackFromItsBytes) {
  SettledBitmap bitmap;
  for (uint64_t offset = 0; offset < kReaderWindowMax; offset += 7) {
    bitmap.Add(offset);
  }
  const SettledBitmap copy = SettledBitmap::FromBytes(bitmap.ToBytes());
  for (uint64_t offset = 0; offset < kReaderWindowMax; ++offset) {
    EXPECT_EQ(copy.Contains(offset), offset % 7 == 0) << offset;
  }
  EXPECT_EQ(copy.ToBytes(), bitmap.ToBytes());
  EXPECT_LE(bitmap.ToBytes().size(), kReaderWindowMax / 8);
}

TEST(SettledBitmapTest, OddLengthsComeBack) {
  const std::string bytes = "\x01\x02\x03\x04\x05\x06\x07\x08\x09";
  EXPECT_EQ(SettledBitmap::FromBytes(bytes).ToBytes(), bytes);
}

TEST(SettledBitmapTest, BytesBeyondTheWindowAreLeftOut) {
  const std::string too_long(kReaderWindowMax / 8 + 5, '\xff');
  const SettledBitmap bitmap = SettledBitmap::FromBytes(too_long);
  EXPECT_TRUE(bitmap.Contains(kReaderWindowMax - 1));
  EXPECT_FALSE(bitmap.Contains(kReaderWindowMax));
  EXPECT_EQ(bitmap.ToBytes().size(), kReaderWindowMax / 8);
}

TEST(SettledBitmapDeathTest, AddRefusesWhatIsOutsideTheWindow) {
  SettledBitmap bitmap;
  EXPECT_DEATH(bitmap.Add(kReaderWindowMax), "kReaderWindowMax");
}

TEST(ExceptionKeyTest, SortsByShardSubscriptionSeqAndOrigin) {
  const ExceptionKey first{.shard = 1, .subscription = 9, .seq = 9, .origin = 9};
  const ExceptionKey second{.shard = 2, .subscription = 1, .seq = 9, .origin = 9};
  const ExceptionKey third{.shard = 2, .subscription = 2, .seq = 1, .origin = 9};
  const ExceptionKey fourth{.shard = 2, .subscription = 2, .seq = 2, .origin = 0};
  const ExceptionKey fifth{.shard = 2, .subscription = 2, .seq = 2, .origin = 1};
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_LT(third, fourth);
  EXPECT_LT(fourth, fifth);
}

}  // namespace
}  // namespace postrider
