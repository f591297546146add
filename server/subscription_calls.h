#pragma once

#include "absl/status/statusor.h"
#include "gateway/gateway.h"
#include "postrider/v1/subscription_service.pb.h"

// What the calls that change one fact of a subscription ask for, and what a test answers. Each is
// INVALID_ARGUMENT, with the field, for unknown fields and an id that is empty.
namespace postrider {

absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::PauseSubscriptionRequest& request);
absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::ResumeSubscriptionRequest& request);
absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::EnableSubscriptionRequest& request);
absl::StatusOr<SubscriptionTarget> TargetFromProto(const v1::VerifySubscriptionRequest& request);
absl::StatusOr<SubscriptionTest> TestFromProto(const v1::TestSubscriptionRequest& request);

// Also for an overlap that is no duration, or is given together with `expire_old_now`.
absl::StatusOr<SecretRotation> RotationFromProto(const v1::RotateSecretRequest& request);

// All but the subscription.
void TestedToProto(const TestedSubscription& tested, v1::TestSubscriptionResponse* response);

}  // namespace postrider
