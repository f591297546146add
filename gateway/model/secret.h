#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/base/random.h"

namespace postrider {

// A subscription's secret is a string that its owner knows. It is either `whsec_` and the padded
// standard base64 of 24 to 64 bytes, as Standard Webhooks has them, or any other printable text of
// 1 to 256 bytes. Two keys follow from it.
struct SecretKeys {
  std::string hub;      // X-Hub-Signature and -256: the bytes of the whole string.
  std::string webhook;  // webhook-signature: what a `whsec_` encodes, else the same bytes.
};

// INVALID_ARGUMENT on the field `secret` if `text` is neither form; the text does not repeat it.
absl::Status ValidateSecret(absl::string_view text);

// The keys of a secret that ValidateSecret() accepts.
SecretKeys DeriveKeys(absl::string_view text);

// A new `whsec_` secret of 32 bytes from `random`.
std::string GenerateSecret(Random* random);

// What may be shown of a secret after its creation: its kind, and nothing of its bytes.
std::string RedactSecret(absl::string_view text);

}  // namespace postrider
