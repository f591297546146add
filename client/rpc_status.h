#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace postrider {

// The end of a call as a Status, with the gateway's reason (ErrorInfo), which every error of its
// has, as kReasonPayload and the wait that it asked for (RetryInfo) as kRetryPayload.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace postrider
