#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/fair_queue.h"
#include "gateway/model/ids.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Which subscription of a loop may start the next exchange: fair turns, a cap for each origin, and
// a share of what may be in flight that slow ones can't take (T4).
//
// Who may not start now stands aside, in the order of arrival, and not before others. When there is
// room again one comes back for each exchange that may start; if it has nothing to send after all,
// the next one does. Does no I/O and knows no clock: times are monotonic arguments.
class SendTurns {
 public:
  struct Caps {
    int in_flight = kInFlightTotalDefault;                 // All exchanges of the loop; at least 1.
    int in_flight_per_origin = kInFlightPerOriginDefault;  // At least 1.
  };

  // `https://host:port`. Stays where it is as long as an exchange with it is in flight.
  struct Origin;

  explicit SendTurns(const Caps& caps);
  ~SendTurns();
  SendTurns(const SendTurns&) = delete;
  SendTurns& operator=(const SendTurns&) = delete;

  // A subscription whose queue is in memory; again when its URL may have changed.
  void Put(const Subscription& subscription);
  // It has no queue any more.
  void Remove(SubscriptionNumber subscription);

  // It may have something to send. Nothing happens if it is not here.
  void Wake(SubscriptionNumber subscription, absl::Duration now);

  // Who may start an exchange; the caller sees to full(). It has the turn until OnNothing(), or
  // until what it was charged ends the turn. None: nobody may, or, if !empty(), the search took
  // long and other work comes first.
  std::optional<SubscriptionNumber> PickNext(absl::Duration now);
  // It had nothing to send, or may not by its own rules.
  void OnNothing(SubscriptionNumber subscription);
  // It ended a delivery without an exchange.
  void Charge(SubscriptionNumber subscription, size_t bytes);
  // It starts an exchange; what is returned goes to OnEnded().
  Origin* OnStarted(SubscriptionNumber subscription, size_t bytes, absl::Duration now);
  // The exchange has ended, with an answer or without one in time; no latency: it never began.
  void OnEnded(SubscriptionNumber subscription, Origin* origin,
               std::optional<absl::Duration> latency, absl::Duration now);

  // Whether the subscription waits for us, and not by its own rules or for its subscriber: its turn
  // is to come, or what it has in flight, or its origin, was answered within kQuickAnswerMax.
  bool WaitsForUs(SubscriptionNumber subscription, absl::Duration now) const;

  int in_flight() const { return in_flight_; }
  bool full() const { return in_flight_ >= caps_.in_flight; }
  // Whether nobody waits for a turn.
  bool empty() const { return turns_.waiting() == 0; }
  // Subscriptions that wait for a turn, for their origin, or for the share that slow ones may take.
  size_t waiting_for_turn() const { return turns_.waiting(); }
  size_t waiting_for_origin() const { return waiting_for_origin_; }
  size_t waiting_for_share() const { return slow_.size(); }

 private:
  using Waiting = std::list<SubscriptionNumber>;

  struct Member {
    FairQueue::Member* turn = nullptr;
    Origin* origin = nullptr;
    Waiting* aside = nullptr;  // Where it stands aside, and at which place.
    Waiting::iterator place;
    int in_flight = 0;
    std::optional<absl::Duration> latency;  // Moving average; none: it has never answered.
    absl::Duration answered;  // The last answer, or when the oldest in flight since then began.
  };

  Origin* OriginOf(const Subscription& subscription);
  void ForgetIfUnused(Origin* origin);
  bool IsQuick(const Member& member, absl::Duration now) const;
  // Where it has to stand aside; null: it may start.
  Waiting* Obstacle(const Member& member, absl::Duration now);
  void StandAside(SubscriptionNumber subscription, Member& member, Waiting* where);
  void ComeBack(Member& member);
  void LetIn(Origin& origin);

  const Caps caps_;
  const int slow_in_flight_max_;
  FairQueue turns_;
  absl::flat_hash_map<SubscriptionNumber, std::unique_ptr<Member>> members_;
  absl::flat_hash_map<std::string, std::unique_ptr<Origin>> origins_;
  Waiting slow_;
  size_t waiting_for_origin_ = 0;
  int in_flight_ = 0;
};

}  // namespace postrider
