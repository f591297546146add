#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/model/ids.h"

namespace postrider {

// Whose turn it is among subscriptions that have something to send: organizations in turn, within
// an organization its subscriptions in turn, both by bytes and not by count (T4).
//
// A deficit round robin whose costs are known after the pick: a turn goes on until its credit is
// used up, and what was taken beyond that is a debt, paid by passing. Who goes away in debt keeps
// his place until it is paid, so nobody gains by coming back. When nobody waits all is forgiven.
//
// A pick takes as many steps however many wait: over time at most a few a pick, and one for each
// kFairQuantumBytes charged. Belongs to one loop.
class FairQueue {
 public:
  // A subscription's place. Made by Join(), valid until Leave().
  struct Member;

  FairQueue();
  ~FairQueue();
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  // A subscription that may have something to send at times. It does not wait yet.
  Member* Join(absl::string_view organization, SubscriptionNumber subscription);
  void Leave(Member* member);

  // It has something to send: waits for its turn, behind all others. Who waits already keeps his
  // place.
  void Add(Member* member);
  // It has nothing more to send, or may not.
  void Remove(Member* member);

  static bool Waits(const Member& member);

  // Whose turn it is: the same one until it is charged or removed; none if nobody waits.
  std::optional<SubscriptionNumber> PickNext();
  // What it has sent: the bytes, and a fixed cost besides.
  void Charge(Member* member, size_t bytes);

  size_t waiting() const { return waiting_; }
  // What all picks have cost so far.
  uint64_t steps() const { return steps_; }

 private:
  struct Organization;

  SubscriptionNumber PickMember(Organization& organization);
  void Rest(Member& member);
  void Rest(Organization& organization);

  // Those with somebody who waits or has debts; the one in front has the turn.
  std::list<Organization> turns_;
  std::list<Organization> resting_;
  absl::flat_hash_map<std::string, Organization*> by_name_;
  size_t waiting_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace postrider
