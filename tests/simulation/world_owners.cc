// What the owners of World's subscriptions do about their backlogs and dead letters, and what that
// allows.

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "tests/simulation/world.h"

namespace postrider {
namespace {

constexpr size_t kLettersPerRedrive = 50;
constexpr size_t kRowsLookedAt = 500;

}  // namespace

// As DeliveryAdmin does it: the mark, all loops, then the exceptions in steps.
void World::Purge(const FakeSubscriber& subscriber, PurgeFilter filter) {
  Subscribed& subscribed = Of(subscriber);
  PutSubscription write{.subscription = *subscribed.record,
                        .expected_version = subscribed.record->version,
                        .start_at_heads = false};
  if (filter.empty()) {
    write.skip_backlog = true;
    write.subscription.purge_marks.clear();
  } else {
    write.purge = filter;
  }
  const uint64_t version = subscribed.record->version;
  subscribed.purging = true;
  // From its commit on nothing holds up what is behind it; what is under way may still arrive.
  PutConfiguration(std::move(write), &subscribed);
  RunUntil([&] { return subscribed.record->version != version || subscribed.refused; });
  if (!std::exchange(subscribed.refused, false)) {
    RunThroughAllLoops();
    PurgeMark mark{.through = subscribed.record->start_seqs, .filter = {}};
    if (!filter.empty()) mark = subscribed.record->purge_marks.back();
    PurgeRows(subscribed, mark, /*dead_only=*/false);
    subscribed.purged.push_back(mark);
    CheckPurged(subscribed, mark);
  }
  subscribed.purging = false;
}

void World::PurgeDeadLetters(const FakeSubscriber& subscriber) {
  PurgeRows(Of(subscriber), {.through = std::vector<Seq>(options_.shards, kSeqMax), .filter = {}},
            /*dead_only=*/true);
}

void World::PurgeRows(const Subscribed& subscribed, const PurgeMark& mark, bool dead_only) {
  PurgeExceptions step{.subscription = subscribed.record->number,
                       .through = 0,
                       .filter = mark.filter,
                       .dead_only = dead_only,
                       .after = {},
                       .limit = 1 + random_.Below(kRowsLookedAt)};
  for (ShardId shard = 0; shard < options_.shards; ++shard) {
    step.through = mark.through[shard];
    std::optional<ExceptionPlace> reached;
    do {
      step.after = reached.value_or(ExceptionPlace());
      reached = ChangeExceptions(subscribed, {.shard = shard, .writes = {step}}).purged_to;
    } while (reached.has_value());
  }
  RunThroughAllLoops();
}

void World::CheckPurged(const Subscribed& subscribed, const PurgeMark& mark) {
  for (ShardId shard = 0; shard < options_.shards; ++shard) {
    const absl::StatusOr<std::vector<DueException>> rows =
        process_->reader().ReadDue(subscribed.record->number, shard, absl::InfiniteFuture(),
                                   kRowsLookedAt, /*bytes=*/100'000'000);
    CHECK(rows.ok());
    for (const DueException& row : *rows) {
      const LogEntry& entry = row.entry;
      if (row.row.key.origin == kOriginLog &&
          mark.Covers(shard, entry.seq, entry.event->type, entry.accept_time)) {
        Violation(absl::StrCat("event ", entry.event->id.ToString(), " waits for ",
                               subscribed.subscriber->url(), " although it was purged"));
      }
    }
  }
}

size_t World::Redrive(const FakeSubscriber& subscriber) {
  Subscribed& subscribed = Of(subscriber);
  const absl::StatusOr<DeadLetterPage> page = process_->reader().ListDeadLetters(
      {.subscription = subscribed.record->number, .page = "", .limit = kLettersPerRedrive});
  CHECK(page.ok());
  size_t redriven = 0;
  for (const DeadLetter& letter : page->letters) {
    if (!letter.event_id.has_value() || !random_.OneIn(2)) continue;
    ++subscribed.redriven[*letter.event_id];
    redriven += ChangeExceptions(subscribed, {.shard = letter.row.key.shard,
                                              .writes = {RedriveException{letter.row.key}}})
                    .rows;
  }
  return redriven;
}

ExceptionChanges World::ChangeExceptions(const Subscribed& subscribed, Batch batch) {
  auto changes = std::make_shared<std::optional<ExceptionChanges>>();
  const SubscriptionNumber number = subscribed.record->number;
  const ShardId shard = *batch.shard;
  process_->commits().Submit(
      std::move(batch), [this, changes, number, shard](const BatchResult& result) {
        if (result.state != CommitState::kCommitted) return;
        *changes = result.exceptions;
        process_->engine().OnExceptionsChanged(number, shard, result.exceptions);
      });
  RunUntil([&changes] { return changes->has_value(); });
  return *std::move(*changes);
}

void World::RunThroughAllLoops() {
  auto reached = std::make_shared<bool>(false);
  process_->engine().AfterAllLoops([reached] { *reached = true; });
  RunUntil([&reached] { return *reached; });
}

bool World::IsPurged(const Subscribed& subscribed, const Published& published) const {
  // A mark counts from its commit on, which is what the record says, and for ever.
  const auto covers = [&published](const PurgeMark& mark) {
    return mark.Covers(published.shard, published.seq, published.event->type,
                       published.accept_time);
  };
  const std::vector<PurgeMark>& in_force = subscribed.record->purge_marks;
  return std::any_of(in_force.begin(), in_force.end(), covers) ||
         std::any_of(subscribed.purged.begin(), subscribed.purged.end(), covers);
}

// How often the event may be delivered beside what the log owes.
int World::TimesAgain(const Subscribed& subscribed, const Published& published) const {
  int times = 0;
  for (const Replayed& replay : subscribed.replays) {
    const bool unknown = published.seq == 0;  // Its publisher has not been answered.
    times += unknown || (published.accept_time >= replay.since &&
                         published.seq <= replay.end_seqs[published.shard])
                 ? 1
                 : 0;
  }
  const auto redriven = subscribed.redriven.find(published.event->id);
  return times + (redriven == subscribed.redriven.end() ? 0 : redriven->second);
}

}  // namespace postrider
