// What World holds the gateway to.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/dispatch/retry_policy.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

constexpr size_t kAttemptsPerPage = 100;
constexpr size_t kViolationsKept = 20;
constexpr int kStatusGone = 410;
// The jitter shortens a wait by up to a tenth; the store keeps microseconds.
constexpr double kWaitMin = 0.9 * (1 - kSteadyErrorMax);
constexpr absl::Duration kStoreTick = absl::Microseconds(2);

// A fake subscriber's 429 always says when to come again.
bool IsThrottled(const Attempt& attempt) { return attempt.http_status == 429; }

int ChargedOf(const std::vector<Attempt>& attempts) {
  return static_cast<int>(attempts.size() -
                          std::count_if(attempts.begin(), attempts.end(), IsThrottled));
}

// As simple as can be: a word, `word.*` for one or more segments, or everything.
bool PatternMatches(const std::string& pattern, const std::string& type) {
  if (pattern.empty() || pattern == type) return true;
  return absl::EndsWith(pattern, ".*") &&
         absl::StartsWith(type, pattern.substr(0, pattern.size() - 1));
}

}  // namespace

void World::Violation(std::string text) {
  if (violations_.size() < kViolationsKept) {
    violations_.push_back(absl::StrCat(absl::FormatDuration(clock_.elapsed()), ": ", text));
  }
}

bool World::Covers(const Subscribed& subscribed, const Event& event) const {
  const Subscription& record = *subscribed.record;
  const bool own = event.organization == record.organization;
  const bool below = record.scope == Scope::kSubtree &&
                     absl::StartsWith(event.organization, record.organization + "/");
  return (own || below) && PatternMatches(subscribed.pattern, event.type);
}

bool World::IsOwed(const Subscribed& subscribed, const Published& published) const {
  return Covers(subscribed, *published.event) &&
         published.seq > subscribed.record->start_seqs.at(published.shard) &&
         !IsPurged(subscribed, published);
}

// --- A POST

void World::OnArrival(const FakeSubscriber& subscriber, const Arrival& arrival) {
  Subscribed& subscribed = Of(subscriber);
  const std::string what =
      absl::StrCat("event ", arrival.event_id.ToString(), " (", arrival.type, ", attempt ",
                   arrival.attempt_number, ") at ", subscriber.url());
  const auto published = published_.find(arrival.event_id);
  if (published == published_.end() || published->second.answer == Answer::kRefused) {
    return Violation(absl::StrCat(what, ": was never accepted"));
  }
  if (published->second.event->body != arrival.event->body) {
    Violation(absl::StrCat(what, ": other bytes than were published"));
  }
  const int again = TimesAgain(subscribed, published->second);
  if (subscribed.record != nullptr) {
    const bool owed = again > 0 || subscribed.purging || IsOwed(subscribed, published->second);
    if (published->second.seq > 0 && !owed) {
      Violation(absl::StrCat(what, ": was not asked for"));
    }
    const size_t bytes_max = subscribed.record->policy.max_body_bytes;
    if (bytes_max > 0 && arrival.event->body.size() > bytes_max) {
      Violation(absl::StrCat(what, ": longer than its policy takes"));
    }
    if (subscriber.in_flight() > subscribed.record->policy.max_in_flight) {
      Violation(absl::StrCat(what, ": ", subscriber.in_flight(), " in flight"));
    }
  }
  if (arrival.time + kStoreTick < subscriber.throttled_until()) {
    Violation(absl::StrCat(what, ": it asked to be left alone until ",
                           absl::FormatDuration(subscriber.throttled_until())));
  }
  if (again == 0) {
    CheckHistory(subscribed, arrival, what);
    CheckOrder(subscribed, published->second, what);
  } else if (OnTheWire(subscribed, arrival.event_id) > again) {
    Violation(absl::StrCat(what, ": is on the wire already, ", again, " times more was asked for"));
  }
  subscribed.arrivals[arrival.event_id].push_back(subscriber.arrivals().size());
}

int World::OnTheWire(const Subscribed& subscribed, const Uuid& id) const {
  const auto places = subscribed.arrivals.find(id);
  if (places == subscribed.arrivals.end()) return 0;
  return static_cast<int>(
      std::count_if(places->second.begin(), places->second.end(), [&](size_t place) {
        const Arrival& arrival = subscribed.subscriber->arrivals()[place];
        return arrival.life == life_ && !arrival.answered;
      }));
}

