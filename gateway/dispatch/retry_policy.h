#pragma once

#include <vector>

#include "absl/time/time.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"
#include "gateway/model/position.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"

namespace postrider {

// The built-in schedule: 12 attempts within 24 hours. An entry is the wait before that attempt.
const std::vector<absl::Duration>& DefaultSchedule();

// The subscription's own schedule, else `fallback`, else the built-in one.
const std::vector<absl::Duration>& ScheduleOf(const Subscription& subscription,
                                              const std::vector<absl::Duration>& fallback);

// How old a delivery may get: as the policy says, else twice the schedule, but at least an hour and
// at most 13 days, and a day less than events are kept.
absl::Duration MaxAgeOf(const DeliveryPolicy& policy, const std::vector<absl::Duration>& schedule,
                        absl::Duration retention = absl::InfiniteDuration());

// When the delivery ends whatever it waits for (E6): the event's expire time, else `max_age` after
// `since`, which is when the event was accepted, or when a dead letter of it was redriven. Of this
// age `pauses` are no part; an expire time knows none.
absl::Time ExpireTimeOf(const Event& event, absl::Time since, absl::Duration max_age,
                        const std::vector<Pause>& pauses);

// What follows from a charged attempt.
struct NextStep {
  Disposition disposition = Disposition::kDelivered;
  absl::Time due_time;                         // When kException.
  DeadReason dead_reason = DeadReason::kNone;  // When kDead.
  bool charged = true;                         // Whether the attempt uses up the schedule.
  bool purged = false;  // When kDead: it leaves no dead letter, its subscription wants none.
};

// Whether the subscriber, who has done so `throttled` times with this delivery, asks to be left
// alone (E6): a 429, 502, 503 or 504 with a `Retry-After`. After 100 times it is a failure as any
// other.
bool AsksToWait(const PostResult& result, int throttled);

// Until when, after such an answer at `now`: at least a second, so that nobody makes us spin, and
// at most 24 hours.
absl::Time WaitEndOf(const PostResult& result, absl::Time now);

// What follows from such an answer: the attempt is not charged.
NextStep ThrottledStep(absl::Time until, absl::Time now, absl::Time expire_time);

// Judges the charged attempt number `attempts` (the first is 1), which ended at `now` with
// `result`. `chance` in [0, 1) sets the jitter: the wait is shortened by up to a tenth. A
// `Retry-After` of up to 24 hours makes it longer, never shorter. After a 410 the delivery waits at
// least once more, for the subscription to be enabled again. Pure.
NextStep DecideNextStep(const PostResult& result, int attempts, absl::Time now,
                        const std::vector<absl::Duration>& schedule, absl::Time expire_time,
                        double chance);

}  // namespace postrider
