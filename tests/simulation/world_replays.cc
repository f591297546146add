// World's replays.

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "tests/simulation/world.h"

namespace postrider {

std::string World::Replay(const FakeSubscriber& subscriber, absl::Duration since, double rate) {
  Subscribed& subscribed = Of(subscriber);
  subscribed.replayed = true;
  CreateReplay write;
  write.replay.id = absl::StrCat("replay", random_.Next());
  write.replay.subscription = subscribed.record->number;
  write.replay.since = clock_.Now() - clock_.elapsed() + since;
  write.replay.rate = rate;
  write.until_now = true;
  const std::string id = write.replay.id;
  CHECK(CommitReplay(std::move(write)).ok());
  return id;
}

void World::CancelReplay(const std::string& id) {
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

}  // namespace postrider
