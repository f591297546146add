#include "gateway/delivery_explanation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

std::string TextOf(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string TextOf(Match match) {
  switch (match) {
    case Match::kOwed: return "it is owed";
    case Match::kNotStarted: return "the subscription has never been verified";
    case Match::kBeforeStart:
      return "it was accepted before the subscription's start, or before a purge of everything";
    case Match::kPurged: return "it was purged";
    case Match::kOrganization:
      return "it is of an organization outside of the subscription's scope";
    case Match::kType: return "none of the subscription's patterns matches its type";
    case Match::kTargets: return "its targets do not name the subscription";
    case Match::kAbout: return "it is about the subscription itself";
  }
  return "";
}

std::string TextOf(DeadReason reason) {
  switch (reason) {
    case DeadReason::kNone: return "it was given up";
    case DeadReason::kExhausted: return "all attempts of its schedule have failed";
    case DeadReason::kExpired: return "its time was over";
    case DeadReason::kTooLarge: return "its body is larger than the subscription takes";
    case DeadReason::kQuarantined: return "it brought the gateway down";
  }
  return "";
}

std::string TextOf(const Attempt& attempt) {
  const std::string status =
      attempt.http_status == 0 ? "" : absl::StrCat(" with status ", attempt.http_status);
  const std::string error =
      attempt.error_text.empty() ? "" : absl::StrCat(": ", attempt.error_text);
  return absl::StrCat("attempt ", attempt.number, " at ", TextOf(attempt.time), " ended", status,
                      error);
}

// Why nothing is sent to the subscription now; empty if something is.
std::string TextOfHold(const Subscription& subscription, const SubscriptionHealth* health) {
  switch (subscription.state()) {
    case SubscriptionState::kDisabled:
      return absl::StrCat("the subscription is disabled: ", subscription.disabled_reason);
    case SubscriptionState::kUnverified: return "the subscription is not verified";
    case SubscriptionState::kPaused: return "the subscription is paused";
    case SubscriptionState::kFailing:
    case SubscriptionState::kActive: break;
  }
  if (health != nullptr && health->breaker != Breaker::kClosed) {
    const absl::Time since = health->open_since.value_or(absl::InfinitePast());
    return absl::StrCat("its subscriber has been failing since ", TextOf(since));
  }
  if (health != nullptr && health->throttled_until.has_value()) {
    return absl::StrCat("its subscriber asked to wait until ", TextOf(*health->throttled_until));
  }
  return "";
}

bool IsSettled(const DeliveryRecord& record) {
  const Seq seq = record.entry.seq;
  if (!record.reader.has_value()) {
    return seq <= record.position.cursor;
  }
  return seq < record.reader->next_seq ||
         record.reader->settled.Contains(seq - record.reader->next_seq);
}

// The log's own comes first; only where there is none a replay's is told.
void ExplainException(const ExceptionRow& row, const DeliveryRecord& record,
                      const std::string& hold, DeliveryExplanation* result) {
  result->exception = row;
  const std::string last =
      record.last_attempt.has_value() ? absl::StrCat("; ", TextOf(*record.last_attempt)) : "";
  if (row.state == ExceptionState::kDead) {
    result->state = DeliveryState::kDead;
    result->text = absl::StrCat("dead: ", TextOf(row.dead_reason), last);
    return;
  }
  const std::string held = hold.empty() ? "" : absl::StrCat("; ", hold);
  if (row.state == ExceptionState::kParked) {
    result->state = DeliveryState::kParked;
    result->parked_behind = record.parked_behind;
    result->text = absl::StrCat("waits for an earlier event of its ordering key", held);
    return;
  }
  result->state = DeliveryState::kWaitingRetry;
  result->text =
      absl::StrCat("waits for its next attempt, due at ", TextOf(row.due_time), last, held);
}

// Without a row of its own and not delivered.
void ExplainPosition(const DeliveryRecord& record, const std::string& hold,
                     DeliveryExplanation* result) {
  if (result->match != Match::kOwed) {
    result->state = DeliveryState::kNotMatching;
    result->text = absl::StrCat("not owed: ", TextOf(result->match));
    return;
  }
  if (IsSettled(record)) {
    const bool tried = record.last_attempt.has_value();
    result->state = tried ? DeliveryState::kDead : DeliveryState::kPassed;
    result->text = tried ? absl::StrCat("given up or purged; ", TextOf(*record.last_attempt))
                         : "passed over: it did not match when the subscription came by";
    return;
  }
  const Seq position =
      record.reader.has_value() ? record.reader->next_seq - 1 : record.position.cursor;
  result->state = DeliveryState::kWaiting;
  result->events_before = record.entry.seq - std::min(record.entry.seq, position + 1);
  result->text = absl::StrCat("waits for its first attempt, or is on the wire",
                              hold.empty() ? "" : "; ", hold);
}

}  // namespace

DeliveryExplanation Explain(const DeliveryRecord& record, const Subscription& subscription,
                            const SubscriptionHealth* health) {
  DeliveryExplanation result;
  result.match = MatchEvent(subscription, record.entry);
  result.subscription_state =
      StateOf(subscription, health == nullptr ? std::nullopt : std::make_optional(*health));
  result.last_attempt = record.last_attempt;
  const std::string hold = TextOfHold(subscription, health);
  if (!record.exceptions.empty()) {
    const ExceptionRow& row = record.exceptions.front();
    ExplainException(row, record, hold, &result);
    if (row.key.origin != kOriginLog) {
      result.text = absl::StrCat("sent once more by a replay: ", result.text);
    }
  } else if (record.last_attempt.has_value() &&
             record.last_attempt->disposition == Disposition::kDelivered) {
    result.state = DeliveryState::kDelivered;
    result.text = absl::StrCat("delivered; ", TextOf(*record.last_attempt));
  } else {
    ExplainPosition(record, hold, &result);
  }
  return result;
}

std::string NameOf(DeliveryState state) {
  switch (state) {
    case DeliveryState::kNotMatching: return "not owed";
    case DeliveryState::kDelivered: return "delivered";
    case DeliveryState::kWaiting: return "waiting for its first attempt";
    case DeliveryState::kWaitingRetry: return "waiting for a retry";
    case DeliveryState::kParked: return "waiting for an earlier event of its ordering key";
    case DeliveryState::kDead: return "dead";
    case DeliveryState::kPassed: return "passed over";
  }
  return "";
}

}  // namespace postrider
