#include "tests/simulation/world.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/check.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

// More steps without a moment's passing than any honest work needs.
constexpr int kStepsPerMomentMax = 300'000;

// After this time an owner whose change was not taken asks again.
constexpr absl::Duration kOwnerRetryDelay = absl::Milliseconds(100);

// In memory where there is such a place: nothing here is to outlive the test.
std::string NewDirectory() {
  std::error_code ignored;
  const bool memory = std::filesystem::is_directory("/dev/shm", ignored);
  std::string path =
      std::string(memory ? "/dev/shm" : testing::TempDir()) + "/postrider_world_XXXXXX";
  CHECK(mkdtemp(path.data()) != nullptr);
  return path;
}

// `acme/shop` is the organization acme/shop below acme.
std::vector<std::string> PathOf(const std::string& organization) {
  std::vector<std::string> path;
  std::string name;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(organization, '/'))) {
    absl::StrAppend(&name, name.empty() ? "" : "/", part);
    path.push_back(name);
  }
  return path;
}

ContentHash HashOf(const std::string& body) {
  ContentHash hash{};
  for (size_t i = 0; i < body.size(); ++i) hash[1 + i % 16] = hash[1 + i % 16] * 31 + body[i];
  return hash;
}

}  // namespace

World::World(Options options)
    : options_(options), random_(options.seed), data_dir_(NewDirectory()), news_(&clock_) {
  SteadyNow();
  StartProcess();
}

World::~World() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(data_dir_, ignored);
}

void World::StartProcess() {
  const Process::Options process{.data_dir = data_dir_,
                                 .shards = options_.shards,
                                 .loops = options_.loops,
                                 .failing_commits = options_.failing_commits,
                                 .stalls = options_.stalls,
                                 .caps = options_.caps,
                                 .life = life_,
                                 .read_bytes_max = options_.read_bytes_max,
                                 .retention = options_.retention,
                                 .events = &news_,
                                 .deaths = deaths_};
  process_ = std::make_unique<Process>(process, &clock_, &random_, &subscribers_);
}

// --- Subscriptions

FakeSubscriber& World::SubscribeSoon(std::string pattern, SubscribeOptions options) {
  const std::string name = absl::StrCat("subscriber", subscribers_.size());
  const std::string host = options.host.empty() ? name : options.host;
  const std::string url = absl::StrCat("https://", host, ".example/hook/", name);
  auto owned = std::make_unique<FakeSubscriber>(
      url, [this](const FakeSubscriber& s, const Arrival& a) { OnArrival(s, a); });
  FakeSubscriber& subscriber = *owned;
  subscribers_.emplace(url, std::move(owned));

  Subscription subscription;
  subscription.id = name;
  subscription.organization = options.organization;
  subscription.scope = options.scope;
  subscription.url = url;
  if (!pattern.empty()) subscription.event_types = {pattern};
  subscription.secrets = {Secret{.text = "secret", .create_time = {}, .expire_time = {}}};
  subscription.policy.schedule = std::move(options.schedule);
  subscription.policy.max_in_flight = options.max_in_flight;
  subscription.policy.order = options.order;
  subscription.policy.max_age = options.max_age;
  subscription.policy.max_body_bytes = options.max_body_bytes;
  subscription.paused = options.paused;
  if (options.start.has_value()) {
    subscription.start_time = clock_.Now() - clock_.elapsed() + *options.start;
  }
  Subscribed& subscribed = subscribed_[url];
  subscribed.subscriber = &subscriber;
  subscribed.pattern = std::move(pattern);
  PutConfiguration(
      PutSubscription{
          .subscription = std::move(subscription), .expected_version = 0, .start_at_heads = true},
      &subscribed);
  return subscriber;
}

FakeSubscriber& World::Subscribe(std::string pattern, SubscribeOptions options) {
  FakeSubscriber& subscriber = SubscribeSoon(std::move(pattern), std::move(options));
  RunUntil([this, &subscriber] { return Exists(subscriber); });
  return subscriber;
}

void World::PutConfiguration(Write write, Subscribed* subscribed) {
  Batch batch;
  batch.writes.push_back(write);
  auto done = [this, write = std::move(write), subscribed](const BatchResult& result) mutable {
    OnConfigured(std::move(write), subscribed, result);
  };
  process_->commits().Submit(std::move(batch), std::move(done));
}

