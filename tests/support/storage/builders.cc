#include "tests/support/storage/builders.h"

#include <cstring>
#include <functional>

#include "gateway/model/ids.h"

namespace postrider {

Uuid EventId(uint64_t n) {
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000) + absl::Milliseconds(n);
  return Uuid::Version7(time, {n, n});
}

std::shared_ptr<const Event> NewEvent(uint64_t n, const std::string& organization,
                                      const std::string& content, const std::string& type) {
  auto event = std::make_shared<Event>();
  event->id = EventId(n);
  event->organization = organization;
  event->organization_path = {organization};
  event->type = type;
  event->time = absl::FromUnixSeconds(1'600'000'000) + absl::Seconds(n);
  const uint64_t hash = std::hash<std::string>()(content);
  event->content_hash[0] = 1;
  std::memcpy(event->content_hash.data() + 1, &hash, sizeof(hash));
  event->body = content;
  return event;
}

Attempt NewAttempt(SubscriptionNumber subscription, Seq seq, Disposition disposition) {
  Attempt attempt;
  attempt.subscription = subscription;
  attempt.seq = seq;
  attempt.disposition = disposition;
  attempt.outcome =
      disposition == Disposition::kDelivered ? Outcome::kSuccess : Outcome::kHttpStatus;
  attempt.http_status = disposition == Disposition::kDelivered ? 200 : 503;
  attempt.number = 1;
  attempt.time = absl::FromUnixSeconds(1'700'000'000) + absl::Seconds(seq);
  attempt.latency = absl::Milliseconds(12);
  return attempt;
}

ExceptionRow NewException(ShardId shard, SubscriptionNumber subscription, Seq seq, absl::Time due) {
  ExceptionRow row;
  row.key = {.shard = shard, .subscription = subscription, .seq = seq, .origin = kOriginLog};
  row.attempts = 1;
  row.due_time = due;
  row.first_attempt_time = due - absl::Seconds(5);
  return row;
}

Subscription NewSubscription(const std::string& id, const std::string& organization) {
  Subscription subscription;
  subscription.id = id;
  subscription.organization = organization;
  subscription.url = "https://example.com/hook";
  subscription.event_types = {"message.*"};
  subscription.secrets = {{.text = "secret", .create_time = absl::FromUnixSeconds(1)}};
  return subscription;
}

}  // namespace postrider
