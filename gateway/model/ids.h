#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "gateway/base/uuid.h"

namespace postrider {

// A slice of the log. Dense from 0.
using ShardId = uint32_t;

// An event's dense position in its shard, from 1. 0 is "before the first".
using Seq = uint64_t;

// An attempt's dense position among those of its shard, from 1. 0 is "before the first".
using AttemptSeq = uint64_t;

// A subscription's number: given by the store in the order of creation, from 1, never reused.
// Positions, exceptions and attempts refer to it; the outside world sees the string id.
using SubscriptionNumber = uint64_t;

// Where a delivery comes from: 0 is the log itself, others are replays.
using OriginId = uint64_t;
inline constexpr OriginId kOriginLog = 0;

// What orders deliveries of one subscription: two events of one wait for each other. 0: no order.
using OrderingKey = uint64_t;

// Seqs fit in 48 bits: a row's key is shard << 48 | seq.
inline constexpr Seq kSeqMax = (Seq{1} << 48) - 1;

// FNV-1a-64(organization) mod `shard_count`. Never absl::Hash, which is salted per process.
ShardId ShardOf(absl::string_view organization, uint32_t shard_count);

// The hash of an organization's ordering key, never 0. Two keys that share one wait for each other.
OrderingKey OrderingKeyOf(absl::string_view organization, absl::string_view key);

}  // namespace postrider
