#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/model/ids.h"
#include "gateway/model/pause.h"
#include "gateway/model/purge.h"

namespace postrider {

// Whose events a subscription of an organization gets.
enum class Scope { kSubtree, kSelf };  // Subtree: also those of the organization's descendants.

enum class Verification { kNone, kChallenge };

// Which deliveries wait for an earlier one that has not been made (E4, E5).
enum class OrderMode : uint8_t {
  kUnordered = 0,
  kByKey = 1,   // Those of the same organization and ordering key.
  kStrict = 2,  // All of a shard.
};

// Derived from the facts of a subscription, never stored (C6). kFailing follows from its health
// alone (StateOf() in health.h).
enum class SubscriptionState { kActive, kUnverified, kPaused, kDisabled, kFailing };

// One secret. `text` is the whole string as the owner knows it: the hub signatures' key. The key of
// `webhook-signature` is derived from it.
struct Secret {
  std::string text;
  absl::Time create_time;
  std::optional<absl::Time> expire_time;  // Set when a newer one replaced it.
};

struct Header {
  std::string name;
  std::string value;
};

// How deliveries of one subscription are made.
struct DeliveryPolicy {
  // Waits before each attempt, the first one first: `schedule[0]` is before the first attempt.
  // Empty: the default schedule.
  std::vector<absl::Duration> schedule;
  absl::Duration timeout = kExchangeTimeoutDefault;  // One exchange, everything included.
  int max_in_flight = 0;                             // 0: the default.
  OrderMode order = OrderMode::kUnordered;           // Can't be changed after creation.
  double rate = 0;                                   // First attempts and all others a second;
                                                     // 0: no limit.
  absl::Duration max_age;     // After it a delivery is dead (E6); zero: follows from the schedule.
  size_t max_body_bytes = 0;  // Larger bodies are dead letters at once; 0: no limit.
};

// An organization's wish. `number`, `version`, the times and `start_seqs` are the store's to
// assign.
struct Subscription {
  std::string id;
  SubscriptionNumber number = 0;
  uint64_t version = 0;  // Grows with every change of the configuration; the etag.
  std::string organization;
  Scope scope = Scope::kSubtree;
  std::string description;
  std::string url;
  std::vector<std::string> event_types;  // Patterns; empty: everything.
  std::vector<Secret> secrets;           // Oldest first, at least one.
  std::vector<Header> headers;
  DeliveryPolicy policy;
  Verification verification = Verification::kNone;
  bool verified = true;  // False: UNVERIFIED, nothing is owed.
  bool paused = false;
  std::string disabled_reason;  // Empty: not disabled.
  absl::Time create_time;
  absl::Time update_time;

  // Times in which it was paused or disabled, oldest first: they do not count for the age of its
  // deliveries. The store's to assign; at most kPausesMax.
  std::vector<Pause> pauses;

  // Where it starts: with the events accepted at or after this; unset: with those after its
  // creation, or verification.
  std::optional<absl::Time> start_time;

  // Per shard: nothing at or below is owed (C2). Set in the transaction that creates the
  // subscription, or in the one that verifies it; raised where its owner skips a backlog.
  std::vector<Seq> start_seqs;

  // What else of its past is not owed any more, until all positions are past it (C4). At most
  // kPurgeMarksMax.
  std::vector<PurgeMark> purge_marks;

  // As its configuration has it: kFailing is never among the answers.
  SubscriptionState state() const {
    if (!disabled_reason.empty()) return SubscriptionState::kDisabled;
    if (!verified) return SubscriptionState::kUnverified;
    return paused ? SubscriptionState::kPaused : SubscriptionState::kActive;
  }

  // Whether its time stands still for the age of deliveries (E6).
  bool rests() const { return paused || !disabled_reason.empty(); }

  // Whether deliveries may be attempted now.
  bool may_send() const { return state() == SubscriptionState::kActive; }
};

}  // namespace postrider
