// World's replays.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "tests/simulation/world.h"

namespace postrider {

std::string World::Replay(const FakeSubscriber& subscriber, absl::Duration since, double rate) {
  Subscribed& subscribed = Of(subscriber);
  CreateReplay write;
  write.replay.id = absl::StrCat("replay", random_.Next());
  write.replay.subscription = subscribed.record->number;
  // The store keeps microseconds.
  write.replay.since =
      absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now() - clock_.elapsed() + since));
  write.replay.rate = rate;
  write.until_now = true;
  const std::string id = write.replay.id;
  Replayed replayed{.id = id, .since = write.replay.since, .end_seqs = {}, .canceled = false};
  // Whatever is in the log by now may come.
  replayed.end_seqs.assign(options_.shards, kSeqMax);
  subscribed.replays.push_back(std::move(replayed));
  const absl::StatusOr<ReplayRecord> record = CommitReplay(write);
  if (!record.ok()) {
    subscribed.replays.pop_back();
    return "";
  }
  std::vector<Seq>& end_seqs = subscribed.replays.back().end_seqs;
  end_seqs.assign(options_.shards, 0);
  for (const ReplayPosition& position : record->positions) {
    end_seqs[position.shard] = position.end_seq;
  }
  return id;
}

void World::CancelReplay(const std::string& id) {
  if (absl::IsNotFound(process_->reader().ReadReplay(id).status())) return;  // With its owner.
  for (auto& [url, subscribed] : subscribed_) {
    for (Replayed& replay : subscribed.replays) replay.canceled |= replay.id == id;
  }
  CHECK(CommitReplay(
            EndReplay{.number = ReplayOf(id).replay->number, .state = ReplayState::kCanceled})
            .ok());
}

absl::StatusOr<ReplayRecord> World::CommitReplay(const Write& write) {
  auto answer = std::make_shared<std::optional<BatchResult>>();
  // Configuration is tried once: who wants it asks again.
  while (!answer->has_value() || (*answer)->state != CommitState::kCommitted) {
    answer->reset();
    Batch batch;
    batch.writes.push_back(write);
    process_->commits().Submit(std::move(batch),
                               [answer](const BatchResult& result) { *answer = result; });
    RunUntil([&answer] { return answer->has_value(); });
  }
  return (*answer)->replays.at(0);
}

ReplayRecord World::ReplayOf(const std::string& id) {
  absl::StatusOr<ReplayRecord> record = process_->reader().ReadReplay(id);
  CHECK(record.ok());
  return *std::move(record);
}

// Each that was not canceled has sent each event of its range once, whatever became of it.
void World::CheckReplays(const Subscribed& subscribed) {
  for (const Replayed& replay : subscribed.replays) {
    if (replay.canceled) continue;
    const absl::StatusOr<ReplayRecord> record = process_->reader().ReadReplay(replay.id);
    if (absl::IsNotFound(record.status())) continue;  // Old ones go.
    CHECK(record.ok());
    uint64_t sent = 0;
    for (const ReplayPosition& position : record->positions) {
      sent += position.delivered + position.failed;
    }
    const uint64_t expected =
        std::count_if(published_.begin(), published_.end(), [&](const auto& place) {
          const Published& published = place.second;
          return published.seq > 0 && Covers(subscribed, *published.event) &&
                 published.accept_time >= replay.since &&
                 published.seq <= replay.end_seqs[published.shard];
        });
    if (record->replay->state != ReplayState::kDone || sent < expected) {
      Violation(absl::StrCat(
          replay.id, " of ", subscribed.subscriber->url(), " has sent ", sent, " of ", expected,
          " events", record->replay->state == ReplayState::kDone ? "" : ", and is not done"));
    }
  }
}

}  // namespace postrider
