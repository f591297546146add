#include "gateway/metrics.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {
namespace {

void AddHead(std::string* text, absl::string_view name, absl::string_view type,
             absl::string_view help) {
  absl::StrAppend(text, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

template <typename Value>
void AddOne(std::string* text, absl::string_view name, absl::string_view type,
            absl::string_view help, Value value) {
  AddHead(text, name, type, help);
  absl::StrAppend(text, name, " ", value, "\n");
}

// The loops' counters, added up; of times the earliest.
struct Totals {
  uint64_t delivered = 0;
  uint64_t failed = 0;
  uint64_t dead = 0;
  uint64_t own_faults = 0;
  uint64_t quarantined = 0;
  uint64_t events_given_up = 0;
  int64_t suspects = 0;
  int64_t in_flight = 0;
  int64_t queues = 0;
  int64_t waiting_for_turn = 0;
  int64_t waiting_for_origin = 0;
  int64_t waiting_for_share = 0;
  int64_t exceptions_waiting = 0;
  int64_t read_bytes = 0;
  int64_t tail_due = DispatchCounters::kNever;
  int64_t retry_due = DispatchCounters::kNever;
  int64_t throttled_due = DispatchCounters::kNever;
};

Totals AddUp(const Engine& engine) {
  Totals totals;
  for (int i = 0; i < engine.loops(); ++i) {
    const DispatchCounters& loop = engine.counters(i);
    totals.delivered += loop.delivered;
    totals.failed += loop.failed;
    totals.dead += loop.dead;
    totals.own_faults += loop.own_faults;
    totals.quarantined += loop.quarantined;
    totals.events_given_up += loop.events_given_up;
    totals.suspects += loop.suspects;
    totals.in_flight += loop.in_flight;
    totals.queues += loop.queues;
    totals.waiting_for_turn += loop.waiting_for_turn;
    totals.waiting_for_origin += loop.waiting_for_origin;
    totals.waiting_for_share += loop.waiting_for_share;
    totals.exceptions_waiting += loop.exceptions_waiting;
    totals.read_bytes += loop.read_bytes;
    totals.tail_due = std::min<int64_t>(totals.tail_due, loop.tail_due);
    totals.retry_due = std::min<int64_t>(totals.retry_due, loop.retry_due);
    totals.throttled_due = std::min<int64_t>(totals.throttled_due, loop.throttled_due);
  }
  return totals;
}

void AddDueAges(std::string* text, const Totals& totals, int64_t monotonic) {
  AddHead(text, "postrider_oldest_due_age_seconds", "gauge",
          "How long the oldest delivery has been due, by lane.");
  const auto add = [text, monotonic](absl::string_view lane, int64_t due) {
    const int64_t age = monotonic - std::min(monotonic, due);
    absl::StrAppend(text, "postrider_oldest_due_age_seconds{lane=\"", lane, "\"} ",
                    absl::ToDoubleSeconds(absl::Nanoseconds(age)), "\n");
  };
  add("tail", totals.tail_due);
  add("retry", totals.retry_due);
  add("throttled", totals.throttled_due);
}

void AddStore(std::string* text, const GroupCommitStats& commits, const StoreStats& store) {
  AddOne(text, "postrider_commit_queue_bytes", "gauge", "Events that wait for their commit.",
         commits.queue_bytes);
  AddOne(text, "postrider_events_accepted_total", "counter", "New events in the log.",
         commits.appended);
  AddOne(text, "postrider_publishes_refused_total", "counter",
         "Events refused because the queue was full or the store could not take more.",
         commits.refused);
  AddOne(text, "postrider_commit_groups_total", "counter", "Transactions.", commits.groups);
  AddOne(text, "postrider_commit_last_seconds", "gauge", "How long the last transaction took.",
         absl::ToDoubleSeconds(commits.last_commit));
  AddOne(text, "postrider_wal_bytes", "gauge", "The write-ahead log's part in use.",
         store.wal_bytes);
  AddOne(text, "postrider_unindexed_rows", "gauge", "Rows that secondary indexes do not have yet.",
         store.unindexed_rows);
}

void AddRetention(std::string* text, const RetentionStats& retention, absl::Time now) {
  AddOne(text, "postrider_events_deleted_total", "counter",
         "Events deleted because they were as old as events are kept.", retention.deleted);
  if (retention.oldest.has_value()) {
    AddOne(text, "postrider_oldest_event_age_seconds", "gauge",
           "At most so long ago was the oldest event accepted that is kept.",
           std::max(0.0, absl::ToDoubleSeconds(now - *retention.oldest)));
  }
}

}  // namespace

std::string FormatMetrics(const Engine& engine, absl::Duration silence, const Clock& clock,
                          const GroupCommitStats& commits, const StoreStats& store,
                          size_t subscriptions) {
  const Totals totals = AddUp(engine);
  std::string text;
  AddDueAges(&text, totals, absl::ToInt64Nanoseconds(clock.Monotonic()));
  AddOne(&text, "postrider_loop_silence_seconds", "gauge",
         "For how long a delivering thread has not answered, at the longest.",
         absl::ToDoubleSeconds(silence));
  AddHead(&text, "postrider_attempts_total", "counter", "Attempts, by what followed.");
  absl::StrAppend(&text, "postrider_attempts_total{outcome=\"delivered\"} ", totals.delivered,
                  "\npostrider_attempts_total{outcome=\"retry\"} ", totals.failed,
                  "\npostrider_attempts_total{outcome=\"dead\"} ", totals.dead,
                  "\npostrider_attempts_total{outcome=\"own_fault\"} ", totals.own_faults, "\n");
  AddHead(&text, "postrider_quarantined_total", "counter",
          "What is given up because the process has died of it, by what it is.");
  absl::StrAppend(&text, "postrider_quarantined_total{what=\"delivery\"} ", totals.quarantined,
                  "\npostrider_quarantined_total{what=\"event\"} ", totals.events_given_up, "\n");
  AddOne(&text, "postrider_suspects", "gauge",
         "Deliveries and events that earlier processes died of: tried alone, or quarantined.",
         totals.suspects);
  AddOne(&text, "postrider_in_flight", "gauge", "Exchanges under way.", totals.in_flight);
  AddOne(&text, "postrider_delivery_queues", "gauge", "Subscriptions that have a queue in memory.",
         totals.queues);
  AddHead(&text, "postrider_subscriptions_waiting", "gauge",
          "Subscriptions that could send but may not yet, by what they wait for.");
  absl::StrAppend(&text, "postrider_subscriptions_waiting{for=\"turn\"} ", totals.waiting_for_turn,
                  "\npostrider_subscriptions_waiting{for=\"origin\"} ", totals.waiting_for_origin,
                  "\npostrider_subscriptions_waiting{for=\"slow_share\"} ",
                  totals.waiting_for_share, "\n");
  AddOne(&text, "postrider_exceptions_waiting", "gauge", "Deliveries that wait for a retry.",
         totals.exceptions_waiting);
  AddOne(&text, "postrider_read_bytes", "gauge",
         "Events in memory that were read for subscriptions that are behind, and for retries.",
         totals.read_bytes);
  AddOne(&text, "postrider_subscriptions", "gauge", "Subscriptions.", subscriptions);
  AddStore(&text, commits, store);
  AddRetention(&text, engine.retention(), clock.Now());
  return text;
}

}  // namespace postrider
