#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Signs what is sent to one subscription, with its secrets.
//
// HMAC hashes a block derived from the key before the data; those hashes are kept, because for a
// small body they are most of the work. Immutable and thread-safe.
class Signer {
 public:
  // `secrets` are valid, oldest first, at least one.
  explicit Signer(absl::Span<const Secret> secrets);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  struct Message {
    absl::string_view id;  // webhook-id.
    absl::Time now;        // Of this attempt: webhook-timestamp, and which secrets live.
    absl::string_view body;
  };

  // Appends the header lines webhook-id, webhook-timestamp, webhook-signature (by every live
  // secret, the newest first), X-Hub-Signature and X-Hub-Signature-256 (by the oldest live one).
  // If all have expired, the newest signs.
  void AppendHeaders(const Message& message, std::string* out) const;

 private:
  struct Key;

  std::vector<Key> keys_;  // Oldest first.
};

}  // namespace postrider