// Against what has been sent before: nothing twice, attempts one by one, on schedule.
void World::CheckHistory(const Subscribed& subscribed, const Arrival& arrival,
                         const std::string& what) {
  int attempts = 0;
  int charged = 0;
  bool throttled = false;  // The last one.
  bool gone = false;       // Likewise.
  absl::Duration last_answer = -absl::InfiniteDuration();
  const auto committed = subscribed.committed.find(arrival.event_id);
  if (committed != subscribed.committed.end()) {
    const Attempt& last = committed->second.back();
    attempts = last.number;
    charged = ChargedOf(committed->second);
    throttled = IsThrottled(last);
    gone = last.http_status == kStatusGone;
    if (last.disposition == Disposition::kDelivered || last.disposition == Disposition::kDead) {
      Violation(absl::StrCat(what, ": is settled for good since before the crash"));
    }
  }
  const auto earlier = subscribed.arrivals.find(arrival.event_id);
  if (earlier != subscribed.arrivals.end()) {
    for (const size_t place : earlier->second) {
      const Arrival& before = subscribed.subscriber->arrivals()[place];
      if (before.life != arrival.life) {
        if (before.answered && before.attempt_number == attempts) {
          last_answer = before.answer_time - earlier_max_;
        }
        continue;
      }
      if (!before.answered) return Violation(absl::StrCat(what, ": is on the wire already"));
      if (before.success) return Violation(absl::StrCat(what, ": has succeeded already"));
      ++attempts;
      charged += before.throttled ? 0 : 1;
      throttled = before.throttled;
      gone = before.gone;
      last_answer = before.answer_time;
    }
  }
  if (arrival.attempt_number != attempts + 1) {
    Violation(absl::StrCat(what, ": should be attempt ", attempts + 1));
  }
  if (charged == 0 || throttled || subscribed.record == nullptr) return;
  const std::vector<absl::Duration>& schedule = ScheduleOf(*subscribed.record, {});
  if (gone && static_cast<size_t>(charged) >= schedule.size()) return;  // Once more if enabled.
  if (static_cast<size_t>(charged) >= schedule.size()) {
    return Violation(absl::StrCat(what, ": the schedule has ", schedule.size(), " attempts"));
  }
  // What is to end by its age is due then; has the wall clock gone back since, it is not over yet.
  const absl::Duration age = MaxAgeOf(subscribed.record->policy, schedule);
  const absl::Duration told = published_.at(arrival.event_id).accepted;  // A little later.
  if (clock_stepped_ && arrival.time + absl::Seconds(5) >= told + age) return;
  if (arrival.time + kStoreTick < last_answer + kWaitMin * schedule[charged]) {
    Violation(absl::StrCat(what, ": after ", absl::FormatDuration(arrival.time - last_answer)));
  }
}

// --- After a crash, and at the end

void World::ReadCommitted() {
  const absl::StatusOr<Configuration> configuration = process_->reader().ReadConfiguration();
  CHECK(configuration.ok());
  for (auto& [url, subscribed] : subscribed_) {
    std::shared_ptr<const Subscription> record;
    for (const std::shared_ptr<const Subscription>& stored : configuration->subscriptions) {
      if (stored->url == url) record = stored;
    }
    if (record == nullptr && subscribed.record != nullptr && !subscribed.deleted) {
      Violation(absl::StrCat(url, ": the subscription is lost"));
    }
    if (record == nullptr) {
      subscribed.deleted = true;  // Or never created: nobody was told that it had been.
      continue;
    }
    subscribed.record = record;
    ReadAttempts(&subscribed);
    CheckAttempts(subscribed);
  }
}

void World::ReadAttempts(Subscribed* subscribed) {
  subscribed->committed.clear();
  AttemptQuery query;
  query.subscription = subscribed->record->number;
  query.limit = kAttemptsPerPage;
  do {
    const absl::StatusOr<AttemptPage> page = process_->reader().ListAttempts(query);
    CHECK(page.ok());
    for (const ListedAttempt& listed : page->attempts) {
      const AttemptOrigin origin = listed.attempt.origin;
      if (origin != AttemptOrigin::kLog && origin != AttemptOrigin::kRetry) continue;
      std::vector<Attempt>& attempts = subscribed->committed[listed.event_id];
      attempts.insert(attempts.begin(), listed.attempt);  // Newest first.
    }
    query.page = page->next_page;
  } while (!query.page.empty());
  if (!clock_stepped_) return;
  for (auto& [id, attempts] : subscribed->committed) {  // Were listed by their times.
    std::sort(attempts.begin(), attempts.end(),
              [](const Attempt& a, const Attempt& b) { return a.number < b.number; });
  }
}

