#include "tests/simulation/course.h"

#include "absl/time/time.h"

namespace postrider {
namespace {

World::Options OptionsOf(uint64_t seed) {
  SeededRandom random(seed * 7919 + 1);
  return {.seed = seed,
          .shards = static_cast<uint32_t>(1 + random.Below(3)),
          .loops = static_cast<int>(1 + random.Below(3)),
          .failing_commits = random.OneIn(3) ? 2 + random.Below(30) : 0,
          .stalls = !random.OneIn(3),
          .caps = random.OneIn(3) ? SendTurns::Caps{.in_flight = 8, .in_flight_per_origin = 3}
                                  : SendTurns::Caps{}};
}

}  // namespace

Course::Course(uint64_t seed) : world_(OptionsOf(seed)), random_(seed) {
  large_bodies_ = random_.OneIn(12);
  many_events_ = random_.OneIn(20);
  gone_ = random_.OneIn(3);
  clock_steps_ = random_.OneIn(3);
  crashes_left_ = random_.Below(8);
}

std::vector<std::string> Course::Run() {
  const size_t subscriptions = 1 + random_.Below(4);
  for (size_t i = 0; i < subscriptions; ++i) Subscribe();
  const size_t rounds = 10 + random_.Below(60);
  for (size_t i = 0; i < rounds; ++i) Round();
  if (many_events_) PublishSome(6000);
  Finish();
  return world_.violations();
}

void Course::Round() {
  switch (random_.Below(17)) {
    case 0:
    case 1:
    case 2:
    case 3: return PublishSome(1 + random_.Below(12));
    case 4:
    case 5: return world_.RunSteps(static_cast<int>(random_.Below(200)));
    case 6: return world_.RunFor(absl::Milliseconds(random_.Below(100)));
    case 7: return world_.RunFor(absl::Milliseconds(random_.Below(6000)));
    case 8: return world_.RunFor(absl::Seconds(random_.Below(120)));
    case 9: return PublishUnanswered();
    case 10: return CrashAmongEvents();
    case 11: return Subscribe();
    case 12: return Change();
    case 13: return ChangeBacklog();
    case 14: return random_.OneIn(2) ? StoreTrouble() : DisableOrEnable();
    case 15: return clock_steps_ ? StepClock() : PublishSome(1);
    default: return Script(AnySubscriber());
  }
}

void Course::Subscribe() {
  if (subscribers_.size() == 8) return;
  static const std::vector<std::vector<absl::Duration>> kSchedules = {
      {},
      {absl::ZeroDuration()},
      {absl::ZeroDuration(), absl::ZeroDuration(), absl::ZeroDuration()},
      {absl::ZeroDuration(), absl::Milliseconds(100), absl::Seconds(1), absl::Seconds(1),
       absl::Seconds(30), absl::Minutes(5)}};
  static const char* const kPatterns[] = {"", "", "order.*", "order.paid", "user.*"};
  static const char* const kOrganizations[] = {"acme", "acme", "acme/shop", "globex"};
  static const OrderMode kOrders[] = {OrderMode::kUnordered, OrderMode::kUnordered,
                                      OrderMode::kByKey, OrderMode::kStrict};
  static const absl::Duration kAges[] = {{}, {}, absl::Minutes(1), absl::Hours(30)};
  FakeSubscriber& subscriber = world_.SubscribeSoon(
      kPatterns[random_.Below(5)], {.organization = kOrganizations[random_.Below(4)],
                                    .scope = random_.OneIn(4) ? Scope::kSelf : Scope::kSubtree,
                                    .schedule = kSchedules[random_.Below(kSchedules.size())],
                                    .max_in_flight = static_cast<int>(1 + random_.Below(10)),
                                    .paused = random_.OneIn(8),
                                    .order = kOrders[random_.Below(4)],
                                    .max_age = kAges[random_.Below(4)],
                                    .max_body_bytes = random_.OneIn(4) ? 256U : 0U,
                                    .host = random_.OneIn(3) ? "shared" : ""});
  subscribers_.push_back(&subscriber);
  Script(subscriber);
}

void Course::Script(FakeSubscriber& subscriber) {
  switch (random_.Below(7)) {
    case 0:
    case 1: return subscriber.Heals();
    case 2: return subscriber.NeverAnswers();
    case 3: return subscriber.AnswersAfter(absl::Milliseconds(random_.Below(3000)));
    case 4: return subscriber.Answers({503, 500, 404, 301});
    default: return subscriber.AnswersBy([this] { return Whim(); });
  }
}

FakeSubscriber::Answer Course::Whim() {
  FakeSubscriber::Answer answer;
  answer.delay = absl::Milliseconds(random_.Below(random_.OneIn(8) ? 30'000 : 50));
  answer.http_status = random_.OneIn(4) ? 500 : 200;
  if (random_.OneIn(10)) answer.http_status = 0;
  if (random_.OneIn(20)) {
    answer.http_status = 429;
    answer.retry_after = absl::Seconds(1 + random_.Below(100));
  }
  if (gone_ && random_.OneIn(30)) answer.http_status = 410;
  answer.own_fault = random_.OneIn(40);
  return answer;
}

void Course::PublishSome(size_t count) {
  static const char* const kTypes[] = {"order.paid", "order.line.added", "user.login"};
  static const char* const kOrganizations[] = {"acme", "acme/shop", "acme/shop/desk", "globex"};
  static const char* const kKeys[] = {"", "", "order 1", "order 2", "order 3"};
  for (size_t i = 0; i < count; ++i) {
    const size_t bytes = large_bodies_ ? random_.Below(1'000'000) : random_.Below(300);
    world_.Publish(kTypes[random_.Below(3)], std::string(bytes, 'x'),
                   kOrganizations[random_.Below(4)], kKeys[random_.Below(5)]);
  }
}

void Course::PublishUnanswered() {
  for (const auto& [id, published] : world_.published()) {
    const bool unanswered =
        published.answer == Answer::kNone || published.answer == Answer::kRefused;
    if (unanswered && !random_.OneIn(3)) world_.PublishAgain(id);
  }
  if (!world_.published().empty() && random_.OneIn(4)) {
    const auto& [id, published] = *world_.published().begin();
    if (published.answer == Answer::kAccepted) world_.PublishOther(id, "another");
  }
}

// Once or more: what a crash leaves half done is where the next one may hurt.
void Course::CrashAmongEvents() {
  do {
    if (crashes_left_ == 0) return;
    --crashes_left_;
    FakeSubscriber& subscriber = AnySubscriber();
    if (random_.OneIn(3) && world_.Exists(subscriber)) world_.Pause(subscriber);
    PublishSome(random_.Below(4));
    world_.RunFor(absl::Milliseconds(random_.Below(random_.OneIn(2) ? 8 : 80)));
    PublishSome(random_.Below(3));
    world_.RunSteps(static_cast<int>(random_.Below(60)));
    world_.Crash();
  } while (random_.OneIn(2));
}

// Nothing is lost, and all goes on by itself afterwards.
void Course::StoreTrouble() {
  const bool full = random_.OneIn(2);
  full ? world_.StoreIsFull(true) : world_.StoreFails(true);
  PublishSome(random_.Below(6));
  world_.RunFor(absl::Milliseconds(random_.Below(random_.OneIn(2) ? 300 : 60'000)));
  PublishSome(random_.Below(6));
  if (crashes_left_ > 0 && random_.OneIn(4)) {
    --crashes_left_;
    world_.Crash();
  }
  full ? world_.StoreIsFull(false) : world_.StoreFails(false);
}

// From less than what is told as a step to hours, in both directions.
void Course::StepClock() {
  const absl::Duration step =
      absl::Milliseconds(random_.Below(random_.OneIn(2) ? 20'000 : 20'000'000));
  world_.StepClock(random_.OneIn(2) ? step : -step);
}

// All are well again, and have all the time that they need.
void Course::Finish() {
  for (FakeSubscriber* const subscriber : subscribers_) {
    subscriber->Heals();
    if (world_.Exists(*subscriber)) world_.Resume(*subscriber);
  }
  EnableAll();
  world_.RunFor(absl::Minutes(1));
  EnableAll();  // Those whose last answer was a 410.
  PublishSome(3);
  world_.RunFor(absl::Hours(30));
  world_.CheckAllArrived();
  world_.Crash();
  world_.RunFor(absl::Hours(1));
  world_.CheckAllArrived();
}

}  // namespace postrider
