#include "gateway/dispatch/send_turns.h"

#include <algorithm>
#include <utility>

#include "gateway/model/url.h"

namespace postrider {
namespace {

// The average follows the last answers: an eighth is the newest one's.
constexpr int kLatencyWeight = 8;
// A search passes at most so many that have to stand aside.
constexpr int kStandAsideMax = 1000;

}  // namespace

struct SendTurns::Origin {
  std::string name;
  int members = 0;
  int in_flight = 0;
  absl::Duration answered;  // The last answer, or when the oldest in flight since then began.
  Waiting waiting;
};

SendTurns::SendTurns(const Caps& caps)
    : caps_(caps), slow_in_flight_max_(std::max(1, caps.in_flight / 4 * 3)) {}

SendTurns::~SendTurns() = default;

// --- Who is here ---------------------------------------------------------------------------------

void SendTurns::Put(const Subscription& subscription) {
  std::unique_ptr<Member>& member = members_[subscription.number];
  if (member == nullptr) {
    member = std::make_unique<Member>();
    member->turn = turns_.Join(subscription.organization, subscription.number);
    member->origin = OriginOf(subscription);
    return;
  }
  Origin* const before = member->origin;
  member->origin = OriginOf(subscription);
  if (member->origin != before && member->aside == &before->waiting) {
    ComeBack(*member);
  }
  --before->members;
  LetIn(*before);
  ForgetIfUnused(before);
}

void SendTurns::Remove(SubscriptionNumber subscription) {
  const auto found = members_.find(subscription);
  if (found == members_.end()) {
    return;
  }
  Member& member = *found->second;
  if (member.aside != nullptr) {
    ComeBack(member);
  }
  turns_.Leave(member.turn);
  Origin* const origin = member.origin;
  members_.erase(found);
  --origin->members;
  LetIn(*origin);
  ForgetIfUnused(origin);
}

// Counts the subscription as one of its members.
SendTurns::Origin* SendTurns::OriginOf(const Subscription& subscription) {
  std::string name = OriginOfUrl(subscription.url);
  std::unique_ptr<Origin>& origin = origins_[name];
  if (origin == nullptr) {
    origin = std::make_unique<Origin>();
    origin->name = std::move(name);
  }
  ++origin->members;
  return origin.get();
}

void SendTurns::ForgetIfUnused(Origin* origin) {
  if (origin->members == 0 && origin->in_flight == 0) {
    origins_.erase(origin->name);
  }
}

// --- Turns ---------------------------------------------------------------------------------------

void SendTurns::Wake(SubscriptionNumber subscription, absl::Duration now) {
  const auto found = members_.find(subscription);
  if (found == members_.end()) {
    return;
  }
  Member& member = *found->second;
  if (member.aside == &slow_ && IsQuick(member, now)) {
    ComeBack(member);
  } else if (member.aside == nullptr) {
    turns_.Add(member.turn);
  }
}

std::optional<SubscriptionNumber> SendTurns::PickNext(absl::Duration now) {
  for (int passed = 0; passed < kStandAsideMax; ++passed) {
    const std::optional<SubscriptionNumber> next = turns_.PickNext();
    if (!next.has_value()) {
      return std::nullopt;
    }
    Member& member = *members_.at(*next);
    Waiting* const obstacle = Obstacle(member, now);
    if (obstacle == nullptr) {
      return next;
    }
    StandAside(*next, member, obstacle);
    LetIn(*member.origin);
  }
  return std::nullopt;
}

SendTurns::Waiting* SendTurns::Obstacle(const Member& member, absl::Duration now) {
  if (in_flight_ >= slow_in_flight_max_ && !IsQuick(member, now)) {
    return &slow_;
  }
  return member.origin->in_flight >= caps_.in_flight_per_origin ? &member.origin->waiting : nullptr;
}

// Who has not answered yet is given the benefit of the doubt once. Who was quick and keeps all that
// is in flight waiting is not quick now.
bool SendTurns::IsQuick(const Member& member, absl::Duration now) const {
  if (member.in_flight > 0 &&
      (!member.latency.has_value() || now - member.answered >= kQuickAnswerMax)) {
    return false;
  }
  return member.latency.value_or(absl::ZeroDuration()) < kQuickAnswerMax;
}

bool SendTurns::WaitsForUs(SubscriptionNumber subscription, absl::Duration now) const {
  const auto found = members_.find(subscription);
  if (found == members_.end()) {
    return false;
  }
  const Member& member = *found->second;
  const bool in_turn = FairQueue::Waits(*member.turn);
  const bool answers = member.in_flight > 0 && now - member.answered < kQuickAnswerMax;
  const bool origin_answers =
      member.aside == &member.origin->waiting && now - member.origin->answered < kQuickAnswerMax;
  return in_turn || answers || origin_answers;
}

void SendTurns::StandAside(SubscriptionNumber subscription, Member& member, Waiting* where) {
  turns_.Remove(member.turn);
  member.aside = where;
  member.place = where->insert(where->end(), subscription);
  waiting_for_origin_ += where == &slow_ ? 0 : 1;
}

void SendTurns::ComeBack(Member& member) {
  waiting_for_origin_ -= member.aside == &slow_ ? 0 : 1;
  member.aside->erase(member.place);
  member.aside = nullptr;
  turns_.Add(member.turn);
}

// Whoever leaves room unused passes it on: so while there is room and somebody stands aside for it,
// one who could take it is among those in turn.
void SendTurns::LetIn(Origin& origin) {
  if (!slow_.empty() && in_flight_ < slow_in_flight_max_) {
    ComeBack(*members_.at(slow_.front()));
  }
  if (!origin.waiting.empty() && origin.in_flight < caps_.in_flight_per_origin) {
    ComeBack(*members_.at(origin.waiting.front()));
  }
}

void SendTurns::OnNothing(SubscriptionNumber subscription) {
  Member& member = *members_.at(subscription);
  turns_.Remove(member.turn);
  LetIn(*member.origin);
}

void SendTurns::Charge(SubscriptionNumber subscription, size_t bytes) {
  turns_.Charge(members_.at(subscription)->turn, bytes);
}

SendTurns::Origin* SendTurns::OnStarted(SubscriptionNumber subscription, size_t bytes,
                                        absl::Duration now) {
  Member& member = *members_.at(subscription);
  turns_.Charge(member.turn, bytes);
  if (member.in_flight == 0) {
    member.answered = now;
  }
  if (member.origin->in_flight == 0) {
    member.origin->answered = now;
  }
  ++member.in_flight;
  ++member.origin->in_flight;
  ++in_flight_;
  return member.origin;
}

void SendTurns::OnEnded(SubscriptionNumber subscription, Origin* origin,
                        std::optional<absl::Duration> latency, absl::Duration now) {
  --in_flight_;
  --origin->in_flight;
  origin->answered = now;
  if (const auto found = members_.find(subscription); found != members_.end()) {
    Member& member = *found->second;
    --member.in_flight;
    member.answered = now;
    if (latency.has_value()) {
      const absl::Duration before = member.latency.value_or(*latency);
      member.latency = before + (*latency - before) / kLatencyWeight;
    }
  }
  LetIn(*origin);
  ForgetIfUnused(origin);
}

}  // namespace postrider
