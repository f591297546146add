// Goal: every error of the engine becomes a gRPC status whose details a program can read, and that
// fits into what clients accept as trailers.
#include "server/status_convert.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

template <typename Detail>
Detail Only(const google::rpc::Status& status) {
  Detail found;
  int count = 0;
  for (const auto& detail : status.details()) {
    if (detail.Is<Detail>()) {
      EXPECT_TRUE(detail.UnpackTo(&found));
      ++count;
    }
  }
  EXPECT_EQ(count, 1) << Detail::descriptor()->full_name();
  return found;
}

TEST(StatusConvert, AWrongFieldIsNamedInTheTextAndInBadRequest) {
  const google::rpc::Status status =
      ToRpcStatus(InvalidField("event.type", "is empty; 1 to 8 segments"));

  EXPECT_EQ(status.code(), 3);
  EXPECT_EQ(status.message(), "event.type: is empty; 1 to 8 segments");
  EXPECT_EQ(status.details_size(), 2);
  const auto info = Only<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.domain(), "postrider");
  EXPECT_EQ(info.reason(), "INVALID_ARGUMENT");
  const auto bad_request = Only<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "event.type");
}

TEST(StatusConvert, ReasonRetryAndResourceBecomeDetails) {
  const google::rpc::Status status = ToRpcStatus(
      WithRetry(WithReason(WithResource(absl::UnavailableError("full"), "event", "a:b"), "FULL"),
                absl::Milliseconds(1500)));

  EXPECT_EQ(status.code(), 14);
  EXPECT_EQ(status.details_size(), 3);
  EXPECT_EQ(Only<google::rpc::ErrorInfo>(status).reason(), "FULL");
  const auto retry = Only<google::rpc::RetryInfo>(status);
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
  const auto resource = Only<google::rpc::ResourceInfo>(status);
  EXPECT_EQ(resource.resource_type(), "event");
  EXPECT_EQ(resource.resource_name(), "a:b");
}

TEST(StatusConvert, EveryErrorHasErrorInfo) {
  for (int code = 1; code <= 16; ++code) {
    const auto status =
        ToRpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "what happened"));
    EXPECT_EQ(status.code(), code);
    EXPECT_THAT(Only<google::rpc::ErrorInfo>(status).reason(),
                testing::MatchesRegex("[A-Z][A-Z0-9_]+[A-Z0-9]"));
  }
}

// What the two trailers cost as they are sent: percent-encoded, and in base64.
size_t TrailerBytes(const grpc::Status& status) {
  return 3 * status.error_message().size() + absl::Base64Escape(status.error_details()).size();
}

TEST(StatusConvert, StaysBelowFourKilobytesWhateverIsInIt) {
  for (const char* piece : {"x", "\xC3\xA9", "\xF0\x9F\x98\x80", "\x01", "\xFF"}) {
    std::string huge;
    for (int i = 0; i < 20'000; ++i) huge += piece;
    const grpc::Status status = ToGrpc(WithRetry(
        WithResource(WithReason(InvalidField(huge, huge), huge), huge, huge), absl::Hours(1)));
    EXPECT_LT(TrailerBytes(status), 4096u) << piece;
    google::rpc::Status details;
    ASSERT_TRUE(details.ParseFromString(status.error_details()));  // Fails for invalid UTF-8.
    EXPECT_EQ(details.details_size(), 4);
  }
}

TEST(StatusConvert, OkIsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

}  // namespace
}  // namespace postrider
