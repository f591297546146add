#include "tests/unit/server/fake_engine.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

FakeEngine* current = nullptr;

constexpr char kId[] = "774ae370-02cc-11e7-ac41-c38ce8763025";

PublishReceipt ReceiptFor(const EventInput& event) {
  PublishReceipt receipt;
  receipt.id = *Uuid::Parse(event.id.empty() ? kId : event.id);
  receipt.accept_time = absl::FromUnixSeconds(1'545'246'541);
  return receipt;
}

using Record = std::shared_ptr<const Subscription>;

absl::StatusOr<Record> Find(FakeEngine* engine, const std::string& id) {
  const auto found = engine->subscriptions.find(id);
  if (found == engine->subscriptions.end()) {
    return WithResource(absl::NotFoundError("there is no such subscription"), "subscription", id);
  }
  return std::make_shared<const Subscription>(found->second);
}

void Note(FakeEngine* engine, const std::string& call, SubscriptionTarget target,
          Gateway::SubscriptionDone done) {
  engine->last_call = call;
  engine->last_target = target;
  std::move(done)(Find(engine, target.id));
}

}  // namespace

std::unique_ptr<Gateway> FakeEngine::MakeGateway() {
  current = this;
  return *Gateway::Start({});
}

void FakeEngine::Hold() {
  const MutexLock lock(&mutex_);
  holding_ = true;
}

bool FakeEngine::AnswerNext(const absl::Status& status) {
  Call call;
  {
    const MutexLock lock(&mutex_);
    if (held_.empty()) return false;
    call = std::move(held_.front());
    held_.pop_front();
  }
  Answer(std::move(call), status);
  return true;
}

void FakeEngine::Answer(Call call, const absl::Status& status) {
  const absl::Status refusal = status.ok() && call.gate != nullptr ? call.gate() : status;
  if (refusal.ok()) {
    std::move(call.done)(ReceiptFor(call.event));
  } else {
    std::move(call.done)(refusal);
  }
}

void FakeEngine::Refuse(const std::string& type, const absl::Status& status) {
  const MutexLock lock(&mutex_);
  refused_[type] = status;
}

void FakeEngine::WaitForPublishes(size_t count) {
  const MutexLock lock(&mutex_);
  while (types_.size() < count) {
    came_.Wait(&mutex_);
  }
}

std::vector<std::string> FakeEngine::PublishedTypes() {
  const MutexLock lock(&mutex_);
  return types_;
}

std::vector<std::string> FakeEngine::PublishedIds() {
  const MutexLock lock(&mutex_);
  return ids_;
}

void FakeEngine::Publish(Call call) {
  absl::Status refusal;
  {
    const MutexLock lock(&mutex_);
    types_.push_back(call.event.type);
    ids_.push_back(call.event.id);
    came_.NotifyAll();
    const auto refused = refused_.find(call.event.type);
    if (refused != refused_.end() && !refused->second.ok()) {
      refusal = refused->second;
    } else if (holding_) {
      held_.push_back(std::move(call));
      return;
    }
  }
  Answer(std::move(call), refusal);
}

