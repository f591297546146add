#include "server/live_streams.h"

namespace postrider {

void LiveStreams::Add(const std::shared_ptr<LiveStream>& stream) {
  bool draining = false;
  {
    const MutexLock lock(&mutex_);
    streams_.insert(stream);
    draining = draining_;
  }
  if (draining) {
    stream->Drain();
  }
}

void LiveStreams::Remove(const std::shared_ptr<LiveStream>& stream) {
  const MutexLock lock(&mutex_);
  streams_.erase(stream);
}

// Streams are called without the lock, for they may end and want to be removed.
std::vector<std::shared_ptr<LiveStream>> LiveStreams::All() const {
  const MutexLock lock(&mutex_);
  return {streams_.begin(), streams_.end()};
}

void LiveStreams::EndStalled(absl::Duration now) {
  for (const std::shared_ptr<LiveStream>& stream : All()) {
    stream->EndIfStalled(now);
  }
}

void LiveStreams::DrainAll() {
  {
    const MutexLock lock(&mutex_);
    draining_ = true;
  }
  for (const std::shared_ptr<LiveStream>& stream : All()) {
    stream->Drain();
  }
}

}  // namespace postrider