void World::OnConfigured(Write write, Subscribed* subscribed, const BatchResult& result) {
  if (result.state == CommitState::kNotApplied) {
    asks_again_.push_back({clock_.elapsed() + kOwnerRetryDelay, std::move(write), subscribed});
    return;
  }
  if (result.state != CommitState::kCommitted) return;
  const ConfigResult& configured = result.configured.at(0);
  subscribed->refused = !configured.ok();
  if (!configured.ok() || *configured == nullptr) return;
  subscribed->record = *configured;
  news_.OnConfigured(subscribed->record->number);
}

void World::AskAgain() {
  while (!asks_again_.empty() && asks_again_.front().time <= clock_.elapsed()) {
    Refused refused = std::move(asks_again_.front());
    asks_again_.pop_front();
    PutConfiguration(std::move(refused.write), refused.subscribed);
  }
}

void World::SetPaused(const FakeSubscriber& subscriber, bool paused) {
  Subscribed& subscribed = Of(subscriber);
  Subscription changed = *subscribed.record;
  changed.paused = paused;
  Change(subscribed, std::move(changed));
}

void World::Disable(const FakeSubscriber& subscriber, std::string reason) {
  Subscribed& subscribed = Of(subscriber);
  Subscription changed = *subscribed.record;
  const bool enabled = reason.empty();
  changed.disabled_reason = std::move(reason);
  if (enabled) subscribed.subscriber->ForgetThrottle();
  Change(subscribed, std::move(changed));
  if (!enabled) return;
  RunThroughAllLoops();
  subscribed.subscriber->ForgetThrottle();
}

void World::Change(Subscribed& subscribed, Subscription changed) {
  const uint64_t version = changed.version;
  PutConfiguration(
      PutSubscription{
          .subscription = std::move(changed), .expected_version = version, .start_at_heads = false},
      &subscribed);
  RunUntil([&subscribed, version] {
    return subscribed.deleted || subscribed.record->version != version;
  });
}

void World::Delete(const FakeSubscriber& subscriber) {
  Subscribed& subscribed = Of(subscriber);
  subscribed.deleted = true;
  PutConfiguration(DeleteSubscription{.number = subscribed.record->number}, &subscribed);
}

bool World::Exists(const FakeSubscriber& subscriber) const {
  const Subscribed& subscribed = subscribed_.at(subscriber.url());
  return subscribed.record != nullptr && !subscribed.deleted;
}

bool World::IsDisabled(const FakeSubscriber& subscriber) const {
  return Exists(subscriber) && !subscribed_.at(subscriber.url()).record->disabled_reason.empty();
}

bool World::MustBeDisabled(const FakeSubscriber& subscriber) const {
  return Exists(subscriber) && !IsDisabled(subscriber) &&
         news_.MustBeDisabled(subscribed_.at(subscriber.url()).record->number);
}

World::Subscribed& World::Of(const FakeSubscriber& subscriber) {
  return subscribed_.at(subscriber.url());
}

// --- Events

Uuid World::Publish(std::string type, std::string body, const std::string& organization,
                    std::string ordering_key) {
  auto event = std::make_shared<Event>();
  event->id = Uuid::Version7(clock_.Now(), {random_.Next(), random_.Next()});
  event->organization = organization;
  event->organization_path = PathOf(organization);
  event->type = std::move(type);
  event->ordering_key = std::move(ordering_key);
  event->time = clock_.Now();
  event->content_hash = HashOf(body);
  event->body = std::move(body);
  Published& published = published_[event->id];
  published.event = event;
  Submit(event->id, event, &published.answer);
  return event->id;
}

void World::PublishAgain(const Uuid& id) {
  Published& published = published_.at(id);
  Submit(id, published.event, &published.answer);
}

Answer World::PublishOther(const Uuid& id, std::string body) {
  auto event = std::make_shared<Event>(*published_.at(id).event);
  event->content_hash = HashOf(body);
  event->body = std::move(body);
  auto answer = std::make_shared<Answer>(Answer::kNone);
  Submit(id, event, answer.get());
  RunUntil([&answer] { return *answer != Answer::kNone; });
  return *answer;
}

void World::Submit(const Uuid& id, std::shared_ptr<const Event> event, Answer* answer) {
  const ShardId shard = ShardOf(event->organization, options_.shards);
  process_->commits().Append(shard, std::move(event), /*put_path=*/false,
                             [this, id, answer](const absl::StatusOr<Appended>& appended) {
                               *answer = Answered(id, appended, *answer);
                             });
}

