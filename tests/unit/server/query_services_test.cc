// Goal: subscriptions, events and attempts are asked for and shown as the API says: checks, pages,
// secrets once.
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "postrider/v1/event_service.grpc.pb.h"
#include "postrider/v1/subscription_service.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;

constexpr char kEventId[] = "774ae370-02cc-11e7-ac41-c38ce8763025";

class QueryServicesTest : public ServerTest {
 protected:
  QueryServicesTest()
      : subscriptions_(v1::SubscriptionService::NewStub(channel_)),
        events_(v1::EventService::NewStub(channel_)),
        deliveries_(v1::DeliveryService::NewStub(channel_)) {}

  void AddSubscription(const std::string& id) {
    Subscription subscription;
    subscription.id = id;
    subscription.organization = "o";
    subscription.version = 3;
    engine_.subscriptions[id] = subscription;
  }

  grpc::Status Create(const v1::CreateSubscriptionRequest& request) {
    grpc::ClientContext context;
    return subscriptions_->CreateSubscription(&context, request, &created_);
  }

  grpc::Status List(v1::ListSubscriptionsRequest* request, std::vector<std::string>* ids) {
    grpc::ClientContext context;
    v1::ListSubscriptionsResponse response;
    const grpc::Status status = subscriptions_->ListSubscriptions(&context, *request, &response);
    for (const auto& subscription : response.subscriptions()) ids->push_back(subscription.id());
    request->set_page_token(response.next_page_token());
    return status;
  }

  grpc::Status Update(const v1::UpdateSubscriptionRequest& request) {
    grpc::ClientContext context;
    v1::UpdateSubscriptionResponse response;
    return subscriptions_->UpdateSubscription(&context, request, &response);
  }

  grpc::Status Delete(const std::string& id, const std::string& etag) {
    grpc::ClientContext context;
    v1::DeleteSubscriptionRequest request;
    request.set_subscription_id(id);
    request.set_etag(etag);
    v1::DeleteSubscriptionResponse response;
    return subscriptions_->DeleteSubscription(&context, request, &response);
  }

  grpc::Status ListAttempts(const v1::ListAttemptsRequest& request) {
    grpc::ClientContext context;
    return deliveries_->ListAttempts(&context, request, &attempts_);
  }

  std::unique_ptr<v1::SubscriptionService::Stub> subscriptions_;
  std::unique_ptr<v1::EventService::Stub> events_;
  std::unique_ptr<v1::DeliveryService::Stub> deliveries_;
  v1::CreateSubscriptionResponse created_;
  v1::ListAttemptsResponse attempts_;
};

TEST_F(QueryServicesTest, TheSecretIsShownOnceAtCreate) {
  v1::CreateSubscriptionRequest request;
  request.mutable_subscription()->set_organization("o");
  ASSERT_TRUE(Create(request).ok());
  EXPECT_EQ(created_.subscription().id(), "made-by-gateway");
  EXPECT_EQ(created_.subscription().secret(), "whsec_made");
  EXPECT_EQ(created_.subscription().etag(), "\"7\"");
  EXPECT_EQ(created_.subscription().state(), v1::SUBSCRIPTION_STATE_ACTIVE);

  grpc::ClientContext context;
  v1::GetSubscriptionRequest get;
  get.set_subscription_id("made-by-gateway");
  v1::GetSubscriptionResponse got;
  ASSERT_TRUE(subscriptions_->GetSubscription(&context, get, &got).ok());
  EXPECT_THAT(got.DebugString(), testing::Not(testing::HasSubstr("whsec_made")));
}

TEST_F(QueryServicesTest, AnIdOfTheClientsOwnIsChecked) {
  v1::CreateSubscriptionRequest request;
  EXPECT_EQ(FieldOf(Create(request)), "subscription");
  request.mutable_subscription();
  for (const std::string& id : {std::string("UPPER"), std::string("-a"), std::string("a-"),
                                std::string("a_b"), std::string("a b"), std::string(64, 'a')}) {
    request.set_subscription_id(id);
    EXPECT_EQ(FieldOf(Create(request)), "subscription_id") << id;
  }
  request.set_subscription_id(std::string(63, 'a'));
  EXPECT_TRUE(Create(request).ok());
  EXPECT_EQ(created_.subscription().id(), std::string(63, 'a'));
}

