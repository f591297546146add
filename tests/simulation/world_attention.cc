// What World holds the gateway to while nothing happens: what is due is not left lying.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/dispatch/retry_policy.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

// How long what is due may wait, and what comes of an answer: outcomes and polls have their delays.
constexpr absl::Duration kAttentionMax = absl::Seconds(1);
// Who is away looks for something to probe with every five seconds.
constexpr absl::Duration kProbeAttentionMax = absl::Seconds(6);
// After a fault of our own (E7), at most; after the breaker has closed (E6).
constexpr absl::Duration kFaultWaitMax = absl::Seconds(31);
constexpr absl::Duration kRampSpan = absl::Seconds(11);
// What the store has not taken is tried again within five seconds (S2).
constexpr absl::Duration kStoreRetryMax = absl::Seconds(6);

constexpr absl::Duration kCheckIntervalMin = absl::Seconds(2);
constexpr absl::Duration kCheckIntervalMax = absl::Minutes(30);
// Deliveries that no look at the world explains, one by one asked for in the store.
constexpr int kSuspectsMax = 20;

}  // namespace

// The process has nothing to do before a later moment. The longer that goes on, the less often this
// is looked at.
void World::OnQuiet() {
  if (clock_.elapsed() < attention_due_) return;
  attention_interval_ = std::min(2 * attention_interval_, kCheckIntervalMax);
  attention_due_ = clock_.elapsed() + attention_interval_;
  CheckAttended();
}

void World::ExpectAttention() {
  attention_interval_ = kCheckIntervalMin;
  attention_due_ = clock_.elapsed() + attention_interval_;
}

// Nothing that is due waits while its subscriber is well and nothing is on the wire to him.
void World::CheckAttended() {
  if (clock_.elapsed() < store_well_ + kStoreRetryMax) return;
  int in_flight = 0;
  for (const auto& [url, subscriber] : subscribers_) in_flight += subscriber->in_flight();
  if (options_.caps.in_flight < kInFlightTotalDefault && in_flight > 0) return;
  for (const auto& [url, subscribed] : subscribed_) {
    if (!MayBeSentTo(subscribed)) continue;
    CheckExceptionsAttended(subscribed);
    CheckFirstAttemptsAttended(subscribed);
  }
}

// How long what is due may wait for the subscriber.
absl::Duration World::AttentionOf(const Subscribed& subscribed) const {
  const auto health = news_.health().find(subscribed.record->number);
  const bool away = health != news_.health().end() && health->second.next_probe.has_value();
  return away ? kProbeAttentionMax : kAttentionMax;
}

bool World::MayBeSentTo(const Subscribed& subscribed) {
  const FakeSubscriber& subscriber = *subscribed.subscriber;
  if (subscribed.record == nullptr || subscribed.deleted || !subscribed.record->may_send() ||
      subscriber.in_flight() > 0 || now() < subscriber.answer_time() + kAttentionMax ||
      now() < subscriber.throttled_until() + kAttentionMax ||
      now() < subscriber.own_fault_time() + kFaultWaitMax) {
    return false;
  }
  const SubscriptionNumber number = subscribed.record->number;
  if (news_.MustBeDisabled(number) || now() < news_.recovery_time(number) + kRampSpan) {
    return false;
  }
  const auto health = news_.health().find(number);
  if (health == news_.health().end()) return true;
  const absl::Time wall = SteadyNow() - SteadyError();
  return health->second.throttled_until.value_or(absl::InfinitePast()) + kAttentionMax < wall &&
         health->second.next_probe.value_or(absl::InfinitePast()) + kProbeAttentionMax < wall;
}

void World::CheckExceptionsAttended(const Subscribed& subscribed) {
  const absl::Time latest = SteadyNow() - SteadyError() - AttentionOf(subscribed);
  for (ShardId shard = 0; shard < options_.shards; ++shard) {
    const absl::StatusOr<std::vector<DueException>> due = process_->reader().ReadDue(
        subscribed.record->number, shard, latest, /*limit=*/1, /*bytes=*/1);
    CHECK(due.ok());
    for (const DueException& exception : *due) {
      Violation(absl::StrCat("event ", exception.entry.event->id.ToString(), " is an exception of ",
                             subscribed.subscriber->url(), " and nobody attends to it, due for ",
                             absl::FormatDuration(SteadyNow() - exception.row.due_time)));
    }
  }
}

void World::CheckFirstAttemptsAttended(const Subscribed& subscribed) {
  const absl::Duration first_wait = ScheduleOf(*subscribed.record, {}).front();
  const absl::Duration attention = AttentionOf(subscribed);
  int suspects = 0;
  for (const auto& [id, published] : published_) {
    const bool due = published.seq > 0 && published.answer != Answer::kConflict &&
                     published.accepted + first_wait + attention < now();
    if (!due || !IsOwed(subscribed, published) || WasTried(subscribed, id)) continue;
    if (IsGone(published)) continue;
    if (++suspects > kSuspectsMax) return;
    if (HasRecord(subscribed, published) || IsHeldUp(subscribed, published)) continue;
    Violation(absl::StrCat("event ", id.ToString(), " (seq ", published.seq, " of shard ",
                           published.shard, ") was never sent to ", subscribed.subscriber->url(),
                           " and nobody attends to it, accepted ",
                           absl::FormatDuration(now() - published.accepted), " ago"));
  }
}

// In this life, or before it as far as is stored.
bool World::WasTried(const Subscribed& subscribed, const Uuid& id) const {
  if (subscribed.committed.contains(id)) return true;
  const auto places = subscribed.arrivals.find(id);
  return places != subscribed.arrivals.end() &&
         std::any_of(places->second.begin(), places->second.end(), [&](size_t place) {
           return subscribed.subscriber->arrivals()[place].life == life_;
         });
}

// It has expired, or is an exception.
bool World::HasRecord(const Subscribed& subscribed, const Published& published) {
  const absl::StatusOr<DeliveryRecord> record = process_->reader().ReadDelivery(
      published.event->id, published.event->organization, subscribed.record->number);
  CHECK(record.ok());
  return record->last_attempt.has_value() || !record->exceptions.empty();
}

// What is before it in its order is not over (E4, E5).
bool World::IsHeldUp(const Subscribed& subscribed, const Published& published) {
  if (subscribed.record->policy.order == OrderMode::kUnordered) return false;
  return std::any_of(published_.begin(), published_.end(), [&](const auto& earlier) {
    // What succeeded before a crash may have been sent again, and failed.
    return WaitsFor(subscribed, published, earlier.second) &&
           !IsRecordedOver(subscribed, earlier.second);
  });
}

}  // namespace postrider
