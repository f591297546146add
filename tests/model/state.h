#pragma once

#include <cstdint>
#include <cstring>

namespace postrider::model {

// A set of events: bit e stands for the event of seq e.
using Mask = uint8_t;

inline constexpr int kEventsMax = 4;
inline constexpr int kSubscriptionsMax = 2;
inline constexpr int kKeysMax = 2;

inline constexpr Mask Bit(int seq) { return static_cast<Mask>(1 << seq); }
inline constexpr bool Has(Mask mask, int seq) { return (mask >> seq & 1) != 0; }
// Events first … last.
inline constexpr Mask Range(int first, int last) {
  return first > last ? 0 : static_cast<Mask>((2 << last) - (1 << first));
}
inline constexpr int Lowest(Mask mask, int otherwise) {
  return mask == 0 ? otherwise : __builtin_ctz(mask);
}

// A queue of at most N items. Unused places are zero, so that equal queues are equal bytes.
template <typename T, int N>
struct Fifo {
  uint8_t size = 0;
  T items[N] = {};

  bool Full(int more = 1) const { return size + more > N; }
  void Push(const T& item) { items[size++] = item; }
  T Take(int index = 0) {
    const T taken = items[index];
    for (int i = index; i + 1 < size; ++i) items[i] = items[i + 1];
    items[--size] = T{};
    return taken;
  }
};

// --- What is durable ----------------------------------------------------------------------------

enum Life : uint8_t { kAbsent, kAlive, kDeleted, kEnded };

struct StoredSubscription {
  uint8_t life;
  uint8_t may_send;
  uint8_t start_seq;
  uint8_t true_start;  // What start_seq ought to be (C2).
  uint8_t row;         // Whether there is a reader row.
  uint8_t next_seq;
  Mask bits;
  uint8_t end;     // A replay's last event; 0: not a replay (C5).
  Mask settled;    // By an attempt that settles (R1).
  Mask hidden;     // Of these, at or below the attempt floor: recovery does not see them.
  Mask delivered;  // By an attempt of any origin.
  Mask waiting;    // Exceptions.
  Mask parked;     // Exceptions behind one of their key that waits (E4).
  Mask untried;    // Of the exceptions: those of which there is no attempt.
  Mask dead;
  Mask purged;   // Exceptions that were deleted.
  Mask cleared;  // What was purged by a mark: it is not owed any more (C4).
  Mask mark;     // What the mark covers, until it is given up.
  Mask expired;  // What was owed when its event went (C7).
};

struct Store {
  uint8_t head;
  uint8_t cursor;
  uint8_t first;                   // Events below are gone (C7); 0: none is.
  uint8_t log_id[kEventsMax + 1];  // The id of the event at each seq.
  StoredSubscription subscriptions[kSubscriptionsMax];
};

enum BatchKind : uint8_t {
  kNoBatch,
  kOutcomes,    // Attempts, the exceptions they make, what retries did; with `row`, the position.
  kExceptions,  // Only with kR2ExceptionWithAttempt off.
  kPosition,    // Only with kR3RowWithOutcomes off.
  kLeave,       // The first row of a reader.
  kErase,
  kAdvance,
  kRelease,  // Only with kE4ReleaseInSameBatch off.
  kEnd,      // Of a replay.
};

struct Batch {
  uint8_t kind;
  uint8_t subscription;
  Mask delivered;
  Mask excepted;
  Mask still_owed;
  Mask retry_delivered;
  Mask retry_dead;
  Mask retry_failed;  // To be tried again.
  Mask parked;
  Mask dead;  // At their first attempt.
  uint8_t row;
  uint8_t next_seq;
  Mask bits;
  uint8_t cursor;
  Mask hidden[kSubscriptionsMax];
};

// --- What a crash loses -------------------------------------------------------------------------

enum MessageKind : uint8_t {
  kNoMessage,
  // Store to shard and to queues.
  kHead,  // a: the head.
  kCreated,
  kRemoved,
  kPaused,
  kResumed,
  kCleared,  // c: what the purge mark covers.
  // Store to a queue.
  kOutcomesCommitted,  // a: settled; b: made exceptions; c: resolved.
  kLeaveCommitted,
  kRowsPurged,  // a: which; b: released thereby.
  // Shard to a queue.
  kPair,     // a: seq; b: whether the subscription may send.
  kLeaveAt,  // a: the mark; b: likewise; c: what is settled above the mark.
  kGranted,
  kRefused,
  // Queue to shard.
  kSettled,  // a: which.
  kWantLeave,
  kLeft,
  kAsk,  // a: where the scan stands; b: the unsettled.
};

struct Message {
  uint8_t kind;
  uint8_t a;
  uint8_t b;
  uint8_t c;
};
// Of configuration, `a` is the subscription. Of kCreated, `c` is where its reader begins, 0: none;
// of a replay's, `a` is its last event.

enum Membership : uint8_t { kReader, kMember, kLeavingMember };

struct ShardSubscription {
  uint8_t life;
  uint8_t may_send;
  uint8_t membership;
  Mask unsettled;
  uint8_t mark;  // While leaving: the first event not fed.
  Mask skip;     // Settled before the last crash.
  Mask cleared;
  uint8_t feed_from;  // It has read what is below by itself.
};

struct Shard {
  uint8_t window_first;  // The first event in memory.
  uint8_t handed_head;
  uint8_t fanned;      // Fanned out to all.
  uint8_t fan_next;    // Of the event after that: the subscriptions below this one have been fed.
  uint8_t cursor;      // As computed.
  uint8_t cursor_out;  // As submitted.
  ShardSubscription subscriptions[kSubscriptionsMax];
};

enum Mode : uint8_t { kTail, kLeavingTail, kReading, kAsking };

struct Queue {
  uint8_t life;
  uint8_t may_send;
  uint8_t mode;
  Mask waiting;  // Pairs to be sent.
  Mask wire;
  Mask submitted;  // Settling outcomes on their way to the store.
  uint8_t scan;    // A reader's next seq to read.
  uint8_t end;     // A replay's last.
  Mask preset;     // Settled pairs above the scan.
  Mask cleared;    // Covered by the purge mark, as far as heard.
  uint8_t want_leave;
  uint8_t erase_owed;  // Only with kR4EraseBeforeOutcomes off.
  // Outcomes not yet submitted.
  Mask delivered;
  Mask excepted;
  Mask still_owed;
  Mask retry_delivered;
  Mask retry_dead;
  Mask retry_failed;
  Mask parked;
  Mask dead;
  // Order by key.
  Mask held;   // Behind the head of their key, in memory.
  Mask dying;  // Dead, and it is not known yet that this has committed.
  Mask rows;   // Exceptions that wait or are parked, by what has been answered.
  // Exceptions.
  uint8_t armed;  // next_due says that there is something to load.
  uint8_t loading;
  Mask snapshot;  // What the read under way has seen.
  Mask resolved;  // Resolved since it began.
  Mask loaded;
  Mask retry_wire;
  Mask retry_submitted;

