#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace postrider {

inline constexpr size_t kPageSizeDefault = 50;
inline constexpr size_t kPageSizeMax = 500;

// A page's answer is cut short at this size: clients refuse messages above 4 MiB.
inline constexpr size_t kPageBytesMax = 1024 * 1024;

// The number of entries to answer with. INVALID_ARGUMENT if `page_size` is negative.
absl::StatusOr<size_t> PageSize(int32_t page_size);

// A token, safe in URLs, that says where the next page of `request` begins. `position` is up to the
// list; it is not secret.
std::string EncodePageToken(const google::protobuf::Message& request, absl::string_view position);

// The position in the `page_token` of `request`; empty if it has none. INVALID_ARGUMENT if the
// token is not one of ours, or of a request that differs in more than `page_size` and `page_token`.
absl::StatusOr<std::string> DecodePageToken(const google::protobuf::Message& request);

}  // namespace postrider