TEST_F(QueryServicesTest, WhatDoesNotExistIsNotFound) {
  const grpc::Status status = Delete("gone", "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status).resource_name(), "gone");
  v1::UpdateSubscriptionRequest update;
  update.mutable_subscription()->set_id("gone");
  EXPECT_EQ(Update(update).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(QueryServicesTest, PagesStayRightWhileOthersComeAndGo) {
  for (const char* id : {"b", "d", "f", "h"}) AddSubscription(id);
  v1::ListSubscriptionsRequest request;
  request.set_organization("o");
  request.set_page_size(2);
  std::vector<std::string> ids;
  ASSERT_TRUE(List(&request, &ids).ok());
  AddSubscription("a");
  AddSubscription("e");
  engine_.subscriptions.erase("d");

  ASSERT_TRUE(List(&request, &ids).ok());
  ASSERT_TRUE(List(&request, &ids).ok());

  EXPECT_THAT(ids, ElementsAre("b", "d", "e", "f", "h"));
  EXPECT_EQ(request.page_token(), "");
}

TEST_F(QueryServicesTest, ATokenOfAnotherListIsRefused) {
  for (const char* id : {"b", "d"}) AddSubscription(id);
  v1::ListSubscriptionsRequest request;
  request.set_organization("o");
  request.set_page_size(1);
  std::vector<std::string> ids;
  ASSERT_TRUE(List(&request, &ids).ok());
  request.set_organization("other");
  EXPECT_EQ(FieldOf(List(&request, &ids)), "page_token");
  request.set_page_size(-1);
  EXPECT_EQ(FieldOf(List(&request, &ids)), "page_size");
}

TEST_F(QueryServicesTest, PagesAreCutBeforeTheyAreTooLargeForClients) {
  for (int i = 0; i < 60; ++i) {
    const std::string id = absl::StrCat("id-", 100 + i);
    AddSubscription(id);
    engine_.subscriptions[id].description = std::string(100'000, 'x');
  }
  v1::ListSubscriptionsRequest request;
  request.set_organization("o");
  request.set_page_size(100);
  std::vector<std::string> ids;
  ASSERT_TRUE(List(&request, &ids).ok());
  EXPECT_EQ(ids.size(), 11u);
  while (!request.page_token().empty()) {
    ASSERT_TRUE(List(&request, &ids).ok());
  }
  EXPECT_EQ(ids.size(), 60u);
}

TEST_F(QueryServicesTest, AnUpdateCannotMoveASubscription) {
  AddSubscription("a");
  v1::UpdateSubscriptionRequest request;
  request.mutable_subscription()->set_id("a");
  request.mutable_subscription()->set_organization("other");
  request.mutable_subscription()->set_url("https://x");
  EXPECT_EQ(FieldOf(Update(request)), "subscription.organization");
  request.mutable_subscription()->set_organization("o");
  request.mutable_subscription()->set_etag("\"3\"");
  ASSERT_TRUE(Update(request).ok());
  EXPECT_THAT(engine_.last_update.paths, ElementsAre("url"));
  EXPECT_EQ(engine_.last_update.etag, "\"3\"");
  request.mutable_subscription()->clear_id();
  EXPECT_EQ(FieldOf(Update(request)), "subscription.id");
}

TEST_F(QueryServicesTest, DeletingCanAskForAVersion) {
  AddSubscription("a");
  EXPECT_EQ(Delete("a", "\"2\"").error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE(Delete("a", "\"3\"").ok());
  EXPECT_EQ(FieldOf(Delete("", "")), "subscription_id");
}

TEST_F(QueryServicesTest, AnEventIsShownWithItsBody) {
  auto event = std::make_shared<Event>();
  event->id = *Uuid::Parse(kEventId);
  event->body = "{\"id\":1}";
  engine_.events.push_back({0, 1, absl::FromUnixSeconds(1), event});
  grpc::ClientContext context;
  v1::GetEventRequest request;
  request.set_organization("o");
  request.set_event_id(kEventId);
  v1::GetEventResponse response;
  ASSERT_TRUE(events_->GetEvent(&context, request, &response).ok());
  EXPECT_EQ(response.event().body(), "{\"id\":1}");

  grpc::ClientContext second;
  request.set_event_id("no uuid");
  EXPECT_EQ(FieldOf(events_->GetEvent(&second, request, &response)), "event_id");
}

TEST_F(QueryServicesTest, EventsAreListedNewestFirstInPages) {
  for (Seq seq = 5; seq > 0; --seq) {
    auto event = std::make_shared<Event>();
    event->type = absl::StrCat("t", seq);
    event->body = "{}";
    engine_.events.push_back({0, seq, absl::FromUnixSeconds(1), event});
  }
  v1::ListEventsRequest request;
  request.set_organization("o");
  request.set_page_size(2);
  std::vector<std::string> types;
  do {
    grpc::ClientContext context;
    v1::ListEventsResponse response;
    ASSERT_TRUE(events_->ListEvents(&context, request, &response).ok());
    for (const auto& event : response.events()) {
      types.push_back(event.type());
      EXPECT_EQ(event.body(), "");
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(types, ElementsAre("t5", "t4", "t3", "t2", "t1"));
}

TEST_F(QueryServicesTest, ATimeRangeMustBeOne) {
  grpc::ClientContext context;
  v1::ListEventsRequest request;
  request.set_organization("o");
  request.mutable_start_time()->set_seconds(5);
  request.mutable_end_time()->set_seconds(5);
  v1::ListEventsResponse response;
  EXPECT_EQ(FieldOf(events_->ListEvents(&context, request, &response)), "end_time");
}

TEST_F(QueryServicesTest, AttemptsAreShownInFull) {
  ListedAttempt listed;
  listed.event_id = *Uuid::Parse(kEventId);
  listed.organization = "o";
  listed.event_type = "a.b";
  listed.attempt.subscription = 4;
  listed.attempt.number = 2;
  listed.attempt.outcome = Outcome::kHttpStatus;
  listed.attempt.disposition = Disposition::kException;
  listed.attempt.origin = AttemptOrigin::kRetry;
  listed.attempt.http_status = 500;
  listed.attempt.time = absl::FromUnixSeconds(1);
  listed.attempt.latency = absl::Milliseconds(12);
  listed.attempt.next_attempt_time = absl::FromUnixSeconds(9);
  listed.attempt.error_text = "status 500";
  listed.attempt.response = "oh\xFF no";
  engine_.attempts = {{listed}, "next"};
  v1::ListAttemptsRequest request;
  request.set_subscription_id("subscription-4");

  ASSERT_TRUE(ListAttempts(request).ok());

  const v1::Attempt& attempt = attempts_.attempts(0);
  EXPECT_EQ(attempt.subscription_id(), "subscription-4");
  EXPECT_EQ(attempt.number(), 2);
  EXPECT_EQ(attempt.outcome(), v1::ATTEMPT_OUTCOME_HTTP_STATUS);
  EXPECT_EQ(attempt.disposition(), v1::ATTEMPT_DISPOSITION_RETRY);
  EXPECT_EQ(attempt.origin(), v1::ATTEMPT_ORIGIN_RETRY);
  EXPECT_EQ(attempt.http_status(), 500);
  EXPECT_EQ(attempt.latency().nanos(), 12'000'000);
  EXPECT_EQ(attempt.next_attempt_time().seconds(), 9);
  EXPECT_EQ(attempt.error(), "status 500");
  EXPECT_EQ(attempt.response(), "oh\xEF\xBF\xBD no");
  request.set_page_token(attempts_.next_page_token());
  request.set_page_size(9999);
  ASSERT_TRUE(ListAttempts(request).ok());
  EXPECT_EQ(engine_.last_page, "next");
  EXPECT_EQ(engine_.last_limit, 500u);
}

TEST_F(QueryServicesTest, AttemptsAreOfAnEventOrOfASubscription) {
  v1::ListAttemptsRequest request;
  EXPECT_EQ(FieldOf(ListAttempts(request)), "event_id");
  request.set_event_id(kEventId);
  EXPECT_EQ(FieldOf(ListAttempts(request)), "organization");
  request.set_organization("o");
  EXPECT_TRUE(ListAttempts(request).ok());
  request.set_subscription_id("s");
  EXPECT_EQ(FieldOf(ListAttempts(request)), "event_id");
  request.clear_event_id();
  EXPECT_EQ(FieldOf(ListAttempts(request)), "organization");
}

}  // namespace
}  // namespace postrider
