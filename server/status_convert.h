#pragma once

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace postrider {

// `status` as the API shows it: its text, cut to a bound, and google.rpc details made of its
// payloads (gateway/base/status.h): ErrorInfo always, BadRequest, RetryInfo and ResourceInfo where
// they apply. `status` is not OK.
google::rpc::Status ToRpcStatus(const absl::Status& status);

// The same as the end of a call; OK for OK. Text and details together, as they are encoded on the
// wire, stay below 4 KiB, for clients bound what they accept in trailers.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace postrider
