#include "server/attempt_convert.h"

#include <utility>

#include "server/text.h"
#include "server/time_convert.h"

namespace postrider {
namespace {

v1::AttemptDisposition DispositionToProto(Disposition disposition) {
  switch (disposition) {
    case Disposition::kDelivered: return v1::ATTEMPT_DISPOSITION_DELIVERED;
    case Disposition::kException: return v1::ATTEMPT_DISPOSITION_RETRY;
    case Disposition::kDead: return v1::ATTEMPT_DISPOSITION_DEAD;
    case Disposition::kStillOwed: return v1::ATTEMPT_DISPOSITION_STILL_OWED;
  }
  return v1::ATTEMPT_DISPOSITION_UNSPECIFIED;
}

v1::AttemptOrigin OriginToProto(AttemptOrigin origin) {
  switch (origin) {
    case AttemptOrigin::kLog: return v1::ATTEMPT_ORIGIN_FIRST;
    case AttemptOrigin::kRetry: return v1::ATTEMPT_ORIGIN_RETRY;
    case AttemptOrigin::kReplay: return v1::ATTEMPT_ORIGIN_REPLAY;
    case AttemptOrigin::kRedrive: return v1::ATTEMPT_ORIGIN_REDRIVE;
    case AttemptOrigin::kTest: return v1::ATTEMPT_ORIGIN_TEST;
  }
  return v1::ATTEMPT_ORIGIN_UNSPECIFIED;
}

}  // namespace

v1::AttemptOutcome OutcomeToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess: return v1::ATTEMPT_OUTCOME_SUCCESS;
    case Outcome::kHttpStatus: return v1::ATTEMPT_OUTCOME_HTTP_STATUS;
    case Outcome::kDnsError: return v1::ATTEMPT_OUTCOME_DNS_ERROR;
    case Outcome::kAddressDenied: return v1::ATTEMPT_OUTCOME_ADDRESS_DENIED;
    case Outcome::kConnectError: return v1::ATTEMPT_OUTCOME_CONNECT_ERROR;
    case Outcome::kTlsError: return v1::ATTEMPT_OUTCOME_TLS_ERROR;
    case Outcome::kTimeout: return v1::ATTEMPT_OUTCOME_TIMEOUT;
    case Outcome::kConnectionClosed: return v1::ATTEMPT_OUTCOME_CONNECTION_CLOSED;
    case Outcome::kProtocolError: return v1::ATTEMPT_OUTCOME_PROTOCOL_ERROR;
    case Outcome::kInternalError: return v1::ATTEMPT_OUTCOME_INTERNAL_ERROR;
    case Outcome::kExpired: return v1::ATTEMPT_OUTCOME_EXPIRED;
    case Outcome::kTooLarge: return v1::ATTEMPT_OUTCOME_TOO_LARGE;
    case Outcome::kQuarantined: return v1::ATTEMPT_OUTCOME_QUARANTINED;
  }
  return v1::ATTEMPT_OUTCOME_UNSPECIFIED;
}

void AttemptToProto(const ListedAttempt& listed, std::string subscription_id, v1::Attempt* result) {
  const Attempt& attempt = listed.attempt;
  result->set_event_id(listed.event_id.ToString());
  result->set_organization(listed.organization);
  result->set_event_type(listed.event_type);
  result->set_subscription_id(std::move(subscription_id));
  result->set_number(attempt.number);
  TimeToProto(attempt.time, result->mutable_time());
  result->set_outcome(OutcomeToProto(attempt.outcome));
  result->set_disposition(DispositionToProto(attempt.disposition));
  result->set_origin(OriginToProto(attempt.origin));
  if (attempt.http_status != 0) {
    result->set_http_status(attempt.http_status);
  }
  DurationToProto(attempt.latency, result->mutable_latency());
  result->set_error(ValidUtf8(attempt.error_text));
  result->set_response(ValidUtf8(attempt.response));
  if (attempt.next_attempt_time.has_value()) {
    TimeToProto(*attempt.next_attempt_time, result->mutable_next_attempt_time());
  }
}

}  // namespace postrider
