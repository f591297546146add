#include "gateway/dispatch/fair_queue.h"

#include <iterator>
#include <utility>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

constexpr auto kQuantum = static_cast<int64_t>(kFairQuantumBytes);

}  // namespace

// In `turns` of its organization it waits or has debts, or both; else it is in `resting` and its
// credit is whole.
struct FairQueue::Member {
  SubscriptionNumber subscription = 0;
  Organization* organization = nullptr;
  std::list<Member>::iterator place;
  int64_t credit = kQuantum;
  bool waits = false;
  bool in_turns = false;
};

struct FairQueue::Organization {
  std::string name;
  std::list<Organization>::iterator place;
  std::list<Member> turns;
  std::list<Member> resting;
  int64_t credit = kQuantum;
  size_t waiting = 0;  // Members.
  bool in_turns = false;
};

FairQueue::FairQueue() = default;
FairQueue::~FairQueue() = default;

FairQueue::Member* FairQueue::Join(absl::string_view organization,
                                   SubscriptionNumber subscription) {
  Organization*& known = by_name_[organization];
  if (known == nullptr) {
    resting_.emplace_back();
    known = &resting_.back();
    known->name = std::string(organization);
    known->place = std::prev(resting_.end());
  }
  known->resting.emplace_back();
  Member& member = known->resting.back();
  member.subscription = subscription;
  member.organization = known;
  member.place = std::prev(known->resting.end());
  return &member;
}

bool FairQueue::Waits(const Member& member) { return member.waits; }

void FairQueue::Leave(Member* member) {
  Remove(member);
  Rest(*member);
  Organization& organization = *member->organization;
  organization.resting.erase(member->place);
  if (organization.turns.empty() && organization.resting.empty()) {
    Rest(organization);
    by_name_.erase(organization.name);
    resting_.erase(organization.place);
  }
}

void FairQueue::Add(Member* member) {
  if (member->waits) {
    return;
  }
  member->waits = true;
  ++waiting_;
  Organization& organization = *member->organization;
  ++organization.waiting;
  if (!member->in_turns) {
    member->in_turns = true;
    organization.turns.splice(organization.turns.end(), organization.resting, member->place);
  }
  if (!organization.in_turns) {
    organization.in_turns = true;
    turns_.splice(turns_.end(), resting_, organization.place);
  }
}

void FairQueue::Remove(Member* member) {
  if (!member->waits) {
    return;
  }
  member->waits = false;
  --waiting_;
  Organization& organization = *member->organization;
  --organization.waiting;
  if (member->credit > 0) {
    Rest(*member);
  }
  if (organization.waiting == 0 && organization.credit > 0) {
    Rest(organization);
  }
}

void FairQueue::Rest(Member& member) {
  member.credit = kQuantum;
  if (member.in_turns) {
    member.in_turns = false;
    Organization& organization = *member.organization;
    organization.resting.splice(organization.resting.end(), organization.turns, member.place);
  }
}

// Nobody of it waits: among its own members all is forgiven too.
void FairQueue::Rest(Organization& organization) {
  organization.credit = kQuantum;
  while (!organization.turns.empty()) {
    Rest(organization.turns.front());
  }
  if (organization.in_turns) {
    organization.in_turns = false;
    resting_.splice(resting_.end(), turns_, organization.place);
  }
}

std::optional<SubscriptionNumber> FairQueue::PickNext() {
  if (waiting_ == 0) {
    while (!turns_.empty()) {
      Rest(turns_.front());
    }
    return std::nullopt;
  }
  while (true) {
    ++steps_;
    Organization& organization = turns_.front();
    if (organization.credit <= 0) {
      organization.credit += kQuantum;
      turns_.splice(turns_.end(), turns_, organization.place);
    } else if (organization.waiting == 0) {
      Rest(organization);
    } else {
      return PickMember(organization);
    }
  }
}

SubscriptionNumber FairQueue::PickMember(Organization& organization) {
  while (true) {
    ++steps_;
    Member& member = organization.turns.front();
    if (member.credit <= 0) {
      member.credit += kQuantum;
      organization.turns.splice(organization.turns.end(), organization.turns, member.place);
    } else if (!member.waits) {
      Rest(member);
    } else {
      return member.subscription;
    }
  }
}

void FairQueue::Charge(Member* member, size_t bytes) {
  const auto cost = static_cast<int64_t>(bytes + kExchangeCostBytes);
  member->credit -= cost;
  member->organization->credit -= cost;
}

}  // namespace postrider