class Gateway::Impl {
 public:
  FakeEngine* engine = current;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(GatewayOptions) {
  return std::unique_ptr<Gateway>(new Gateway(std::make_unique<Impl>()));
}

void Gateway::Publish(EventInput event, Done<PublishReceipt> done, PublishGate gate) {
  impl_->engine->Publish({std::move(event), std::move(done), std::move(gate)});
}

void Gateway::GetEvent(std::string, std::string id, Done<LogEntry> done) {
  for (const LogEntry& entry : impl_->engine->events) {
    if (entry.event->id.ToString() == id) return std::move(done)(entry);
  }
  std::move(done)(WithResource(absl::NotFoundError("there is no such event"), "event", id));
}

void Gateway::ListEvents(EventQuery query, Done<std::vector<LogEntry>> done) {
  std::vector<LogEntry> page;
  for (const LogEntry& entry : impl_->engine->events) {
    if (entry.seq < query.before_seq && page.size() < query.limit) page.push_back(entry);
  }
  std::move(done)(std::move(page));
}

void Gateway::ListAttemptsOfEvent(std::string, std::string, std::string page, size_t limit,
                                  Done<AttemptPage> done) {
  impl_->engine->last_page = std::move(page);
  impl_->engine->last_limit = limit;
  std::move(done)(impl_->engine->attempts);
}

void Gateway::ListAttemptsOfSubscription(std::string, std::string page, size_t limit,
                                         Done<AttemptPage> done) {
  impl_->engine->last_page = std::move(page);
  impl_->engine->last_limit = limit;
  std::move(done)(impl_->engine->attempts);
}

void Gateway::ListUnmatchedEvents(EventQuery query, Done<EventPage> done) {
  impl_->engine->last_limit = query.limit;
  std::move(done)(impl_->engine->unmatched);
}

void Gateway::ListDeadLetters(std::string, std::string page, size_t limit,
                              Done<DeadLetterPage> done) {
  impl_->engine->last_page = std::move(page);
  impl_->engine->last_limit = limit;
  std::move(done)(impl_->engine->dead_letters);
}

void Gateway::Redrive(RedriveOrder order, Done<RedriveResult> done) {
  impl_->engine->last_redrive = std::move(order);
  std::move(done)(RedriveResult{.rows = 3, .more = impl_->engine->more_dead_letters});
}

void Gateway::Purge(PurgeOrder order, Done<uint64_t> done) {
  impl_->engine->last_purge = std::move(order);
  std::move(done)(4);
}

void Gateway::ExplainDelivery(std::string, std::string, std::string,
                              Done<DeliveryExplanation> done) {
  std::move(done)(impl_->engine->explanation);
}

void Gateway::CreateSubscription(Subscription subscription, SubscriptionDone done) {
  if (subscription.id.empty()) subscription.id = "made-by-gateway";
  if (subscription.secrets.empty()) subscription.secrets.push_back({"whsec_made", {}, {}});
  subscription.version = 7;
  impl_->engine->subscriptions[subscription.id] = subscription;
  std::move(done)(Find(impl_->engine, subscription.id));
}

void Gateway::GetSubscription(std::string id, SubscriptionDone done) {
  std::move(done)(Find(impl_->engine, id));
}

void Gateway::ListSubscriptions(ListSubscriptionsQuery query, Done<std::vector<Record>> done) {
  std::vector<Record> page;
  for (const auto& [id, subscription] : impl_->engine->subscriptions) {
    if (id > query.after_id && page.size() < query.limit) {
      page.push_back(std::make_shared<const Subscription>(subscription));
    }
  }
  std::move(done)(std::move(page));
}

void Gateway::UpdateSubscription(SubscriptionUpdate update, SubscriptionDone done) {
  impl_->engine->last_update = update;
  std::move(done)(Find(impl_->engine, update.subscription.id));
}

void Gateway::DeleteSubscription(std::string id, std::string etag, Done<bool> done) {
  const absl::StatusOr<Record> found = Find(impl_->engine, id);
  if (!found.ok()) return std::move(done)(found.status());
  if (!etag.empty() && etag != EtagOf(**found)) {
    return std::move(done)(absl::AbortedError("etag: it has been changed"));
  }
  impl_->engine->subscriptions.erase(id);
  std::move(done)(true);
}

void Gateway::PauseSubscription(SubscriptionTarget target, SubscriptionDone done) {
  Note(impl_->engine, "Pause", std::move(target), std::move(done));
}

void Gateway::ResumeSubscription(SubscriptionTarget target, SubscriptionDone done) {
  Note(impl_->engine, "Resume", std::move(target), std::move(done));
}

void Gateway::EnableSubscription(SubscriptionTarget target, SubscriptionDone done) {
  Note(impl_->engine, "Enable", std::move(target), std::move(done));
}

void Gateway::VerifySubscription(SubscriptionTarget target, SubscriptionDone done) {
  Note(impl_->engine, "Verify", std::move(target), std::move(done));
}

void Gateway::TestSubscription(SubscriptionTest test, Done<TestedSubscription> done) {
  impl_->engine->last_test = test;
  const absl::StatusOr<Record> found = Find(impl_->engine, test.id);
  if (!found.ok()) return std::move(done)(found.status());
  std::move(done)(TestedSubscription{*found, *Uuid::Parse(kId), impl_->engine->test_result});
}

void Gateway::RotateSecret(SecretRotation rotation, SubscriptionDone done) {
  impl_->engine->last_rotation = rotation;
  std::move(done)(Find(impl_->engine, rotation.id));
}

std::optional<SubscriptionHealth> Gateway::HealthOf(SubscriptionNumber) const {
  return impl_->engine->health;
}

void Gateway::StartReplay(ReplayWish wish, Done<ReplayRecord> done) {
  impl_->engine->last_wish = std::move(wish);
  std::move(done)(impl_->engine->replay);
}

void Gateway::CountReplay(ReplayWish wish, Done<ReplayCount> done) {
  impl_->engine->last_wish = std::move(wish);
  std::move(done)(impl_->engine->replay_count);
}

void Gateway::GetReplay(std::string id, Done<ReplayRecord> done) {
  const ReplayRecord& replay = impl_->engine->replay;
  if (replay.replay == nullptr || replay.replay->id != id) {
    return std::move(done)(
        WithResource(absl::NotFoundError("there is no such replay"), "replay", id));
  }
  std::move(done)(replay);
}

void Gateway::ListReplays(std::string, Done<std::vector<ReplayRecord>> done) {
  std::move(done)(std::vector<ReplayRecord>{impl_->engine->replay});
}

void Gateway::CancelReplay(std::string id, Done<ReplayRecord> done) {
  GetReplay(std::move(id), std::move(done));
}

std::string Gateway::SubscriptionIdOf(SubscriptionNumber number) const {
  return number == 0 ? "" : absl::StrCat("subscription-", number);
}

void Gateway::Tick() {}

absl::Duration Gateway::Silence() const {
  return absl::Seconds(impl_->engine->silence_seconds.load());
}

std::string Gateway::MetricsText() const { return "postrider_up 1\n"; }

void Gateway::Stop(absl::Duration) {
  while (impl_->engine->AnswerNext()) {
  }
}

std::string EtagOf(const Subscription& subscription) {
  return absl::StrCat("\"", subscription.version, "\"");
}

}  // namespace postrider
