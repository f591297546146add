// Goal: what is published by gRPC arrives by HTTP as the platform's webhook, and can be looked up.
// Method: the real gateway on disk, a real gRPC server, a receiver on loopback.
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class DeliveryTest : public EndToEndTest {
 protected:
  // Waits until the event has so many attempts on record.
  std::vector<v1::Attempt> WaitForAttempts(size_t count) {
    v1::ListAttemptsRequest request;
    request.set_organization(kOrganization);
    request.set_event_id(published_.id());
    std::vector<v1::Attempt> attempts;
    while (attempts.size() < count) attempts = AttemptsOf(request);
    return attempts;
  }
};

constexpr char kBody[] =
    "{\"id\":\"774ae370-02cc-11e7-ac41-c38ce8763025\",\"timestamp\":\"2018-12-19T19:09:01Z\","
    "\"event\":\"message.create.contact.chat\",\"organization\":\"5c138790ec944f05ff5f6d77\","
    "\"activity\":{\"@context\":\"https://www.w3.org/ns/activitystreams\",\"type\":\"Create\","
    "\"actor\":{\"id\":\"https://api.chatshipper.com/v2/users/5c1a99e410419f5fb88cb5f2\","
    "\"type\":\"Person\"},\"object\":{\"id\":"
    "\"https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93\",\"type\":\"Object\"},"
    "\"published\":\"2018-12-19T19:09:01Z\","
    "\"summary\":\"User Jenny Jones created a chat message\"},"
    "\"data\":{\"conversation\":{\"id\":\"5c1a974dabcdb128d0e90e90\"},"
    "\"message\":{\"id\":\"5c1a974dabcdb128d0e90e93\",\"text\":\"hello\"},\"links\":{\"message\":"
    "\"https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93\"}}}";

TEST_F(DeliveryTest, TheDocumentedEventArrivesAsTheDocumentedBody) {
  const v1::Subscription subscription = Subscribe("message.create.*");
  EXPECT_THAT(subscription.secret(), MatchesRegex("whsec_.*"));
  EXPECT_EQ(subscription.state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  EXPECT_THAT(subscription.etag(), MatchesRegex("\".+\""));
  EXPECT_TRUE(subscription.has_create_time());

  ASSERT_TRUE(Publish(PlatformEvent()).ok());
  EXPECT_EQ(published_.id(), kEventId);
  EXPECT_FALSE(published_.duplicate());
  EXPECT_TRUE(published_.has_duplicate());

  const std::vector<ReceivedRequest> posts = receiver_.WaitFor(1);
  EXPECT_EQ(posts[0].method, "POST");
  EXPECT_EQ(posts[0].target, "/hook");
  EXPECT_EQ(posts[0].body, kBody);
  EXPECT_EQ(posts[0].header("content-type"), "application/json");
  EXPECT_EQ(posts[0].header("webhook-id"), kEventId);
  EXPECT_THAT(posts[0].header("webhook-timestamp"), MatchesRegex("[1-9][0-9]+"));
  EXPECT_THAT(posts[0].header("webhook-signature"), MatchesRegex("v1,[A-Za-z0-9+/]+="));
  EXPECT_THAT(posts[0].header("x-hub-signature"), MatchesRegex("sha1=[0-9a-f]+"));
  EXPECT_THAT(posts[0].header("x-hub-signature-256"), MatchesRegex("sha256=[0-9a-f]+"));
}

TEST_F(DeliveryTest, TheSameAgainIsADuplicateAlsoAfterARestart) {
  Subscribe("**");
  ASSERT_TRUE(Publish(PlatformEvent()).ok());
  const auto first = published_;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(Publish(PlatformEvent()).ok());
    EXPECT_TRUE(published_.duplicate());
    EXPECT_EQ(published_.accept_time().nanos(), first.accept_time().nanos());
    v1::Event other = PlatformEvent();
    other.mutable_activity()->set_summary("something else");
    EXPECT_EQ(Publish(other).error_code(), grpc::StatusCode::ALREADY_EXISTS);
    receiver_.WaitFor(1);
    StopGateway();
    StartGateway();
  }
  v1::Event elsewhere = PlatformEvent();
  elsewhere.set_organization("another");
  ASSERT_TRUE(Publish(elsewhere).ok());
  EXPECT_FALSE(published_.duplicate());
  ASSERT_TRUE(Publish(SmallEvent("last")).ok());
  EXPECT_EQ(receiver_.WaitFor(2)[1].header("x-postrider-event"), "last");
}

