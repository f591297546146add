#include "gateway/base/random.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "gateway/base/mutex.h"

namespace postrider {
namespace {

TEST(RandomTest, DoesNotRepeatItself) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(seen.insert(SystemRandom()->Next()).second) << "a repeated 64-bit number";
  }
}

TEST(RandomTest, EveryBitIsSometimesSetAndSometimesNot) {
  uint64_t ever_set = 0;
  uint64_t always_set = ~uint64_t{0};
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = SystemRandom()->Next();
    ever_set |= value;
    always_set &= value;
  }
  EXPECT_EQ(ever_set, ~uint64_t{0});
  EXPECT_EQ(always_set, 0U);
}

TEST(RandomTest, ThreadsDrawDifferentNumbers) {
  Mutex mutex;
  std::set<uint64_t> seen;
  const auto draw = [&mutex, &seen] {
    for (int i = 0; i < 1000; ++i) {
      const uint64_t value = SystemRandom()->Next();
      const MutexLock lock(&mutex);
      seen.insert(value);
    }
  };
  std::thread first(draw);
  std::thread second(draw);
  first.join();
  second.join();
  EXPECT_EQ(seen.size(), 2000U);
}

}  // namespace
}  // namespace postrider
