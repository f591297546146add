#include "server/status_convert.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gateway/base/status.h"
#include "google/rpc/error_details.pb.h"
#include "server/text.h"

namespace postrider {
namespace {

constexpr absl::string_view kDomain = "postrider";

// With these, 4 KiB hold the text, which may triple in a header, and the details in base64.
constexpr size_t kMessageBytesMax = 512;
constexpr size_t kFieldBytesMax = 256;
constexpr size_t kResourceBytesMax = 256;
constexpr size_t kReasonBytesMax = 63;

std::optional<std::string> Payload(const absl::Status& status, absl::string_view url,
                                   size_t bytes_max) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  return Truncated(ValidUtf8(std::string(*payload)), bytes_max);
}

void AddErrorInfo(const absl::Status& status, google::rpc::Status* result) {
  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kDomain));
  info.set_reason(Payload(status, kReasonPayload, kReasonBytesMax)
                      .value_or(absl::StatusCodeToString(status.code())));
  result->add_details()->PackFrom(info);
}

void AddBadRequest(const absl::Status& status, google::rpc::Status* result) {
  const std::optional<std::string> field = Payload(status, kFieldPayload, kFieldBytesMax);
  if (!field.has_value()) return;
  google::rpc::BadRequest bad_request;
  google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
  violation->set_field(*field);
  violation->set_description(result->message());
  result->add_details()->PackFrom(bad_request);
}

void AddRetryInfo(const absl::Status& status, google::rpc::Status* result) {
  const std::optional<std::string> text = Payload(status, kRetryPayload, kFieldBytesMax);
  int64_t milliseconds = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &milliseconds)) return;
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(milliseconds / 1000);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
  result->add_details()->PackFrom(info);
}

void AddResourceInfo(const absl::Status& status, google::rpc::Status* result) {
  const std::optional<std::string> text = Payload(status, kResourcePayload, kResourceBytesMax);
  if (!text.has_value()) return;
  const std::pair<std::string, std::string> resource =
      absl::StrSplit(*text, absl::MaxSplits(':', 1));
  google::rpc::ResourceInfo info;
  info.set_resource_type(resource.first);
  info.set_resource_name(resource.second);
  result->add_details()->PackFrom(info);
}

}  // namespace

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status result;
  result.set_code(static_cast<int32_t>(status.code()));
  result.set_message(Truncated(ValidUtf8(status.message()), kMessageBytesMax));
  AddErrorInfo(status, &result);
  AddBadRequest(status, &result);
  AddRetryInfo(status, &result);
  AddResourceInfo(status, &result);
  return result;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status rpc_status = ToRpcStatus(status);
  return grpc::Status(static_cast<grpc::StatusCode>(rpc_status.code()), rpc_status.message(),
                      rpc_status.SerializeAsString());
}

}  // namespace postrider
