#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace postrider {

// INVALID_ARGUMENT if `message`, or a message in it, has a field that its schema does not: what a
// client meant to say would silently not happen. The text names the field's number, its message and
// the path to it from `path` on, which is that of `message` itself, empty for a request. Values of
// maps and what is in a google.protobuf.Struct are not looked at.
absl::Status RefuseUnknownFields(absl::string_view path, const google::protobuf::Message& message);

}  // namespace postrider
