// What World holds the gateway to where events are not kept for ever (C7).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "tests/simulation/world.h"

namespace postrider {

bool World::IsGone(const Published& published) {
  if (options_.retention == absl::InfiniteDuration()) return false;
  const absl::StatusOr<ShardRecovery> shard = process_->reader().ReadShard(published.shard);
  CHECK(shard.ok());
  const bool gone = published.seq > 0 && published.seq < shard->position.first_seq;
  if (gone && published.accept_time + options_.retention > clock_.Now()) {
    Violation(absl::StrCat("event ", published.event->id.ToString(), " went too early"));
  }
  return gone;
}

// It has arrived, or was a dead letter, or the subscription's owner was told that it will not.
void World::CheckExpired(const Subscribed& subscribed, const Published& published) {
  const auto arrivals = subscribed.arrivals.find(published.event->id);
  const bool arrived = arrivals != subscribed.arrivals.end() &&
                       std::any_of(arrivals->second.begin(), arrivals->second.end(), [&](size_t i) {
                         return subscribed.subscriber->arrivals()[i].success;
                       });
  const auto said = news_.expired_before().find(subscribed.record->number);
  const bool told = said != news_.expired_before().end() && published.accept_time < said->second;
  const bool died = news_.Died(subscribed.record->number, published.event->id);
  if (!arrived && !died && !told) {
    Violation(absl::StrCat("event ", published.event->id.ToString(),
                           " has gone, and nobody was told that it never reached ",
                           subscribed.subscriber->url()));
  }
}

size_t World::DeadLetterCount(const FakeSubscriber& subscriber) {
  DeadLetterQuery query{.subscription = Of(subscriber).record->number, .page = {}, .limit = 1000};
  size_t count = 0;
  do {
    const absl::StatusOr<DeadLetterPage> page = process_->reader().ListDeadLetters(query);
    CHECK(page.ok());
    count += page->letters.size();
    query.page = page->next_page;
  } while (!query.page.empty());
  return count;
}

}  // namespace postrider
