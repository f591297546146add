// The calls of Gateway: each leads to the stage that answers it.

#include <utility>

#include "gateway/answers.h"
#include "gateway/base/status.h"
#include "gateway/delivery_explanation.h"
#include "gateway/gateway_impl.h"

namespace postrider {

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(GatewayOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

void Gateway::Stop(absl::Duration budget) { impl_->Stop(budget); }

void Gateway::Publish(EventInput event, Done<PublishReceipt> done, PublishGate gate) {
  impl_->Publish(std::move(event), std::move(done), std::move(gate));
}

void Gateway::GetEvent(std::string organization, std::string id, Done<LogEntry> done) {
  impl_->Read<LogEntry>([organization = std::move(organization), id = std::move(id)](
                            StoreReader& reader) { return FindEvent(reader, organization, id); },
                        std::move(done));
}

void Gateway::ListEvents(EventQuery query, Done<std::vector<LogEntry>> done) {
  impl_->Read<std::vector<LogEntry>>(
      [query = std::move(query)](StoreReader& reader) { return reader.ListEvents(query); },
      std::move(done));
}

void Gateway::ListAttemptsOfEvent(std::string organization, std::string event_id, std::string page,
                                  size_t limit, Done<AttemptPage> done) {
  impl_->Read<AttemptPage>(
      [organization = std::move(organization), event_id = std::move(event_id),
       page = std::move(page), limit](StoreReader& reader) -> absl::StatusOr<AttemptPage> {
        ASSIGN_OR_RETURN(const LogEntry entry, FindEvent(reader, organization, event_id));
        AttemptQuery query;
        query.event = std::make_pair(entry.shard, entry.seq);
        query.page = page;
        query.limit = limit;
        return reader.ListAttempts(query);
      },
      std::move(done));
}

void Gateway::ListAttemptsOfSubscription(std::string subscription_id, std::string page,
                                         size_t limit, Done<AttemptPage> done) {
  const SubscriptionRegistry::Record record = impl_->registry().Find(subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(subscription_id));
    return;
  }
  AttemptQuery query;
  query.subscription = record->number;
  query.page = std::move(page);
  query.limit = limit;
  impl_->Read<AttemptPage>(
      [query = std::move(query)](StoreReader& reader) { return reader.ListAttempts(query); },
      std::move(done));
}

void Gateway::ListUnmatchedEvents(EventQuery query, Done<EventPage> done) {
  impl_->Read<EventPage>(
      [query = std::move(query)](StoreReader& reader) { return reader.ListUnmatched(query); },
      std::move(done));
}

void Gateway::ListDeadLetters(std::string subscription_id, std::string page, size_t limit,
                              Done<DeadLetterPage> done) {
  impl_->deliveries().ListDeadLetters(subscription_id, std::move(page), limit, std::move(done));
}

void Gateway::Redrive(RedriveOrder order, Done<RedriveResult> done) {
  impl_->deliveries().Redrive(std::move(order), std::move(done));
}

void Gateway::Purge(PurgeOrder order, Done<uint64_t> done) {
  impl_->deliveries().Purge(order, std::move(done));
}

void Gateway::ExplainDelivery(std::string organization, std::string event_id,
                              std::string subscription_id, Done<DeliveryExplanation> done) {
  impl_->deliveries().Explain(std::move(organization), std::move(event_id), subscription_id,
                              std::move(done));
}

void Gateway::CreateSubscription(Subscription subscription, SubscriptionDone done) {
  impl_->admin().Create(std::move(subscription), std::move(done));
}

void Gateway::GetSubscription(std::string id, SubscriptionDone done) {
  SubscriptionRegistry::Record record = impl_->registry().Find(id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(id));
    return;
  }
  std::move(done)(std::move(record));
}

void Gateway::ListSubscriptions(ListSubscriptionsQuery query,
                                Done<std::vector<std::shared_ptr<const Subscription>>> done) {
  std::move(done)(impl_->registry().List(query.organization, query.after_id, query.limit));
}

void Gateway::UpdateSubscription(SubscriptionUpdate update, SubscriptionDone done) {
  impl_->admin().Update(std::move(update), std::move(done));
}

void Gateway::DeleteSubscription(std::string id, std::string etag, Done<bool> done) {
  impl_->admin().Delete(id, etag, std::move(done));
}

void Gateway::PauseSubscription(SubscriptionTarget target, SubscriptionDone done) {
  impl_->admin().Pause(std::move(target), std::move(done));
}

void Gateway::ResumeSubscription(SubscriptionTarget target, SubscriptionDone done) {
  impl_->admin().Resume(std::move(target), std::move(done));
}

void Gateway::EnableSubscription(SubscriptionTarget target, SubscriptionDone done) {
  impl_->admin().Enable(std::move(target), std::move(done));
}

void Gateway::VerifySubscription(SubscriptionTarget target, SubscriptionDone done) {
  impl_->admin().Verify(target, std::move(done));
}

void Gateway::TestSubscription(SubscriptionTest test, Done<TestedSubscription> done) {
  impl_->admin().Test(test, std::move(done));
}

void Gateway::RotateSecret(SecretRotation rotation, SubscriptionDone done) {
  impl_->admin().RotateSecret(std::move(rotation), std::move(done));
}

std::optional<SubscriptionHealth> Gateway::HealthOf(SubscriptionNumber number) const {
  return impl_->health().Find(number);
}

void Gateway::StartReplay(ReplayWish wish, Done<ReplayRecord> done) {
  impl_->replays().StartReplay(wish, std::move(done));
}

void Gateway::CountReplay(ReplayWish wish, Done<ReplayCount> done) {
  impl_->replays().CountReplay(wish, std::move(done));
}

void Gateway::GetReplay(std::string id, Done<ReplayRecord> done) {
  impl_->Read<ReplayRecord>(
      [id = std::move(id)](StoreReader& reader) { return FindReplay(reader, id); },
      std::move(done));
}

void Gateway::ListReplays(std::string subscription_id, Done<std::vector<ReplayRecord>> done) {
  const SubscriptionRegistry::Record record = impl_->registry().Find(subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(subscription_id));
    return;
  }
  impl_->Read<std::vector<ReplayRecord>>(
      [number = record->number](StoreReader& reader) { return reader.ListReplays(number); },
      std::move(done));
}

void Gateway::CancelReplay(std::string id, Done<ReplayRecord> done) {
  GetReplay(std::move(id),
            [this, done = std::move(done)](const absl::StatusOr<ReplayRecord>& found) mutable {
              if (!found.ok()) return std::move(done)(found.status());
              impl_->replays().CancelReplay(*found, std::move(done));
            });
}

std::string Gateway::SubscriptionIdOf(SubscriptionNumber number) const {
  const SubscriptionRegistry::Record record = impl_->registry().FindNumber(number);
  return record == nullptr ? "" : record->id;
}

void Gateway::Tick() { impl_->loop_watch().Ask(); }

absl::Duration Gateway::Silence() const { return impl_->loop_watch().Silence(); }

std::string Gateway::MetricsText() const { return impl_->MetricsText(); }

}  // namespace postrider