// The record tells of every attempt once, in order, and of none that was not made.
void World::CheckAttempts(const Subscribed& subscribed) {
  for (const auto& [id, attempts] : subscribed.committed) {
    const std::string what =
        absl::StrCat("record of ", id.ToString(), " at ", subscribed.subscriber->url());
    for (size_t i = 0; i < attempts.size(); ++i) {
      const Attempt& attempt = attempts[i];
      if (attempt.number != static_cast<int>(i) + 1) {
        Violation(absl::StrCat(what, ": attempt ", attempt.number, " in place ", i + 1));
      }
      const bool last = i + 1 == attempts.size();
      if (!last && attempt.disposition != Disposition::kException) {
        Violation(absl::StrCat(what, ": goes on after its end"));
      }
      if (attempt.origin != (i == 0 ? AttemptOrigin::kLog : AttemptOrigin::kRetry)) {
        Violation(absl::StrCat(what, ": attempt ", i + 1, " in the wrong lane"));
      }
    }
    const auto arrivals = subscribed.arrivals.find(id);
    const size_t arrived = arrivals == subscribed.arrivals.end() ? 0 : arrivals->second.size();
    const size_t unsent = std::count_if(attempts.begin(), attempts.end(), [](const Attempt& a) {
      return a.outcome == Outcome::kExpired || a.outcome == Outcome::kTooLarge ||
             a.outcome == Outcome::kQuarantined;
    });
    if (arrived + unsent < attempts.size()) {
      Violation(absl::StrCat(what, ": ", attempts.size(), " attempts, ", arrived, " arrivals"));
    }
  }
}

// Whoever may send has sent whatever waited: also what was redriven or replayed.
void World::CheckNothingWaits() {
  const absl::StatusOr<std::vector<NextDue>> waiting = process_->reader().ReadNextDue();
  CHECK(waiting.ok());
  for (const auto& [url, subscribed] : subscribed_) {
    if (!Exists(*subscribed.subscriber) || !subscribed.record->may_send()) continue;
    CheckReplays(subscribed);
    for (const NextDue& next : *waiting) {
      if (next.subscription == subscribed.record->number && next.waiting > 0) {
        Violation(absl::StrCat(next.waiting, " exceptions wait for ", url));
      }
    }
  }
}

void World::CheckAllArrived() {
  ReadCommitted();
  CheckNothingWaits();
  for (const auto& [url, subscribed] : subscribed_) {
    if (!Exists(*subscribed.subscriber) || !subscribed.record->may_send()) continue;
    for (const auto& [id, published] : published_) {
      const bool accepted =
          published.answer == Answer::kAccepted || published.answer == Answer::kDuplicate;
      if (!accepted || !IsOwed(subscribed, published)) continue;
      if (IsGone(published)) {
        CheckExpired(subscribed, published);
        continue;
      }
      const auto attempts = subscribed.committed.find(id);
      const bool settled = attempts != subscribed.committed.end() &&
                           attempts->second.back().disposition != Disposition::kException;
      if (!settled) {
        Violation(absl::StrCat("event ", id.ToString(), " (seq ", published.seq, " of shard ",
                               published.shard, ") never reached ", url));
      }
    }
  }
}

std::vector<std::string> World::DeadLetters() {
  ReadCommitted();
  std::map<absl::Time, std::string> dead;
  for (const auto& [url, subscribed] : subscribed_) {
    for (const auto& [id, attempts] : subscribed.committed) {
      const Attempt& last = attempts.back();
      if (last.disposition != Disposition::kDead) continue;
      dead[last.time] = absl::StrCat(published_.at(id).event->type, " after ", last.number,
                                     " attempts, ", last.http_status);
    }
  }
  std::vector<std::string> letters;
  for (auto& [time, text] : dead) letters.push_back(std::move(text));
  return letters;
}

}  // namespace postrider
