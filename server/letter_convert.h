#pragma once

#include "absl/status/statusor.h"
#include "gateway/delivery_explanation.h"
#include "gateway/gateway.h"
#include "postrider/v1/dead_letter.pb.h"
#include "postrider/v1/explanation.pb.h"

namespace postrider {

// What is asked of dead letters. INVALID_ARGUMENT, naming the field, for what the engine could not
// see any more.
absl::StatusOr<RedriveOrder> RedriveFromProto(const v1::RedriveRequest& request);
absl::StatusOr<PurgeOrder> PurgeFromProto(const v1::PurgeRequest& request);
absl::Status CheckExplain(const v1::ExplainDeliveryRequest& request);

v1::RedriveResponse ToProto(const RedriveResult& result);
void DeadLetterToProto(const DeadLetter& letter, v1::DeadLetter* result);
void ExplanationToProto(const DeliveryExplanation& explanation,
                        v1::ExplainDeliveryResponse* result);

}  // namespace postrider
