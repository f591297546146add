#pragma once

#include <memory>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gateway/base/mutex.h"

namespace postrider {

// A stream that is open.
class LiveStream {
 public:
  virtual ~LiveStream() = default;

  // Ends the stream if its client has not read for too long at `now`, of Clock::Monotonic().
  // Thread-safe.
  virtual void EndIfStalled(absl::Duration now) = 0;

  // Reads no further; ends the stream once everything that was read is answered. Thread-safe.
  virtual void Drain() = 0;
};

// The streams that are open, for those who end them: the server's tick and its shutdown, which
// would wait for ever for a stream that does not end. Thread-safe. Must outlive the streams.
class LiveStreams {
 public:
  // Drains `stream` at once if DrainAll() was called before.
  void Add(const std::shared_ptr<LiveStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const std::shared_ptr<LiveStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_);

  void EndStalled(absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);
  void DrainAll() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::vector<std::shared_ptr<LiveStream>> All() const ABSL_LOCKS_EXCLUDED(mutex_);

  mutable Mutex mutex_;
  std::set<std::shared_ptr<LiveStream>> streams_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace postrider
