#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/model/event.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"
#include "gateway/model/subscription.h"

namespace postrider {

// What a replay does now. The numbers are stored.
enum class ReplayState : uint8_t {
  kRunning = 0,
  kDone = 1,      // Each of its events has been sent once; what failed is retried as all else.
  kCanceled = 2,  // Nothing more of it is sent.
};

// A stretch of a shard's log: from `first` to `last`, both included. Empty if `first` > `last`.
struct SeqRange {
  Seq first = 1;
  Seq last = 0;

  bool empty() const { return first > last; }
};

// A wish to have a stretch of the past sent once more (C5). `number`, the times of its life and
// `state` are the store's to assign.
struct Replay {
  std::string id;
  OriginId number = kOriginLog;  // Given by the store, from 1, never reused.
  SubscriptionNumber subscription = 0;
  absl::Time since;                      // Events accepted from here on,
  absl::Time until;                      // and before this.
  std::vector<std::string> event_types;  // Patterns; empty: whatever the subscription wants.
  double rate = 0;                       // Events a second; 0: no limit.
  ReplayState state = ReplayState::kRunning;
  absl::Time create_time;
  std::optional<absl::Time> finish_time;  // Unless it is running.
};

// How far a replay is in one shard. Everything below next_seq has been sent once or is not wanted,
// and so is each seq of which `settled` has the bit (seq - next_seq).
struct ReplayPosition {
  OriginId replay = kOriginLog;
  ShardId shard = 0;
  Seq next_seq = 1;
  Seq end_seq = 0;  // The last one of its range.
  SettledBitmap settled;
  uint64_t delivered = 0;  // Of its first attempts: those that the subscriber took,
  uint64_t failed = 0;     // and those that he did not.

  uint64_t left() const { return next_seq > end_seq ? 0 : end_seq - next_seq + 1; }
};

// A replay and how far it is in each shard in which it has something to read.
struct ReplayRecord {
  std::shared_ptr<const Replay> replay;
  std::vector<ReplayPosition> positions;
};

// Whether the event is the subscription's own by scope, patterns and targets, whenever it was
// accepted.
bool Covers(const Subscription& subscription, const Event& event);

// Whether the replay, one of `subscription`, sends `event` at `now`: the subscription covers it,
// the replay's patterns match, and it has not expired. When the subscription was created plays no
// part.
bool Replays(const Replay& replay, const Subscription& subscription, const Event& event,
             absl::Time now);

// The shards, of `shard_count`, in which events of the subscription's scope may be: its own
// organization's, or all.
std::vector<ShardId> ShardsOf(const Subscription& subscription, uint32_t shard_count);

// The readers with which a subscription that starts in the past begins, from its start_seqs: in
// each shard of its scope. None if it starts with what comes.
std::vector<ReaderRow> FirstReaders(const Subscription& subscription);

}  // namespace postrider
