#include "gateway/dispatch/outcome_record.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

// The exception that waits or is dead after `step`; nothing after a success.
std::optional<ExceptionRow> ExceptionAfter(SubscriptionNumber subscription,
                                           const Exchange& exchange, const NextStep& step) {
  if (step.disposition == Disposition::kDelivered || step.purged) {
    return std::nullopt;
  }
  ExceptionRow row;
  if (exchange.retry.has_value()) {
    row = *exchange.retry;
  } else {
    row.key = {.shard = exchange.entry.shard,
               .subscription = subscription,
               .seq = exchange.entry.seq,
               .origin = exchange.origin};
    row.ordering_key = exchange.ordering_key;
  }
  if (row.attempts + row.throttled == 0) {
    row.first_attempt_time = exchange.start_time;
  }
  const bool dead = step.disposition == Disposition::kDead;
  row.state = dead ? ExceptionState::kDead : ExceptionState::kWaiting;
  row.dead_reason = step.dead_reason;
  (step.charged ? row.attempts : row.throttled) += 1;
  row.due_time = step.due_time;
  return row;
}

AttemptOrigin OriginOf(const Exchange& exchange) {
  if (exchange.retry.has_value() && exchange.retry->redriven) {
    return AttemptOrigin::kRedrive;
  }
  if (exchange.origin != kOriginLog) {
    return AttemptOrigin::kReplay;
  }
  // The first attempt settles the pair, also if it was parked before (R1).
  return exchange.charged() + exchange.throttled() > 0 ? AttemptOrigin::kRetry
                                                       : AttemptOrigin::kLog;
}

}  // namespace

PostResult ResultWithoutPost(const Exchange& exchange) {
  if (exchange.dead_reason == DeadReason::kTooLarge) {
    return {.outcome = Outcome::kTooLarge,
            .error_text = absl::StrCat("its body of ", exchange.entry.event->body.size(),
                                       " bytes is larger than the subscription takes")};
  }
  if (exchange.dead_reason == DeadReason::kQuarantined) {
    return {.outcome = Outcome::kQuarantined,
            .error_text = absl::StrCat("it has brought the gateway down ", kDeathsMax, " times")};
  }
  return {.outcome = Outcome::kExpired, .error_text = "its time was over"};
}

OutcomeRecord MakeParkedRecord(SubscriptionNumber subscription, const LogEntry& entry,
                               OrderingKey key) {
  ExceptionRow row;
  row.key = {
      .shard = entry.shard, .subscription = subscription, .seq = entry.seq, .origin = kOriginLog};
  row.state = ExceptionState::kParked;
  row.due_time = entry.accept_time;
  row.first_attempt_time = entry.accept_time;
  row.ordering_key = key;
  OutcomeRecord record;
  record.put_exception = PutException{row};
  return record;
}

OutcomeRecord MakeOutcomeRecord(SubscriptionNumber subscription, const Exchange& exchange,
                                const PostResult& result, const NextStep& step) {
  OutcomeRecord record;
  Attempt& attempt = record.attempt.emplace();
  attempt.subscription = subscription;
  attempt.seq = exchange.entry.seq;
  attempt.origin = OriginOf(exchange);
  attempt.disposition = step.disposition;
  attempt.outcome = result.outcome;
  attempt.number = exchange.attempt_number;
  attempt.http_status = result.http_status;
  attempt.time = exchange.start_time;
  attempt.latency = result.latency;
  attempt.error_text = result.error_text;
  attempt.response = result.response;
  if (step.disposition == Disposition::kException) {
    attempt.next_attempt_time = step.due_time;
  }
  const std::optional<ExceptionRow> exception = ExceptionAfter(subscription, exchange, step);
  record.replay = exchange.retry.has_value() ? kOriginLog : exchange.origin;
  if (exchange.retry.has_value()) {
    record.resolve_exception = ResolveException{
        .key = exchange.retry->key, .generation = exchange.retry->generation, .next = exception};
    record.resolve_exception->ordering_key = exchange.ordering_key;
  } else if (exception.has_value()) {
    record.put_exception = PutException{*exception};
  }
  return record;
}

CommittedOutcome NoticeOf(const OutcomeRecord& record) {
  CommittedOutcome notice;
  notice.replay = record.replay;
  std::optional<ExceptionRow> waits;
  if (record.attempt.has_value()) {
    notice.subscription = record.attempt->subscription;
    notice.seq = record.attempt->seq;
  }
  if (record.put_exception.has_value()) {
    waits = record.put_exception->row;
    notice.subscription = waits->key.subscription;
    notice.seq = waits->key.seq;
  }
  if (record.resolve_exception.has_value()) {
    notice.resolved = record.resolve_exception->key;
    waits = record.resolve_exception->next;
  }
  if (waits.has_value() && waits->state == ExceptionState::kDead) {
    notice.dead_key = waits->ordering_key;
  }
  if (waits.has_value() && waits->state == ExceptionState::kWaiting) {
    notice.due_time = waits->due_time;
    if (!notice.resolved.has_value()) {
      notice.added = waits->key;
    }
  }
  return notice;
}

}  // namespace postrider
