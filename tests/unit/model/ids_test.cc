#include "gateway/model/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

// The published vectors of FNV-1a-64: where an organization's events lie must never change.
TEST(ShardOfTest, IsFnv1a64) {
  constexpr uint32_t kPrime = 4294967291;  // The largest below 2^32: shows the hash's bits.
  EXPECT_EQ(ShardOf("", kPrime), 0xcbf29ce484222325U % kPrime);
  EXPECT_EQ(ShardOf("a", kPrime), 0xaf63dc4c8601ec8cU % kPrime);
  EXPECT_EQ(ShardOf("foobar", kPrime), 0x85944171f73967e8U % kPrime);
}

TEST(ShardOfTest, TakesBytesAsUnsigned) {
  // Worked out by hand: (basis ^ 0xff) * prime.
  const uint64_t hash = (0xcbf29ce484222325U ^ 0xffU) * 0x100000001b3U;
  EXPECT_EQ(ShardOf("\xff", 16), hash % 16);
}

TEST(ShardOfTest, StaysWithinTheCount) {
  std::set<ShardId> used;
  for (int i = 0; i < 1000; ++i) {
    const ShardId shard = ShardOf(absl::StrCat("organization-", i), 16);
    EXPECT_LT(shard, 16U);
    used.insert(shard);
  }
  EXPECT_EQ(used.size(), 16U);
  EXPECT_EQ(ShardOf("anything", 1), 0U);
}

TEST(SeqTest, FitsBesideTheShardInOneKey) {
  const uint64_t key = uint64_t{63} << 48 | kSeqMax;
  EXPECT_EQ(key >> 48, 63U);
  EXPECT_EQ(key & kSeqMax, kSeqMax);
}

}  // namespace
}  // namespace postrider
