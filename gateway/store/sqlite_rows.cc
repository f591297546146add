#include "gateway/store/sqlite_rows.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_sql.h"
#include "gateway/store/subscription_record.h"

namespace postrider {
namespace {

// What an event's time has below the microsecond.
int64_t SubMicroseconds(absl::Time time) {
  return absl::ToInt64Nanoseconds(time - absl::FromUnixMicros(absl::ToUnixMicros(time)));
}

bool IsFinite(absl::Time time) {
  return time != absl::InfiniteFuture() && time != absl::InfinitePast();
}

absl::Status DecodeExtra(absl::string_view bytes, Event* event) {
  Decoder decoder(bytes);
  event->ordering_key = decoder.String();
  event->targets = decoder.Strings();
  event->traceparent = decoder.String();
  if (decoder.Bool()) {
    event->expire_time = decoder.Time();
  }
  event->time += absl::Nanoseconds(decoder.Int());
  event->about = decoder.String();
  return decoder.ok() ? absl::OkStatus() : absl::DataLossError("store: an event's row is damaged");
}

template <typename T>
T EnumFrom(int64_t value, T last) {
  return static_cast<T>(std::clamp<int64_t>(value, 0, static_cast<int64_t>(last)));
}

}  // namespace

std::string EncodePath(const Event& event) {
  if (event.organization_path.size() == 1 && event.organization_path[0] == event.organization) {
    return std::string();
  }
  Encoder encoder;
  encoder.PutStrings(event.organization_path);
  return std::move(encoder).Take();
}

std::string EncodeExtra(const Event& event) {
  const int64_t nanoseconds = IsFinite(event.time) ? SubMicroseconds(event.time) : 0;
  if (event.ordering_key.empty() && event.targets.empty() && event.traceparent.empty() &&
      !event.expire_time.has_value() && event.about.empty() && nanoseconds == 0) {
    return std::string();
  }
  Encoder encoder;
  encoder.PutString(event.ordering_key);
  encoder.PutStrings(event.targets);
  encoder.PutString(event.traceparent);
  encoder.PutBool(event.expire_time.has_value());
  if (event.expire_time.has_value()) {
    encoder.PutTime(*event.expire_time);
  }
  encoder.PutInt(nanoseconds);
  encoder.PutString(event.about);
  return std::move(encoder).Take();
}

absl::StatusOr<LogEntry> DecodeEntry(Query* row) {
  auto event = std::make_shared<Event>();
  LogEntry entry;
  const int64_t key = row->NextInt();
  entry.shard = ShardOfKey(key);
  entry.seq = PositionOf(key);
  const std::optional<Uuid> id = Uuid::FromBytes(row->NextBytes());
  event->organization = std::string(row->NextBytes());
  event->type = std::string(row->NextBytes());
  event->time = FromStoredTime(row->NextInt());
  entry.accept_time = FromStoredTime(row->NextInt());
  const absl::string_view hash = row->NextBytes();
  if (!id.has_value() || hash.size() != event->content_hash.size()) {
    return absl::DataLossError(absl::StrCat("store: the row of event ", key, " is damaged"));
  }
  event->id = *id;
  std::copy(hash.begin(), hash.end(), event->content_hash.begin());
  if (row->NextIsNull()) {
    event->organization_path.push_back(event->organization);
    row->Skip();
  } else {
    event->organization_path = Decoder(row->NextBytes()).Strings();
  }
  if (row->NextIsNull()) {
    row->Skip();
  } else {
    RETURN_IF_ERROR(DecodeExtra(row->NextBytes(), event.get()));
  }
  event->body = std::string(row->NextBytes());
  entry.event = std::move(event);
  return entry;
}

absl::StatusOr<ListedAttempt> DecodeAttempt(Query* row) {
  ListedAttempt listed;
  Attempt& attempt = listed.attempt;
  const int64_t key = row->NextInt();
  listed.shard = ShardOfKey(key);
  listed.attempt_seq = PositionOf(key);
  attempt.subscription = row->NextUint();
  attempt.seq = row->NextUint();
  attempt.origin = EnumFrom(row->NextInt(), AttemptOrigin::kTest);
  attempt.disposition = EnumFrom(row->NextInt(), Disposition::kStillOwed);
  attempt.outcome = EnumFrom(row->NextInt(), Outcome::kQuarantined);
  attempt.number = static_cast<int>(row->NextInt());
  attempt.http_status = static_cast<int>(row->NextInt());
  attempt.time = FromStoredTime(row->NextInt());
  attempt.latency = absl::Microseconds(row->NextInt());
  if (row->NextIsNull()) {
    row->Skip();
  } else {
    attempt.next_attempt_time = FromStoredTime(row->NextInt());
  }
  attempt.error_text = std::string(row->NextBytes());
  attempt.response = std::string(row->NextBytes());
  listed.event_id = Uuid::FromBytes(row->NextBytes()).value_or(Uuid());
  listed.organization = std::string(row->NextBytes());
  listed.event_type = std::string(row->NextBytes());
  return listed;
}

ExceptionRow DecodeException(Query* row) {
  ExceptionRow result;
  result.key.shard = static_cast<ShardId>(row->NextUint());
  result.key.seq = row->NextUint();
  result.key.origin = row->NextUint();
  result.generation = row->NextUint();
  result.state = EnumFrom(row->NextInt(), ExceptionState::kParked);
  result.dead_reason = EnumFrom(row->NextInt(), DeadReason::kQuarantined);
  result.attempts = static_cast<int>(row->NextInt());
  result.throttled = static_cast<int>(row->NextInt());
  result.due_time = FromStoredTime(row->NextInt());
  result.first_attempt_time = FromStoredTime(row->NextInt());
  result.ordering_key = row->NextUint();
  result.redriven = row->NextInt() != 0;
  return result;
}

std::optional<absl::Time> DecodeExpireTime(absl::string_view extra) {
  Event event;
  if (extra.empty() || !DecodeExtra(extra, &event).ok()) {
    return std::nullopt;
  }
  return event.expire_time;
}

absl::StatusOr<SubscriptionRow> DecodeSubscriptionRow(Query* row) {
  SubscriptionRow result;
  Subscription& subscription = result.subscription;
  subscription.number = row->NextUint();
  subscription.id = std::string(row->NextBytes());
  subscription.organization = std::string(row->NextBytes());
  subscription.version = row->NextUint();
  result.state = static_cast<int>(row->NextInt());
  if (result.state != sql::kLive) {
    return result;
  }
  std::optional<std::vector<Seq>> start_seqs = DecodeSeqs(row->NextBytes());
  if (!start_seqs.has_value() || !DecodeSubscription(row->NextBytes(), &subscription)) {
    return absl::DataLossError(
        absl::StrCat("store: the row of subscription ", subscription.id, " is damaged"));
  }
  subscription.start_seqs = *std::move(start_seqs);
  return result;
}

}  // namespace postrider
