#include "client/rpc_status.h"

#include <utility>

#include "absl/time/time.h"
#include "gateway/base/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace postrider {

absl::Status FromGrpc(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (status.ok() || !details.ParseFromString(status.error_details())) {
    return result;
  }
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) {
      result = WithReason(std::move(result), info.reason());
    } else if (detail.UnpackTo(&retry)) {
      result = WithRetry(std::move(result), absl::Seconds(retry.retry_delay().seconds()) +
                                                absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
  return result;
}

}  // namespace postrider
