#pragma once

#include "absl/types/span.h"
#include "gateway/store/store.h"

namespace postrider {

// Where a test may have the process die around a commit, by what the commit holds
// (gateway/base/crash_point.h).
class CommitCrashPoints {
 public:
  explicit CommitCrashPoints(absl::Span<const Batch> batches);

  void PassBefore() const;
  void PassAfter() const;

 private:
  bool append_ = false;
  bool outcome_ = false;
  bool configuration_ = false;
};

}  // namespace postrider