TEST_F(DeliveryTest, SubscriptionsOutliveARestart) {
  const v1::Subscription subscription = Subscribe("a.*");
  StopGateway();
  StartGateway();
  ASSERT_TRUE(Publish(SmallEvent("a.b")).ok());
  receiver_.WaitFor(1);
  grpc::ClientContext context;
  v1::GetSubscriptionRequest request;
  request.set_subscription_id(subscription.id());
  v1::GetSubscriptionResponse response;
  ASSERT_TRUE(subscriptions_->GetSubscription(&context, request, &response).ok());
  EXPECT_EQ(response.subscription().etag(), subscription.etag());
}

TEST_F(DeliveryTest, AStreamOfEventsArrivesWhole) {
  constexpr int kEvents = 2000;
  Subscribe("n.*");
  grpc::ClientContext context;
  const auto stream = publisher_->PublishStream(&context);
  std::thread writer([&stream] {
    for (int i = 0; i < kEvents; ++i) {
      v1::PublishStreamRequest request;
      request.set_sequence(static_cast<uint64_t>(i));
      *request.mutable_event() = SmallEvent(absl::StrCat("n.", i));
      stream->Write(request);
    }
    stream->WritesDone();
  });
  v1::PublishStreamResponse response;
  uint64_t expected = 0;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.sequence(), expected++);
    EXPECT_TRUE(response.has_receipt());
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(expected, static_cast<uint64_t>(kEvents));

  std::map<std::string, int> types;
  for (const auto& post : receiver_.WaitFor(kEvents)) ++types[post.header("x-postrider-event")];
  EXPECT_EQ(types.size(), static_cast<size_t>(kEvents));
}

TEST_F(DeliveryTest, FailedAttemptsAreOnRecord) {
  receiver_.Answer(503, std::string(5000, 'x'));
  const v1::Subscription subscription = Subscribe("a");
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());

  const v1::Attempt attempt = WaitForAttempts(1)[0];

  EXPECT_EQ(attempt.number(), 1);
  EXPECT_EQ(attempt.outcome(), v1::ATTEMPT_OUTCOME_HTTP_STATUS);
  EXPECT_EQ(attempt.disposition(), v1::ATTEMPT_DISPOSITION_RETRY);
  EXPECT_EQ(attempt.origin(), v1::ATTEMPT_ORIGIN_FIRST);
  EXPECT_EQ(attempt.http_status(), 503);
  EXPECT_EQ(attempt.response(), std::string(1024, 'x'));
  EXPECT_NE(attempt.error(), "");
  EXPECT_TRUE(attempt.has_next_attempt_time());
  EXPECT_EQ(attempt.subscription_id(), subscription.id());
  EXPECT_EQ(attempt.event_id(), published_.id());
  v1::ListAttemptsRequest by_subscription;
  by_subscription.set_subscription_id(subscription.id());
  EXPECT_THAT(AttemptsOf(by_subscription), testing::SizeIs(1));
}

TEST_F(DeliveryTest, AFailedDeliveryIsTriedAgainOnItsSchedule) {
  receiver_.Answer(500, "no");
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(receiver_.Url());
  subscription.mutable_policy()->add_schedule();
  subscription.mutable_policy()->add_schedule()->set_nanos(50'000'000);
  ASSERT_TRUE(Create(subscription).ok());
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());

  const std::vector<ReceivedRequest> posts = receiver_.WaitFor(2);

  EXPECT_EQ(posts[0].body, posts[1].body);
  EXPECT_EQ(posts[1].header("x-postrider-attempt"), "2");
  const std::vector<v1::Attempt> attempts = WaitForAttempts(2);
  EXPECT_EQ(attempts[0].number(), 2);
  EXPECT_EQ(attempts[0].disposition(), v1::ATTEMPT_DISPOSITION_DEAD);
  EXPECT_EQ(attempts[1].number(), 1);
}

