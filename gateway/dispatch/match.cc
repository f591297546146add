#include "gateway/dispatch/match.h"

#include <algorithm>
#include <vector>

#include "gateway/model/event_pattern.h"
#include "gateway/model/scope.h"

namespace postrider {

Match MatchPosition(const Subscription& subscription, const LogEntry& entry) {
  if (entry.shard >= subscription.start_seqs.size()) {
    return Match::kNotStarted;
  }
  if (entry.seq <= subscription.start_seqs[entry.shard]) {
    return Match::kBeforeStart;
  }
  const auto covers = [&entry](const PurgeMark& mark) {
    return mark.Covers(entry.shard, entry.seq, entry.event->type, entry.accept_time);
  };
  const std::vector<PurgeMark>& marks = subscription.purge_marks;
  if (std::any_of(marks.begin(), marks.end(), covers)) {
    return Match::kPurged;
  }
  if (!entry.event->about.empty() && entry.event->about == subscription.id) {
    return Match::kAbout;
  }
  return IsTarget(subscription, *entry.event) ? Match::kOwed : Match::kTargets;
}

Match MatchEvent(const Subscription& subscription, const LogEntry& entry) {
  const Event& event = *entry.event;
  if (!InScope(subscription, event)) {
    return Match::kOrganization;
  }
  if (!MatchesAny(subscription.event_types, event.type)) {
    return Match::kType;
  }
  return MatchPosition(subscription, entry);
}

}  // namespace postrider
