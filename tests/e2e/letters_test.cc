// Goal: what could not be delivered is listed, explained, sent again or purged.
// Method: the real gateway on disk, a real gRPC server, a receiver that refuses.
#include <string>
#include <vector>

#include "gateway/base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LettersTest : public EndToEndTest {
 protected:
  // A subscription whose deliveries have one attempt.
  std::string SubscribeOnce(const std::string& pattern) {
    v1::Subscription subscription;
    subscription.set_organization(kOrganization);
    subscription.set_url(receiver_.Url());
    subscription.add_event_types(pattern);
    subscription.mutable_policy()->add_schedule();
    EXPECT_TRUE(Create(subscription).ok());
    return created_.subscription().id();
  }
  std::string PublishOf(const std::string& type) {
    EXPECT_TRUE(Publish(SmallEvent(type)).ok());
    return published_.id();
  }
  v1::ExplainDeliveryResponse Explain(const std::string& event_id,
                                      const std::string& subscription_id) {
    grpc::ClientContext context;
    v1::ExplainDeliveryRequest request;
    request.set_organization(kOrganization);
    request.set_event_id(event_id);
    request.set_subscription_id(subscription_id);
    v1::ExplainDeliveryResponse response;
    const grpc::Status status = deliveries_->ExplainDelivery(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // Returns once the delivery is in this state.
  v1::ExplainDeliveryResponse WaitUntil(v1::DeliveryState state, const std::string& event_id,
                                        const std::string& subscription_id) {
    v1::ExplainDeliveryResponse response;
    while (response.state() != state) response = Explain(event_id, subscription_id);
    return response;
  }
  std::vector<std::string> DeadLettersOf(const std::string& subscription_id) {
    grpc::ClientContext context;
    v1::ListDeadLettersRequest request;
    request.set_subscription_id(subscription_id);
    v1::ListDeadLettersResponse response;
    EXPECT_TRUE(deliveries_->ListDeadLetters(&context, request, &response).ok());
    std::vector<std::string> ids;
    for (const v1::DeadLetter& letter : response.dead_letters()) {
      EXPECT_EQ(letter.reason(), v1::DEAD_REASON_EXHAUSTED);
      EXPECT_EQ(letter.attempts(), 1);
      ids.push_back(letter.event_id());
    }
    return ids;
  }
  grpc::Status RedriveOne(const std::string& event_id, const std::string& subscription_id) {
    v1::RedriveRequest request;
    request.set_subscription_id(subscription_id);
    request.set_organization(kOrganization);
    request.set_event_id(event_id);
    return Redrive(request);
  }
  grpc::Status RedriveAll(const std::string& subscription_id) {
    v1::RedriveRequest request;
    request.set_subscription_id(subscription_id);
    request.set_all(true);
    return Redrive(request);
  }
  grpc::Status Redrive(const v1::RedriveRequest& request) {
    grpc::ClientContext context;
    return deliveries_->Redrive(&context, request, &redriven_);
  }
  int64_t Purge(const v1::PurgeRequest& request) {
    grpc::ClientContext context;
    v1::PurgeResponse response;
    const grpc::Status status = deliveries_->Purge(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.purged_count();
  }

  v1::RedriveResponse redriven_;
};

TEST_F(LettersTest, ADeadLetterIsListedExplainedRedrivenAndDelivered) {
  const std::string subscription = SubscribeOnce("a.*");
  receiver_.Answer(500, "no");
  const std::string event = PublishOf("a.b");
  const auto dead = WaitUntil(v1::DELIVERY_STATE_DEAD, event, subscription);
  EXPECT_EQ(dead.dead_reason(), v1::DEAD_REASON_EXHAUSTED);
  EXPECT_EQ(dead.last_http_status(), 500);
  EXPECT_THAT(dead.explanation(), HasSubstr("status 500"));
  EXPECT_THAT(DeadLettersOf(subscription), ElementsAre(event));

  receiver_.Answer(200, "");
  ASSERT_TRUE(RedriveOne(event, subscription).ok());
  EXPECT_EQ(redriven_.redriven_count(), 1);
  WaitUntil(v1::DELIVERY_STATE_DELIVERED, event, subscription);
  EXPECT_THAT(DeadLettersOf(subscription), IsEmpty());
  EXPECT_EQ(receiver_.count(), 2U);

  v1::ListAttemptsRequest attempts;
  attempts.set_subscription_id(subscription);
  const v1::Attempt again = AttemptsOf(attempts)[0];
  EXPECT_EQ(again.origin(), v1::ATTEMPT_ORIGIN_REDRIVE);
  EXPECT_EQ(again.number(), 1);

  const grpc::Status refused = RedriveOne(event, subscription);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("delivered"));
  EXPECT_EQ(RedriveOne("774ae370-02cc-11e7-ac41-c38ce8763025", subscription).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(RedriveAll("none").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LettersTest, AllDeadLettersAreRedrivenAlsoAfterARestart) {
  const std::string subscription = SubscribeOnce("a.*");
  receiver_.Answer(500, "");
  std::vector<std::string> events;
  for (int i = 0; i < 5; ++i) events.push_back(PublishOf("a.b"));
  for (const std::string& event : events) {
    WaitUntil(v1::DELIVERY_STATE_DEAD, event, subscription);
  }
  StopGateway();
  StartGateway();
  ASSERT_TRUE(RedriveAll(subscription).ok());
  EXPECT_EQ(redriven_.redriven_count(), 5);
  receiver_.WaitFor(10);
  for (const std::string& event : events) {
    WaitUntil(v1::DELIVERY_STATE_DEAD, event, subscription);
  }
  receiver_.Answer(200, "");
  ASSERT_TRUE(RedriveAll(subscription).ok());
  for (const std::string& event : events) {
    WaitUntil(v1::DELIVERY_STATE_DELIVERED, event, subscription);
  }
  ASSERT_TRUE(RedriveAll(subscription).ok());
  EXPECT_EQ(redriven_.redriven_count(), 0);
}

// So that first attempts go on; what does not fit in a redrive is left for the next.
TEST_F(LettersTest, ARedriveOfAllTakesNoMoreThanItsBound) {
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(receiver_.Url());
  subscription.mutable_policy()->set_max_body_bytes(1024);  // All are dead without a POST.
  ASSERT_TRUE(Create(subscription).ok());
  const std::string id = created_.subscription().id();
  v1::PublishBatchRequest batch;
  v1::Event event = SmallEvent("a.b");
  (*event.mutable_data())["note"].set_json("\"" + std::string(1024, 'x') + "\"");
  for (int i = 0; i < 1000; ++i) *batch.add_events() = event;
  v1::PublishBatchResponse published;
  for (uint64_t sent = 0; sent <= kRedriveMax; sent += 1000) {
    grpc::ClientContext context;
    ASSERT_TRUE(publisher_->PublishBatch(&context, batch, &published).ok());
  }
  const auto last =
      WaitUntil(v1::DELIVERY_STATE_DEAD, published.results().rbegin()->receipt().id(), id);
  EXPECT_EQ(last.dead_reason(), v1::DEAD_REASON_TOO_LARGE);

  ASSERT_TRUE(RedriveAll(id).ok());
  EXPECT_EQ(redriven_.redriven_count(), kRedriveMax);
  EXPECT_TRUE(redriven_.more());
  EXPECT_EQ(receiver_.count(), 0U);
}

TEST_F(LettersTest, APurgeTakesWhatItsFilterCoversAndNothingLater) {
  const std::string subscription = SubscribeOnce("**");
  receiver_.Answer(500, "");
  const std::string other = PublishOf("c.d");
  const std::string purged = PublishOf("a.b");
  WaitUntil(v1::DELIVERY_STATE_DEAD, purged, subscription);
  WaitUntil(v1::DELIVERY_STATE_DEAD, other, subscription);
  v1::PurgeRequest request;
  request.set_subscription_id(subscription);
  request.add_event_types("a.*");
  EXPECT_EQ(Purge(request), 1);
  EXPECT_THAT(DeadLettersOf(subscription), ElementsAre(other));
  EXPECT_EQ(RedriveOne(purged, subscription).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const auto explained = Explain(purged, subscription);
  EXPECT_EQ(explained.state(), v1::DELIVERY_STATE_NOT_MATCHING);
  EXPECT_EQ(explained.mismatch(), v1::DELIVERY_MISMATCH_PURGED);
  const std::string later = PublishOf("a.b");
  WaitUntil(v1::DELIVERY_STATE_DEAD, later, subscription);
  EXPECT_EQ(receiver_.count(), 3U);

  v1::PurgeRequest everything;
  everything.set_subscription_id(subscription);
  grpc::ClientContext context;
  v1::PurgeResponse response;
  EXPECT_EQ(FieldOf(deliveries_->Purge(&context, everything, &response)), "everything");
  everything.set_everything(true);
  EXPECT_EQ(Purge(everything), 2);
  EXPECT_THAT(DeadLettersOf(subscription), IsEmpty());
  EXPECT_EQ(Explain(other, subscription).mismatch(), v1::DELIVERY_MISMATCH_BEFORE_START);
}

TEST_F(LettersTest, EventsThatMatchedNobodyAreListed) {
  SubscribeOnce("a.*");
  PublishOf("a.b");
  const std::string lost = PublishOf("c.d");
  v1::ListEventsRequest request;
  request.set_organization(kOrganization);
  request.set_unmatched_only(true);
  std::vector<std::string> ids;
  while (ids.empty()) {
    grpc::ClientContext context;
    v1::ListEventsResponse response;
    ASSERT_TRUE(events_->ListEvents(&context, request, &response).ok());
    for (const v1::StoredEvent& event : response.events()) ids.push_back(event.id());
  }
  EXPECT_THAT(ids, ElementsAre(lost));
}

}  // namespace
}  // namespace postrider
