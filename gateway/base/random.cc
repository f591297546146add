#include "gateway/base/random.h"

#include <sys/random.h>

#include <array>

#include "gateway/base/check.h"

namespace postrider {
namespace {

// Fetches from the kernel in blocks, so that an event's id costs no system call. One block a
// thread.
class KernelRandom final : public Random {
 public:
  uint64_t Next() override {
    thread_local std::array<uint64_t, 32> block;
    thread_local size_t used = block.size();
    if (used == block.size()) {
      CHECK(getrandom(block.data(), sizeof(block), 0) == static_cast<ssize_t>(sizeof(block)));
      used = 0;
    }
    const uint64_t value = block[used];
    block[used] = 0;
    ++used;
    return value;
  }
};

}  // namespace

Random* SystemRandom() {
  static KernelRandom random;
  return &random;
}

}  // namespace postrider