TEST_F(DeliveryTest, EventsCanBeLookedUpWhetherTheyMatchedOrNot) {
  for (const char* type : {"a", "b", "c"}) ASSERT_TRUE(Publish(SmallEvent(type)).ok());
  v1::ListEventsRequest request;
  request.set_organization(kOrganization);
  request.set_page_size(2);
  std::vector<std::string> types;
  do {
    grpc::ClientContext context;
    v1::ListEventsResponse response;
    ASSERT_TRUE(events_->ListEvents(&context, request, &response).ok());
    for (const auto& event : response.events()) types.push_back(event.type());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(types, ElementsAre("c", "b", "a"));

  grpc::ClientContext context;
  v1::GetEventRequest get;
  get.set_organization(kOrganization);
  get.set_event_id(published_.id());
  v1::GetEventResponse got;
  ASSERT_TRUE(events_->GetEvent(&context, get, &got).ok());
  EXPECT_THAT(got.event().body(), HasSubstr("\"event\":\"c\""));
  grpc::ClientContext second;
  get.set_organization("another");
  EXPECT_EQ(events_->GetEvent(&second, get, &got).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(DeliveryTest, ASubscriptionIsChangedAndDeleted) {
  v1::Subscription subscription = Subscribe("a");
  v1::UpdateSubscriptionRequest update;
  update.mutable_subscription()->set_id(subscription.id());
  update.mutable_subscription()->set_etag(subscription.etag());
  update.mutable_subscription()->add_event_types("b");
  v1::UpdateSubscriptionResponse updated;
  grpc::ClientContext first;
  ASSERT_TRUE(subscriptions_->UpdateSubscription(&first, update, &updated).ok());
  EXPECT_NE(updated.subscription().etag(), subscription.etag());
  EXPECT_EQ(updated.subscription().url(), subscription.url());
  grpc::ClientContext again;
  EXPECT_EQ(subscriptions_->UpdateSubscription(&again, update, &updated).error_code(),
            grpc::StatusCode::ABORTED);
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());
  ASSERT_TRUE(Publish(SmallEvent("b")).ok());
  EXPECT_EQ(receiver_.WaitFor(1)[0].header("x-postrider-event"), "b");

  grpc::ClientContext deleting;
  v1::DeleteSubscriptionRequest request;
  request.set_subscription_id(subscription.id());
  v1::DeleteSubscriptionResponse deleted;
  ASSERT_TRUE(subscriptions_->DeleteSubscription(&deleting, request, &deleted).ok());
  Subscribe("c");
  ASSERT_TRUE(Publish(SmallEvent("b")).ok());
  ASSERT_TRUE(Publish(SmallEvent("c")).ok());
  EXPECT_EQ(receiver_.WaitFor(2)[1].header("x-postrider-event"), "c");
  grpc::ClientContext once_more;
  EXPECT_EQ(subscriptions_->DeleteSubscription(&once_more, request, &deleted).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(DeliveryTest, ARepeatedCreateWithAnIdIsSafe) {
  v1::CreateSubscriptionRequest request;
  request.set_subscription_id("mine");
  request.mutable_subscription()->set_organization(kOrganization);
  request.mutable_subscription()->set_url(receiver_.Url());
  v1::CreateSubscriptionResponse responses[2];
  for (auto& response : responses) {
    grpc::ClientContext context;
    ASSERT_TRUE(subscriptions_->CreateSubscription(&context, request, &response).ok());
  }
  EXPECT_EQ(responses[0].subscription().etag(), responses[1].subscription().etag());
  request.mutable_subscription()->set_description("other");
  grpc::ClientContext context;
  EXPECT_EQ(subscriptions_->CreateSubscription(&context, request, responses).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(DeliveryTest, AChallengeMakesASubscriptionActive) {
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(receiver_.Url());
  subscription.set_verification(v1::VERIFICATION_CHALLENGE);
  ASSERT_TRUE(Create(subscription).ok());
  EXPECT_EQ(created_.subscription().state(), v1::SUBSCRIPTION_STATE_ACTIVE);

  receiver_.RefuseChallenges();
  ASSERT_TRUE(Create(subscription).ok());
  EXPECT_EQ(created_.subscription().state(), v1::SUBSCRIPTION_STATE_UNVERIFIED);
}

TEST_F(DeliveryTest, DescendantsEventsArriveUnlessTheScopeIsSelf) {
  Subscribe("**");
  v1::Subscription self;
  self.set_organization(kOrganization);
  self.set_url(receiver_.Url() + "/self");
  self.set_scope(v1::SCOPE_SELF);
  ASSERT_TRUE(Create(self).ok());
  v1::Event event = SmallEvent("a");
  event.set_organization("child");
  event.add_organization_path(kOrganization);
  event.add_organization_path("child");
  ASSERT_TRUE(Publish(event).ok());
  ASSERT_TRUE(Publish(SmallEvent("own")).ok());

  std::map<std::string, int> arrivals;
  for (const auto& post : receiver_.WaitFor(3)) {
    ++arrivals[post.target + " " + post.header("x-postrider-event")];
  }
  EXPECT_THAT(arrivals, ElementsAre(testing::Pair("/hook a", 1), testing::Pair("/hook own", 1),
                                    testing::Pair("/hook/self own", 1)));
}

TEST_F(DeliveryTest, AStoppedGatewayRefusesAndASecondOneIsKeptOut) {
  EXPECT_FALSE(Gateway::Start(options_).ok());
  gateway_->Stop(absl::Seconds(5));
  EXPECT_EQ(Publish(SmallEvent("a")).error_code(), grpc::StatusCode::UNAVAILABLE);
  server_->Shutdown(absl::Seconds(5));
  server_.reset();
  gateway_.reset();  // Not stopped twice.
}

}  // namespace
}  // namespace postrider
