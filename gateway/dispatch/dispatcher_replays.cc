// The part of Dispatcher that runs replays: what starts and ends them, their reads.

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/dispatch/dispatcher.h"

namespace postrider {
namespace {

constexpr absl::Duration kEndReplayRetry = absl::Seconds(1);

}  // namespace

void Dispatcher::RestoreReplay(const ReplayRecord& record) {
  if (Slot* const slot = SlotOf(record.replay->subscription); slot != nullptr) {
    slot->queue.StartReplay(record);
    Wake(record.replay->subscription);
  }
}

void Dispatcher::OnReplay(const ReplayRecord& record) {
  const SubscriptionNumber number = record.replay->subscription;
  if (record.replay->state == ReplayState::kRunning) {
    RestoreReplay(record);
  } else if (Slot* const slot = FindSlot(number); slot != nullptr) {
    slot->queue.CancelReplay(record.replay->number);
    Wake(number);
  }
  EndTurn();
}

// False if there is nothing to read now.
bool Dispatcher::StartReplayRead(SubscriptionNumber number, Slot& slot, size_t bytes,
                                 const Moment& now) {
  const std::optional<ReplayRead> next = slot.queue.NextReplayRead(now.monotonic, bytes);
  if (!next.has_value()) {
    return false;
  }
  services_.reads->Run([this, number, read = *next](StoreReader& reader) {
    auto entries = reader.ReadLog(read.shard, read.after, read.events, read.bytes);
    loop_->Post([this, number, read, entries = std::move(entries)] {
      OnReplayRead(number, read, entries);
    });
  });
  return true;
}

void Dispatcher::OnReplayRead(SubscriptionNumber number, const ReplayRead& read,
                              const absl::StatusOr<std::vector<LogEntry>>& entries) {
  if (!entries.ok()) {
    LogError(absl::StrCat("reading the log for a replay: ", entries.status().ToString()));
  }
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    const absl::Duration monotonic = services_.clock->Monotonic();
    slot->queue.OnReplayRead(read, entries, Now(), monotonic);
    // A stretch in which nothing is wanted has no outcomes to tell how far the replay is.
    outcomes_.AddReplayPosition(read.shard, {number, read.replay}, monotonic);
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::EndReplays(Slot& slot) {
  while (const std::optional<OriginId> replay = slot.queue.TakeFinishedReplay()) {
    EndReplay(*replay);
  }
}

void Dispatcher::EndReplay(OriginId replay) {
  Batch batch;
  batch.writes.emplace_back(postrider::EndReplay{.number = replay, .state = ReplayState::kDone});
  // Should this process not get it written, the next start finds the replay at its end.
  services_.commits->Submit(std::move(batch), [this, replay](const BatchResult& result) {
    if (result.state == CommitState::kNotApplied) {
      loop_->Post(
          [this, replay] { loop_->After(kEndReplayRetry, [this, replay] { EndReplay(replay); }); });
    }
  });
}

std::optional<ReplayPosition> Dispatcher::PositionOf(const OutcomeBuffer::ReplayKey& key,
                                                     ShardId shard) {
  const Slot* const slot = FindSlot(key.first);
  return slot == nullptr ? std::nullopt : slot->queue.ReplayPositionOf(key.second, shard);
}

}  // namespace postrider
