#pragma once

#include <variant>
#include <vector>

#include "gateway/model/event.h"
#include "gateway/model/ids.h"

// What shards and subscriptions, which may live on different loops, say to each other. Messages
// between two loops arrive in the order sent.
namespace postrider {

// --- From a shard to a subscription -------------------------------------------------------------

// The subscription is owed this event.
struct PairMessage {
  SubscriptionNumber subscription = 0;
  LogEntry entry;
};

// The subscription holds the shard's cursor by a pair at `seq`: if it is held up by itself, it is
// to ask to leave (R5).
struct HoldsUpMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  Seq seq = 0;
};

// The shard feeds the subscription no event from `from` on: it must read by itself (R3).
struct LeaveMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  Seq from = 0;
  std::vector<Seq> settled;  // At or above `from`: settled before the start, not to be sent again.
};

// What became of a request to rejoin (R4). Granted: pairs from the asked position on follow.
struct RejoinAnswerMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  bool granted = false;
};

// --- From a subscription to a shard -------------------------------------------------------------

// The outcome of the pair is committed, and settles it (R1).
struct SettledMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  Seq seq = 0;
  AttemptSeq attempt_head = 0;  // The shard's newest attempt in that commit.
};

// The subscription can't keep up and wants to leave.
struct AskLeaveMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
};

// The subscription's reader row is committed: its pairs need not hold the cursor any more (R3).
struct LeftMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
};

// The subscription has read everything below `scan`, of which it still owes `unsettled` (R4).
struct AskRejoinMessage {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  Seq scan = 0;
  std::vector<Seq> unsettled;  // Ascending.
};

using Message = std::variant<PairMessage, HoldsUpMessage, LeaveMessage, RejoinAnswerMessage,
                             SettledMessage, AskLeaveMessage, LeftMessage, AskRejoinMessage>;

// Takes messages to the loop where the addressee lives. Belongs to one loop.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual void ToSubscription(SubscriptionNumber subscription, Message message) = 0;
  virtual void ToShard(ShardId shard, Message message) = 0;
};

}  // namespace postrider
