#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gateway/base/work_item.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// What a Poster has made ready for one version of one subscription: parsed URL, keys, header bytes.
// Immutable; shared by the exchanges that use it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
};

struct PostRequest {
  std::shared_ptr<const Endpoint> endpoint;
  std::shared_ptr<const Event> event;
  int attempt_number = 1;
  bool keep_response = false;  // Waits for the beginning of a success's body too, and keeps it.
  WorkItem item;               // What is worked on while it is under way (E8); none: a test.
};

// What came of one exchange.
struct PostResult {
  Outcome outcome = Outcome::kSuccess;
  int http_status = 0;                        // 0: no response.
  std::optional<absl::Duration> retry_after;  // From the response, at least 0.
  absl::Duration latency;
  std::string error_text;  // As Attempt::error_text.
  std::string response;    // As Attempt::response.

  bool success() const { return outcome == Outcome::kSuccess; }
};

// Makes HTTP exchanges with subscribers. Each loop has its own; used only on that loop.
class Poster {
 public:
  using Done = absl::AnyInvocable<void(PostResult) &&>;

  virtual ~Poster() = default;

  // Makes `subscription` ready to be sent to. Its URL and secrets have been validated.
  virtual std::shared_ptr<const Endpoint> Prepare(const Subscription& subscription) = 0;

  // Signs and POSTs the event's body, stamped with the time now. Calls `done` exactly once, on the
  // loop, never from within Post(): as soon as the response's status is known, or the exchange has
  // failed, at the endpoint's timeout at the latest.
  virtual void Post(PostRequest request, Done done) = 0;

  // GETs the endpoint's URL with `type=subscribe&challenge=<challenge>` added to its query. Success
  // means 2xx and a body equal to `challenge`; anything else has an error text. `done` as for
  // Post().
  virtual void Challenge(std::shared_ptr<const Endpoint> endpoint, std::string challenge,
                         Done done) = 0;
};

}  // namespace postrider
