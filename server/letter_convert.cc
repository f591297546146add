#include "server/letter_convert.h"

#include "gateway/base/status.h"
#include "gateway/base/uuid.h"
#include "server/text.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

v1::DeadReason ReasonToProto(DeadReason reason) {
  switch (reason) {
    case DeadReason::kNone: return v1::DEAD_REASON_UNSPECIFIED;
    case DeadReason::kExhausted: return v1::DEAD_REASON_EXHAUSTED;
    case DeadReason::kExpired: return v1::DEAD_REASON_EXPIRED;
    case DeadReason::kTooLarge: return v1::DEAD_REASON_TOO_LARGE;
    case DeadReason::kQuarantined: return v1::DEAD_REASON_QUARANTINED;
  }
  return v1::DEAD_REASON_UNSPECIFIED;
}

v1::DeliveryState StateToProto(DeliveryState state) {
  switch (state) {
    case DeliveryState::kNotMatching: return v1::DELIVERY_STATE_NOT_MATCHING;
    case DeliveryState::kDelivered: return v1::DELIVERY_STATE_DELIVERED;
    case DeliveryState::kWaiting: return v1::DELIVERY_STATE_WAITING;
    case DeliveryState::kWaitingRetry: return v1::DELIVERY_STATE_WAITING_RETRY;
    case DeliveryState::kParked: return v1::DELIVERY_STATE_PARKED;
    case DeliveryState::kDead: return v1::DELIVERY_STATE_DEAD;
    case DeliveryState::kPassed: return v1::DELIVERY_STATE_PASSED;
  }
  return v1::DELIVERY_STATE_UNSPECIFIED;
}

v1::DeliveryMismatch MismatchToProto(Match match) {
  switch (match) {
    case Match::kOwed: return v1::DELIVERY_MISMATCH_UNSPECIFIED;
    case Match::kNotStarted: return v1::DELIVERY_MISMATCH_UNVERIFIED;
    case Match::kBeforeStart: return v1::DELIVERY_MISMATCH_BEFORE_START;
    case Match::kPurged: return v1::DELIVERY_MISMATCH_PURGED;
    case Match::kOrganization: return v1::DELIVERY_MISMATCH_ORGANIZATION;
    case Match::kType: return v1::DELIVERY_MISMATCH_TYPE;
    case Match::kTargets: return v1::DELIVERY_MISMATCH_TARGETS;
    case Match::kAbout: return v1::DELIVERY_MISMATCH_ABOUT;
  }
  return v1::DELIVERY_MISMATCH_UNSPECIFIED;
}

absl::Status CheckEvent(const std::string& organization, const std::string& event_id) {
  if (organization.empty()) {
    return InvalidField("organization", "is empty; event_id needs it");
  }
  if (!Uuid::Parse(event_id).has_value()) {
    return InvalidField("event_id", "is not a UUID of 36 characters");
  }
  return absl::OkStatus();
}

absl::Status CheckSubscription(const std::string& id) {
  return id.empty() ? InvalidField("subscription_id", "is empty") : absl::OkStatus();
}

void LastAttemptToProto(const Attempt& attempt, v1::ExplainDeliveryResponse* result) {
  TimeToProto(attempt.time, result->mutable_last_attempt_time());
  result->set_attempts(attempt.number);
  result->set_last_error(ValidUtf8(attempt.error_text));
  if (attempt.http_status != 0) {
    result->set_last_http_status(attempt.http_status);
  }
}

}  // namespace

absl::StatusOr<RedriveOrder> RedriveFromProto(const v1::RedriveRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  RETURN_IF_ERROR(CheckSubscription(request.subscription_id()));
  const bool one = !request.organization().empty() || !request.event_id().empty();
  if (one == request.all()) {
    return InvalidField("all", one ? "and an event are both given; give one of them"
                                   : "is false and no event is given; give one of them");
  }
  if (one) {
    RETURN_IF_ERROR(CheckEvent(request.organization(), request.event_id()));
  }
  return RedriveOrder{.subscription_id = request.subscription_id(),
                      .organization = request.organization(),
                      .event_id = request.event_id()};
}

absl::StatusOr<PurgeOrder> PurgeFromProto(const v1::PurgeRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  RETURN_IF_ERROR(CheckSubscription(request.subscription_id()));
  PurgeOrder order;
  order.subscription_id = request.subscription_id();
  order.dead_letters_only = request.dead_letters_only();
  order.filter.event_types = {request.event_types().begin(), request.event_types().end()};
  if (request.has_accepted_before()) {
    ASSIGN_OR_RETURN(order.filter.accepted_before,
                     TimeFromProto("accepted_before", request.accepted_before()));
  }
  const bool bounded = order.dead_letters_only || !order.filter.empty();
  if (bounded == request.everything()) {
    return InvalidField("everything", bounded
                                          ? "is true, but a part is asked for; give one of them"
                                          : "is false and no part is asked for; give one of them");
  }
  return order;
}

absl::Status CheckExplain(const v1::ExplainDeliveryRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  RETURN_IF_ERROR(CheckSubscription(request.subscription_id()));
  return CheckEvent(request.organization(), request.event_id());
}

v1::RedriveResponse ToProto(const RedriveResult& result) {
  v1::RedriveResponse response;
  response.set_redriven_count(static_cast<int64_t>(result.rows));
  response.set_more(result.more);
  return response;
}

void DeadLetterToProto(const DeadLetter& letter, v1::DeadLetter* result) {
  if (letter.event_id.has_value()) {
    result->set_event_id(letter.event_id->ToString());
    result->set_organization(letter.organization);
    result->set_event_type(letter.event_type);
    TimeToProto(letter.accept_time, result->mutable_accept_time());
  }
  result->set_reason(ReasonToProto(letter.row.dead_reason));
  result->set_attempts(letter.row.attempts);
  TimeToProto(letter.row.first_attempt_time, result->mutable_first_attempt_time());
  result->set_redriven(letter.row.redriven);
}

void ExplanationToProto(const DeliveryExplanation& explanation,
                        v1::ExplainDeliveryResponse* result) {
  result->set_state(StateToProto(explanation.state));
  result->set_explanation(ValidUtf8(explanation.text));
  if (explanation.state == DeliveryState::kNotMatching) {
    result->set_mismatch(MismatchToProto(explanation.match));
  }
  if (explanation.last_attempt.has_value()) {
    LastAttemptToProto(*explanation.last_attempt, result);
  }
  if (explanation.exception.has_value()) {
    result->set_attempts(explanation.exception->attempts);
    result->set_dead_reason(ReasonToProto(explanation.exception->dead_reason));
  }
  if (explanation.state == DeliveryState::kWaitingRetry) {
    TimeToProto(explanation.exception->due_time, result->mutable_next_attempt_time());
  }
  if (explanation.parked_behind.has_value()) {
    result->set_parked_behind_event_id(explanation.parked_behind->ToString());
  }
  result->set_events_before(static_cast<int64_t>(explanation.events_before));
}

}  // namespace postrider
