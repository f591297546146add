#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"

// How the old end of the log goes (docs/engine.md C7).
namespace postrider {

// What a batch did to exceptions without an attempt.
struct ExceptionChanges {
  uint64_t rows = 0;    // Redriven, purged, or left without their event.
  int64_t waiting = 0;  // So many more of the subscription wait in the shard, or, below 0, fewer.
  std::vector<std::pair<OriginId, int64_t>> waiting_of_replays;  // Of these, by replay (C5).
  // A PurgeExceptions has looked at no more than its limit: where the next one goes on.
  std::optional<std::pair<Seq, OriginId>> purged_to;
  // Those purged, or left without their event, that blocked an ordering key (E4).
  std::vector<std::pair<Seq, OrderingKey>> ordered;
  std::vector<Seq> forgiven;  // Redriven ones, of which former deaths count no more (E8).
  bool expired = false;       // By a DeleteOldEvents.
};

// An exception that was to wait, or to be parked, for an event that is not kept any more.
struct LateException {
  ExceptionKey key;
  OrderingKey ordering_key = 0;
};

// Deletes the oldest events of the batch's shard that were accepted before `before`, with all that
// is known of them, in one bounded step: at most `limit` events, and a few times as many rows of
// other tables. Never an event above the cursor, nor one that Maintain() has not got to yet.
//
// Exceptions of these events become dead letters without an event, expired if they were not dead
// before; where one goes that others of its ordering key are parked behind, the first of these
// waits, due at once (E4). Dead letters whose events went before `before` go as well. A position
// below the first event that is left means that one from then on: nobody need move it.
struct DeleteOldEvents {
  absl::Time before;
  size_t limit = 250;
};

// What a DeleteOldEvents has done.
struct DeletedEvents {
  uint64_t events = 0;
  Seq first_seq = 1;  // The first event that is left; head + 1: none.
  bool more = false;  // There is more to delete already.
  // Accept times: of the newest one that went, and, unless there is more to delete, of the first
  // that is left.
  std::optional<absl::Time> deleted_until;
  std::optional<absl::Time> oldest;
  std::vector<std::pair<SubscriptionNumber, ExceptionChanges>> exceptions;
};

}  // namespace postrider
