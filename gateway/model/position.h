#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/model/ids.h"

namespace postrider {

// A set of seqs above a base that are settled: bit i stands for base + i.
class SettledBitmap {
 public:
  bool Contains(uint64_t offset) const {
    return offset / 64 < words_.size() && (words_[offset / 64] >> (offset % 64) & 1) != 0;
  }
  // `offset` < kReaderWindowMax.
  void Add(uint64_t offset);

  // Little-endian bytes without trailing zeros, as stored. At most kReaderWindowMax / 8 bytes.
  std::string ToBytes() const;
  static SettledBitmap FromBytes(const std::string& bytes);

 private:
  std::vector<uint64_t> words_;
};

// The position of a subscription that reads a shard by itself (R3). Everything below next_seq is
// settled for it, and so is each seq of which `settled` has the bit (seq - next_seq).
struct ReaderRow {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  Seq next_seq = 0;
  SettledBitmap settled;
};

// The numbers are stored.
enum class ExceptionState : uint8_t {
  kWaiting = 0,  // For its due time.
  kDead = 1,     // A dead letter.
  kParked = 2,   // For the exception before it of its ordering key (E4).
};

// Why a delivery is dead. The numbers are stored.
enum class DeadReason : uint8_t {
  kNone = 0,
  kExhausted = 1,    // Its schedule is used up.
  kExpired = 2,      // Its time was over (E6).
  kTooLarge = 3,     // Its body is larger than the subscription takes.
  kQuarantined = 4,  // It brought the process down (E8).
};

// A delivery's place among the exceptions (E1).
struct ExceptionKey {
  ShardId shard = 0;
  SubscriptionNumber subscription = 0;
  Seq seq = 0;
  OriginId origin = kOriginLog;

  friend auto operator<=>(const ExceptionKey&, const ExceptionKey&) = default;
};

// A delivery that positions cannot express: waiting for a retry, or dead.
struct ExceptionRow {
  ExceptionKey key;
  uint64_t generation = 1;  // Grows with each change; an outcome of an older one is dropped.
  ExceptionState state = ExceptionState::kWaiting;
  DeadReason dead_reason = DeadReason::kNone;
  int attempts = 0;               // Made and charged so far.
  int throttled = 0;              // Made and not charged, because the subscriber asked to wait.
  absl::Time due_time;            // When kWaiting.
  absl::Time first_attempt_time;  // Of a redriven one: when it was redriven.
  OrderingKey ordering_key = 0;   // Those of one key go one after the other (E4).
  bool redriven = false;          // A dead letter that is sent again: outside of any order.
};

// A shard's durable position. Everything at or below `cursor` is settled for all on the tail.
struct ShardPosition {
  Seq head = 0;       // The newest event.
  Seq first_seq = 1;  // The oldest one that is kept; head + 1: none is (C7).
  Seq cursor = 0;
  // Attempts at or below settle nothing above `cursor`: recovery reads those after it.
  AttemptSeq attempt_floor = 0;
  AttemptSeq attempt_head = 0;
};

}  // namespace postrider
