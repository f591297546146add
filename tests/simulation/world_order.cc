// What World holds ordered subscriptions to (E4, E5).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/simulation/world.h"

namespace postrider {

// An event that has not been sent before goes only after all those before it in its order.
void World::CheckOrder(const Subscribed& subscribed, const Published& published,
                       const std::string& what) {
  const bool ordered =
      subscribed.record != nullptr && subscribed.record->policy.order != OrderMode::kUnordered;
  if (!ordered || published.seq == 0 || subscribed.arrivals.contains(published.event->id) ||
      TimesAgain(subscribed, published) > 0)
    return;
  for (const auto& [id, earlier] : published_) {
    if (WaitsFor(subscribed, published, earlier) && !IsOver(subscribed, earlier)) {
      Violation(absl::StrCat(what, ": overtakes event ", id.ToString()));
    }
  }
}

bool World::WaitsFor(const Subscribed& subscribed, const Published& later,
                     const Published& earlier) const {
  const bool before = earlier.seq > 0 && earlier.shard == later.shard && earlier.seq < later.seq;
  if (!before || !IsOwed(subscribed, earlier)) return false;
  if (subscribed.record->policy.order == OrderMode::kStrict) return true;
  return !later.event->ordering_key.empty() &&
         earlier.event->ordering_key == later.event->ordering_key &&
         earlier.event->organization == later.event->organization;
}

// Delivered, as far as the sender has heard, or dead in the store.
bool World::IsOver(const Subscribed& subscribed, const Published& published) {
  if (const auto places = subscribed.arrivals.find(published.event->id);
      places != subscribed.arrivals.end()) {
    for (const size_t place : places->second) {
      const Arrival& arrival = subscribed.subscriber->arrivals()[place];
      if (arrival.answered && arrival.success) return true;
    }
  }
  return IsRecordedOver(subscribed, published);
}

bool World::IsRecordedOver(const Subscribed& subscribed, const Published& published) {
  if (IsGone(published)) return true;
  const Uuid& id = published.event->id;
  if (subscribed.recorded_over.contains(id)) return true;
  AttemptQuery query;
  query.event = std::make_pair(published.shard, published.seq);
  query.limit = 500;
  const absl::StatusOr<AttemptPage> page = process_->reader().ListAttempts(query);
  if (!page.ok()) return false;
  const bool over =
      std::any_of(page->attempts.begin(), page->attempts.end(), [&](const ListedAttempt& a) {
        const AttemptOrigin origin = a.attempt.origin;  // What a replay delivers ends no wait (C5).
        return a.attempt.subscription == subscribed.record->number &&
               (origin == AttemptOrigin::kLog || origin == AttemptOrigin::kRetry) &&
               (a.attempt.disposition == Disposition::kDelivered ||
                a.attempt.disposition == Disposition::kDead);
      });
  if (over) subscribed.recorded_over.insert(id);
  return over;
}

}  // namespace postrider
