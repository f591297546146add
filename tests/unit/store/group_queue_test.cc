// What waits for a group costs memory while it waits, and not longer.

#include "gateway/store/group_queue.h"

#include <malloc.h>

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"

namespace postrider {
namespace {

// Nothing under a sanitizer, which has an allocator of its own.
size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(AppendQueue, ALineThatIsNeverEmptyKeepsNothingOfWhatWasTaken) {
  AppendQueue queue;
  const std::shared_ptr<const Event> event = NewEvent(1);
  queue.Push({.shard = 0, .event = event});
  std::vector<PendingAppend> taken;
  taken.reserve(1);
  const size_t before = AllocatedBytes();
  for (int i = 0; i < 20'000; ++i) {
    queue.Push({.shard = 0, .event = event});
    queue.Take(1, &taken);
    ASSERT_EQ(taken.size(), 1U);
    taken.clear();
  }
  EXPECT_EQ(queue.count(), 1U);
  EXPECT_LT(AllocatedBytes(), before + 64 * 1024);
}

}  // namespace
}  // namespace postrider
