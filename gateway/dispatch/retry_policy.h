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

// When the delivery ends whatever it waits for (E6): the event's expire time, else twice the
// schedule after the event was accepted, but at least an hour and at most 13 days.
absl::Time ExpireTimeOf(const LogEntry& entry, const std::vector<absl::Duration>& schedule);

// What follows from a charged attempt.
struct NextStep {
  Disposition disposition = Disposition::kDelivered;
  absl::Time due_time;                         // When kException.
  DeadReason dead_reason = DeadReason::kNone;  // When kDead.
};

// Judges the attempt number `attempts` (the first is 1), which ended at `now` with `result`.
// `chance` in [0, 1) sets the jitter: the wait is shortened by up to a tenth. A `Retry-After` of up
// to 24 hours makes it longer, never shorter. Pure.
NextStep DecideNextStep(const PostResult& result, int attempts, absl::Time now,
                        const std::vector<absl::Duration>& schedule, absl::Time expire_time,
                        double chance);

}  // namespace postrider
