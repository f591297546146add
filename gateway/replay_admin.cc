#include "gateway/replay_admin.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/accept/validate_subscription.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr size_t kCountedPageEvents = 1000;
constexpr size_t kCountedPageBytes = 2 * 1024 * 1024;

absl::Status CheckRate(double rate) {
  // Written so that what is no number fails too.
  if (rate == 0 || (rate >= kReplayRateMin && rate <= kReplayRateMax)) {
    return absl::OkStatus();
  }
  return InvalidField("rate", absl::StrCat("is ", rate, "; it must be between ", kReplayRateMin,
                                           " and ", kReplayRateMax, " events a second"));
}

absl::Status ReplayNotFound(const std::string& id) {
  return WithResource(absl::NotFoundError(absl::StrCat("replay `", id, "` does not exist")),
                      "replay", id);
}

}  // namespace

absl::StatusOr<ReplayRecord> FindReplay(StoreReader& reader, const std::string& id) {
  absl::StatusOr<ReplayRecord> record = reader.ReadReplay(id);
  return absl::IsNotFound(record.status()) ? ReplayNotFound(id) : std::move(record);
}

absl::StatusOr<CreateReplay> ReplayAdmin::Checked(const ReplayWish& wish) const {
  const SubscriptionRegistry::Record subscription = parts_.registry->Find(wish.subscription_id);
  if (subscription == nullptr) {
    return SubscriptionNotFound(wish.subscription_id);
  }
  const absl::Time now = parts_.clock->Now();
  if (wish.since > now) {
    return InvalidField("since", "lies in the future");
  }
  if (wish.until.has_value() && *wish.until <= wish.since) {
    return InvalidField("until", "is not after `since`");
  }
  RETURN_IF_ERROR(ValidatePatterns(wish.event_types));
  RETURN_IF_ERROR(CheckRate(wish.rate));
  CreateReplay write;
  Replay& replay = write.replay;
  replay.id = Uuid::Version7(now, {parts_.random->Next(), parts_.random->Next()}).ToString();
  replay.subscription = subscription->number;
  replay.since = wish.since;
  write.until_now = !wish.until.has_value() || *wish.until > now;
  replay.until = write.until_now ? now : *wish.until;
  replay.event_types = wish.event_types;
  replay.rate = wish.rate;
  return write;
}

void ReplayAdmin::StartReplay(const ReplayWish& wish, Gateway::Done<ReplayRecord> done) {
  absl::StatusOr<CreateReplay> write = Checked(wish);
  if (!write.ok()) {
    std::move(done)(write.status());
    return;
  }
  Batch batch;
  batch.writes.emplace_back(*std::move(write));
  auto answer = [id = wish.subscription_id,
                 done = std::move(done)](const BatchResult& result) mutable {
    if (result.state != CommitState::kCommitted) {
      std::move(done)(NotCommitted(result));
    } else if (absl::IsNotFound(result.replays[0].status())) {
      std::move(done)(SubscriptionNotFound(id));
    } else {
      std::move(done)(result.replays[0]);
    }
  };
  parts_.commits->Submit(std::move(batch), std::move(answer));
}

void ReplayAdmin::CancelReplay(const ReplayRecord& replay, Gateway::Done<ReplayRecord> done) {
  Batch batch;
  batch.writes.emplace_back(
      EndReplay{.number = replay.replay->number, .state = ReplayState::kCanceled});
  auto answer = [this, id = replay.replay->id, done = SureDone<ReplayRecord>(std::move(done))](
                    const BatchResult& result) mutable {
    if (result.state != CommitState::kCommitted) return done(NotCommitted(result));
    ReplayResult canceled = result.replays[0];
    if (!canceled.ok()) return done(ReplayNotFound(id));
    parts_.engine->AfterAllLoops([canceled = *std::move(canceled),
                                  done = std::move(done)]() mutable { done(std::move(canceled)); });
  };
  parts_.commits->Submit(std::move(batch), std::move(answer));
}

// --- Counting ------------------------------------------------------------------------------------

// A dry run on its way through the log.
struct ReplayAdmin::Counting {
  explicit Counting(Gateway::Done<ReplayCount> wanted) : done(std::move(wanted)) {}

  // Reads the next page. True if there is more to read.
  absl::StatusOr<bool> Step(StoreReader& reader);

  Replay replay;
  bool until_now = false;
  SubscriptionRegistry::Record subscription;
  absl::Time now;
  std::vector<ShardId> shards;    // Those still to be read, the present one last.
  std::optional<SeqRange> range;  // What is left of the present one.
  ReplayCount count;
  SureDone<ReplayCount> done;
};

absl::StatusOr<bool> ReplayAdmin::Counting::Step(StoreReader& reader) {
  if (shards.empty()) {
    return false;
  }
  const ShardId shard = shards.back();
  if (!range.has_value()) {
    const auto until = until_now ? std::nullopt : std::make_optional(replay.until);
    ASSIGN_OR_RETURN(range, reader.FindRange(shard, replay.since, until));
  }
  std::vector<LogEntry> entries;
  if (!range->empty()) {
    const size_t events = std::min<size_t>(kCountedPageEvents, range->last - range->first + 1);
    ASSIGN_OR_RETURN(entries, reader.ReadLog(shard, range->first - 1, events, kCountedPageBytes));
  }
  for (const LogEntry& entry : entries) {
    if (entry.seq > range->last) break;
    if (count.examined == kReplayCountedMax) {
      count.complete = false;
      return false;
    }
    ++count.examined;
    count.events += Replays(replay, *subscription, *entry.event, now) ? 1 : 0;
    range->first = entry.seq + 1;
  }
  if (entries.empty() || range->empty() || entries.back().seq > range->last) {
    shards.pop_back();
    range.reset();
  }
  return !shards.empty();
}

void ReplayAdmin::CountReplay(const ReplayWish& wish, Gateway::Done<ReplayCount> done) {
  absl::StatusOr<CreateReplay> write = Checked(wish);
  const SubscriptionRegistry::Record subscription = parts_.registry->Find(wish.subscription_id);
  if (!write.ok() || subscription == nullptr) {
    std::move(done)(write.ok() ? SubscriptionNotFound(wish.subscription_id) : write.status());
    return;
  }
  auto counting = std::make_shared<Counting>(std::move(done));
  counting->replay = std::move(write->replay);
  counting->until_now = write->until_now;
  counting->subscription = subscription;
  counting->now = parts_.clock->Now();
  counting->shards = ShardsOf(*subscription, parts_.shard_count);
  CountOn(std::move(counting));
}

void ReplayAdmin::CountOn(std::shared_ptr<Counting> counting) {
  ReadExecutor::Read read = [this, counting](StoreReader& reader) {
    const absl::StatusOr<bool> more = counting->Step(reader);
    if (!more.ok()) {
      counting->done(more.status());
    } else if (*more) {
      CountOn(counting);
    } else {
      counting->done(counting->count);
    }
  };
  if (!parts_.reads->TryQuery(read)) {
    counting->done(TooManyQueries());
  }
}

}  // namespace postrider