Answer World::Answered(const Uuid& id, const absl::StatusOr<Appended>& appended, Answer before) {
  if (!appended.ok()) return before == Answer::kNone ? Answer::kRefused : before;
  if (appended->kind == Appended::Kind::kConflict) return Answer::kConflict;
  Published& published = published_.at(id);
  published.shard = ShardOf(published.event->organization, options_.shards);
  if (published.seq == 0) published.accepted = clock_.elapsed();
  published.seq = appended->seq;
  published.accept_time = appended->accept_time;
  return appended->kind == Appended::Kind::kNew ? Answer::kAccepted : Answer::kDuplicate;
}

// --- The store

void World::StoreFails(bool fails) {
  process_->store_faults().set_down(fails);
  store_well_ = fails ? absl::InfiniteDuration() : clock_.elapsed();
}

// --- Time

absl::Time World::SteadyNow() {
  steady_.Update(clock_.Now(), clock_.Monotonic());
  return steady_.now();
}

// A loop that sleeps sees a step late, and its alarms know of no correction.
absl::Duration World::SteadyError() const {
  if (!step_time_.has_value()) return absl::ZeroDuration();
  return steady_error_ + (clock_.elapsed() - *step_time_) * kSteadyErrorMax;
}

// A loop that sleeps when it happens corrects nothing for that sleep. One that has not begun would
// begin with the new time.
void World::StepClock(absl::Duration step) {
  RunThroughAllLoops();
  if (step_time_.has_value()) steady_error_ = SteadyError();
  step_time_ = clock_.elapsed();
  clock_stepped_ = true;
  SteadyNow();
  steady_error_ += process_->longest_sleep() * kSteadyErrorMax;
  clock_.Step(step);
  SteadyNow();
}

bool World::StepOrWait(absl::Duration end) {
  AskAgain();
  SteadyNow();
  const bool stepped = process_->Step();
  if (!process_->died_of().empty()) Crash();
  if (stepped) return true;
  if (process_->idle()) OnQuiet();
  absl::Duration next = process_->NextMoment();
  if (!asks_again_.empty()) next = std::min(next, asks_again_.front().time);
  if (next > end || next == absl::InfiniteDuration()) return false;
  clock_.Advance(std::max(next - clock_.elapsed(), absl::ZeroDuration()));
  return true;
}

void World::RunFor(absl::Duration span) {
  const absl::Duration end = clock_.elapsed() + span;
  ExpectAttention();
  int steps = 0;
  absl::Duration moment = clock_.elapsed();
  while (StepOrWait(end)) {
    if (moment != clock_.elapsed()) {
      moment = clock_.elapsed();
      steps = 0;
    }
    if (++steps == kStepsPerMomentMax) {
      return Violation("the engine is busy without end");
    }
  }
  clock_.Advance(end - clock_.elapsed());
  if (process_->idle()) OnQuiet();  // Nobody may be left who would look.
}

void World::RunUntil(const std::function<bool()>& reached) {
  ExpectAttention();
  for (int i = 0; !reached(); ++i) {
    CHECK(i < kStepsPerMomentMax && StepOrWait(absl::InfiniteDuration()));
  }
}

void World::RunSteps(int steps) {
  ExpectAttention();
  for (int i = 0; i < steps && StepOrWait(absl::InfiniteDuration()); ++i) {
  }
}

void World::Crash() {
  // Whether the last start came to empty the file.
  if (!deaths_.empty() && random_.OneIn(2)) deaths_.clear();
  for (const WorkItem& item : process_->died_of()) {
    deaths_.push_back({.item = item, .boot = static_cast<uint64_t>(life_) + 1});
    ++own_deaths_;
  }
  process_.reset();
  // Due times are stored by the steady time of this life, and read by that of the next (T5).
  const absl::Duration ahead = clock_.Now() - SteadyNow();
  earlier_max_ += std::max(ahead, absl::ZeroDuration()) + SteadyError();
  if (-ahead > kScheduleStepMax) earlier_max_ = absl::InfiniteDuration();  // All is due at once.
  steady_ = SteadyTime();
  steady_error_ = absl::ZeroDuration();
  step_time_.reset();
  SteadyNow();
  news_.OnCrash();
  asks_again_.clear();
  store_well_ = -absl::InfiniteDuration();
  ++life_;
  for (auto& [url, subscriber] : subscribers_) subscriber->HangUp();
  for (auto& [id, published] : published_) {
    if (published.answer == Answer::kRefused) published.answer = Answer::kNone;
  }
  StartProcess();
  ReadCommitted();
  ExpectAttention();
}

}  // namespace postrider
