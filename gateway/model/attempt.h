#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/model/ids.h"

namespace postrider {

// Which lane made an attempt (R1). The numbers are stored.
enum class AttemptOrigin : uint8_t { kLog = 0, kRetry = 1, kReplay = 2, kRedrive = 3, kTest = 4 };

// What follows from an attempt (R1). The numbers are stored.
enum class Disposition : uint8_t {
  kDelivered = 0,
  kException = 1,  // Will be tried again: a row of the exceptions says when.
  kDead = 2,       // Will not be tried again.
  kStillOwed = 3,  // Throttled, our own fault, a probe: as if it had not been made.
};

// What came of an exchange. The numbers are stored.
enum class Outcome : uint8_t {
  kSuccess = 0,        // 2xx.
  kHttpStatus = 1,     // Any other status.
  kDnsError = 2,       // The name does not resolve.
  kAddressDenied = 3,  // It resolves to an address that is not allowed.
  kConnectError = 4,
  kTlsError = 5,
  kTimeout = 6,
  kConnectionClosed = 7,  // Before a whole response header.
  kProtocolError = 8,     // Not HTTP, or beyond the limits.
  kInternalError = 9,     // Our own fault (E7): not charged to the subscriber.
  kExpired = 10,          // Its time was over: no exchange was made (E6).
  kTooLarge = 11,         // Its body is too large for the subscriber: no exchange was made (E6).
  kQuarantined = 12,      // It has brought the process down: no exchange was made (E8).
};

// One POST of one delivery, and what came of it. Append-only.
struct Attempt {
  SubscriptionNumber subscription = 0;
  Seq seq = 0;
  AttemptOrigin origin = AttemptOrigin::kLog;
  Disposition disposition = Disposition::kDelivered;
  Outcome outcome = Outcome::kSuccess;
  int number = 0;       // 1 is the first attempt of the delivery.
  int http_status = 0;  // 0: no response.
  absl::Time time;      // When it began.
  absl::Duration latency;
  std::optional<absl::Time> next_attempt_time;
  std::string
      error_text;        // For the subscription's owner: no internal addresses. At most 512 bytes.
  std::string response;  // The first bytes of a failed response's body: kResponseKeptBytes at most.

  // Whether it settles the pair (subscription, seq) for the tail and for readers (R1).
  bool settles() const {
    return origin == AttemptOrigin::kLog && disposition != Disposition::kStillOwed;
  }
};

}  // namespace postrider
