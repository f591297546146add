#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "postrider/v1/publisher.pb.h"

namespace grpc {
class ChannelInterface;
}

namespace postrider {

// Publishes single events and tries again where that is safe and useful. Thread-safe.
class PublisherClient {
 public:
  struct Options {
    absl::Duration deadline = absl::Seconds(30);          // For all attempts together.
    absl::Duration attempt_deadline = absl::Seconds(10);  // For each.
    absl::Duration wait_min = absl::Milliseconds(100);    // Before the second; doubles each time,
    absl::Duration wait_max = absl::Seconds(5);           // up to this. Less by up to a half.
    const Clock* clock = SystemClock();
    Random* random = SystemRandom();
    // Waits between attempts. Empty: this thread sleeps.
    std::function<void(absl::Duration)> wait;
    // Called before each wait: why the attempt failed, and how long attempts are still made. May be
    // empty.
    std::function<void(const absl::Status& failure, absl::Duration left)> on_failure;
  };

  PublisherClient(std::shared_ptr<grpc::ChannelInterface> channel, Options options);
  ~PublisherClient();

  // Returns once the event is durable, or with the last attempt's error. An event without an id is
  // given one (UUIDv7), so that what is tried again is never stored twice. Tries again after
  // UNAVAILABLE and DEADLINE_EXCEEDED, and after RESOURCE_EXHAUSTED if the server says when; never
  // sooner than it says.
  absl::StatusOr<v1::PublishResponse> Publish(v1::Event event);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// Gives `event` an id if it has none.
void EnsureId(const Clock& clock, Random* random, v1::Event* event);

}  // namespace postrider
