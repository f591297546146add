#include "gateway/base/loop_watch.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace postrider {
namespace {

constexpr int64_t kAnswered = std::numeric_limits<int64_t>::max();

}  // namespace

LoopWatch::LoopWatch(std::vector<Loop*> loops, const Clock* clock)
    : loops_(std::move(loops)), clock_(clock), asked_(std::make_shared<Asked>(loops_.size())) {
  for (std::atomic<int64_t>& asked : *asked_) {
    asked = kAnswered;
  }
}

void LoopWatch::Ask() {
  const int64_t now = absl::ToInt64Nanoseconds(clock_->Monotonic());
  for (size_t i = 0; i < loops_.size(); ++i) {
    if ((*asked_)[i] != kAnswered) {
      continue;
    }
    (*asked_)[i] = now;
    loops_[i]->Post([asked = asked_, i] { (*asked)[i] = kAnswered; });
  }
}

absl::Duration LoopWatch::Silence() const {
  const int64_t now = absl::ToInt64Nanoseconds(clock_->Monotonic());
  int64_t longest = 0;
  for (const std::atomic<int64_t>& asked : *asked_) {
    longest = std::max(longest, now - std::min(now, asked.load()));
  }
  return absl::Nanoseconds(longest);
}

}  // namespace postrider
