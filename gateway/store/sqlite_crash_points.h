#pragma once

#include "absl/types/span.h"
#include "gateway/store/store.h"

namespace postrider {

// The crash points round the commit of a group, by the kinds of write that it holds.
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
