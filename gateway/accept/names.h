#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// The rules of the names and texts that events and subscriptions share. `field` is the path that an
// error (always INVALID_ARGUMENT) names. Pure functions.
namespace postrider {

// 1 to kOrganizationBytesMax of letters, digits and `. _ : ~ @ -`.
absl::Status ValidateOrganization(absl::string_view field, absl::string_view organization);

// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`: what a DNS label may be.
absl::Status ValidateSubscriptionId(absl::string_view field, absl::string_view id);

// At most `bytes_max` bytes of UTF-8 without control characters.
absl::Status ValidateText(absl::string_view field, absl::string_view text, size_t bytes_max);

// The same, but line breaks and tabs are allowed, and no other limit than the bytes.
absl::Status ValidateProse(absl::string_view field, absl::string_view text, size_t bytes_max);

// "300 bytes; the limit is 256" if `size` > `limit`.
absl::Status ValidateSize(absl::string_view field, size_t size, size_t limit,
                          absl::string_view unit = "bytes");

// `data["message"]`: how an error names an entry of a map; keys that would garble the path are cut
// and escaped.
std::string MapEntryPath(absl::string_view map, absl::string_view key);

// `event_types[3]`: how an error names an element of a list.
std::string ElementPath(absl::string_view list, size_t index);

}  // namespace postrider
