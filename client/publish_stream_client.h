#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "postrider/v1/publisher.pb.h"

namespace grpc {
class ChannelInterface;
}

namespace postrider {

// Publishes many events over one stream. Has a thread of its own, which reads the answers.
//
// Send() and Close() from one thread.
class PublishStreamClient {
 public:
  // Called for each event in the order sent, on the stream's thread: it is durable, or it was
  // refused and why.
  using OnAnswer = std::function<void(const v1::Event& event,
                                      const absl::StatusOr<v1::PublishReceipt>& receipt)>;

  PublishStreamClient(std::shared_ptr<grpc::ChannelInterface> channel, OnAnswer on_answer);

  // Ends the call if Close() was not called.
  ~PublishStreamClient();

  // Sends an event; gives it an id (UUIDv7) if it has none. Waits while the gateway takes no more.
  // UNAVAILABLE if the stream has ended: Close() says why.
  absl::Status Send(v1::Event event);

  // Sends nothing further and waits for the answers. OK if every event was answered.
  absl::Status Close();

  // After Close(): events that were sent and not answered. Whether they were stored is unknown;
  // sent again as they are, over a new stream, none is stored twice.
  std::vector<v1::Event> TakeUnanswered();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace postrider
