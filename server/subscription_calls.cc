#include "server/subscription_calls.h"

#include "absl/time/time.h"
#include "gateway/base/status.h"
#include "server/attempt_convert.h"
#include "server/text.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

template <typename Request>
absl::Status CheckById(const Request& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  return request.subscription_id().empty() ? InvalidField("subscription_id", "is empty")
                                           : absl::OkStatus();
}

template <typename Request>
absl::StatusOr<SubscriptionTarget> Target(const Request& request) {
  RETURN_IF_ERROR(CheckById(request));
  return SubscriptionTarget{.id = request.subscription_id(), .etag = request.etag()};
}

template <typename Request>
absl::StatusOr<SubscriptionTarget> TargetWithBacklog(const Request& request) {
  ASSIGN_OR_RETURN(SubscriptionTarget target, Target(request));
  target.skip_backlog = request.skip_backlog();
  return target;
}

}  // namespace

absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::PauseSubscriptionRequest& request) {
  return Target(request);
}

absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::ResumeSubscriptionRequest& request) {
  return TargetWithBacklog(request);
}

absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::EnableSubscriptionRequest& request) {
  return TargetWithBacklog(request);
}

absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::VerifySubscriptionRequest& request) {
  return Target(request);
}

absl::StatusOr<SubscriptionTest> TestFromProto(const v1::TestSubscriptionRequest& request) {
  RETURN_IF_ERROR(CheckById(request));
  return SubscriptionTest{
      .id = request.subscription_id(), .etag = request.etag(), .enable = request.enable()};
}

absl::StatusOr<SecretRotation> RotationFromProto(const v1::RotateSecretRequest& request) {
  RETURN_IF_ERROR(CheckById(request));
  SecretRotation rotation{
      .id = request.subscription_id(), .etag = request.etag(), .secret = request.secret()};
  if (request.has_overlap()) {
    if (request.expire_old_now()) {
      return InvalidField("overlap", "and `expire_old_now` are both given; give one of them");
    }
    ASSIGN_OR_RETURN(rotation.overlap, DurationFromProto("overlap", request.overlap()));
  }
  if (request.expire_old_now()) {
    rotation.overlap = absl::ZeroDuration();
  }
  return rotation;
}

void TestedToProto(const TestedSubscription& tested, v1::TestSubscriptionResponse* response) {
  const PostResult& result = tested.result;
  response->set_event_id(tested.event_id.ToString());
  response->set_outcome(OutcomeToProto(result.outcome));
  if (result.http_status != 0) {
    response->set_http_status(result.http_status);
  }
  DurationToProto(result.latency, response->mutable_latency());
  response->set_error(ValidUtf8(result.error_text));
  response->set_response(ValidUtf8(result.response));
}

}  // namespace postrider