  // Pairs in memory that are not settled by an answer.
  Mask Unsettled() const { return waiting | wire | held; }
  // What will be settled by the next batch.
  Mask Settling() const { return delivered | excepted | parked | dead; }
  Mask Retried() const { return retry_delivered | retry_dead | retry_failed; }
};

struct Publisher {
  uint8_t pending;    // Id submitted, 0: none.
  uint8_t committed;  // Whether `pending` is in the log.
  Mask acknowledged;
};

// What has happened, whatever was forgotten since. The engine does not see it.
struct Ghost {
  Mask sent;      // This and the next are kept only of events with a key.
  Mask answered;  // By a success.
  Mask cleared;   // What the queue ought to know of the purge mark.
};

// What a start does before it sends (E8). Only where there are events that kill the process.
enum Phase : uint8_t { kStarted, kCounting, kForgetting, kGivingUp };

struct Quarantine {
  uint8_t phase;
  uint8_t note;     // In its file: which event the process died of, 0: none.
  uint8_t counted;  // In the store: whether the note has been counted.
  uint8_t deaths;   // In the store.
  uint8_t died;     // How often it was so. The engine does not see it.
};

struct State {
  Store store;
  Fifo<Batch, 5> commits;
  Shard shard;
  Queue queues[kSubscriptionsMax];
  Fifo<Message, 6> to_shard;       // From the store, in commit order.
  Fifo<Message, 2> configuration;  // Only with kC1ConfigurationInOrder off.
  Fifo<Message, 4> store_to_queue[kSubscriptionsMax];
  Fifo<Message, 6> shard_to_queue[kSubscriptionsMax];
  Fifo<Message, 6> queue_to_shard[kSubscriptionsMax];
  Publisher publisher;
  Quarantine quarantine;
  Ghost ghosts[kSubscriptionsMax];
  uint8_t crashes;
  uint8_t failures;
  uint8_t configured;  // Steps of the configuration script that have been taken.
};

static_assert(alignof(State) == 1, "no padding: states are compared and hashed as bytes");

}  // namespace postrider::model
