// What the owners of subscriptions do in a Course.

#include "absl/time/time.h"
#include "tests/simulation/course.h"

namespace postrider {

void Course::Change() {
  FakeSubscriber& subscriber = AnySubscriber();
  if (!world_.Exists(subscriber)) return;
  switch (random_.Below(5)) {
    case 0: return world_.Delete(subscriber);
    case 1:
    case 2: return world_.Pause(subscriber);
    default: return world_.Resume(subscriber);
  }
}

// As the gateway's watch and an owner do.
void Course::DisableOrEnable() {
  for (const FakeSubscriber* const subscriber : subscribers_) {
    if (world_.MustBeDisabled(*subscriber)) {
      world_.Disable(*subscriber, "gone");
    } else if (world_.IsDisabled(*subscriber) && random_.OneIn(2)) {
      world_.Disable(*subscriber, "");
    }
  }
}

void Course::EnableAll() {
  for (const FakeSubscriber* const subscriber : subscribers_) {
    if (world_.MustBeDisabled(*subscriber)) world_.Disable(*subscriber, "gone");
    if (world_.IsDisabled(*subscriber)) world_.Disable(*subscriber, "");
  }
}

void Course::ChangeBacklog() {
  FakeSubscriber& subscriber = AnySubscriber();
  if (!world_.Exists(subscriber)) return;
  switch (random_.Below(7)) {
    case 0:
    case 1: return Purge(subscriber);
    case 2: return world_.PurgeDeadLetters(subscriber);
    case 3:
    case 4: world_.Redrive(subscriber); return;
    default: return Replay(subscriber);
  }
}

void Course::Purge(const FakeSubscriber& subscriber) {
  PurgeFilter filter;
  static const char* const kTypes[] = {"order.*", "order.paid", "user.login"};
  if (random_.OneIn(2)) filter.event_types = {kTypes[random_.Below(3)]};
  if (random_.OneIn(4))
    filter.accepted_before = world_.wall_now() - absl::Seconds(random_.Below(60));
  world_.Purge(subscriber, std::move(filter));
}

void Course::Replay(const FakeSubscriber& subscriber) {
  if (!replays_.empty() && random_.OneIn(4)) {
    return world_.CancelReplay(replays_[random_.Below(replays_.size())]);
  }
  const absl::Duration since =
      random_.OneIn(2) ? absl::ZeroDuration() : world_.now() - absl::Seconds(random_.Below(100));
  const double rate = random_.OneIn(3) ? 0.5 * static_cast<double>(1 + random_.Below(20)) : 0;
  const std::string id = world_.Replay(subscriber, since, rate);
  if (!id.empty()) replays_.push_back(id);
}

}  // namespace postrider
