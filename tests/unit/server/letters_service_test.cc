// Goal: dead letters and explanations are asked for and shown as the API says.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "postrider/v1/event_service.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

constexpr char kEventId[] = "774ae370-02cc-11e7-ac41-c38ce8763025";

class LettersServiceTest : public ServerTest {
 protected:
  LettersServiceTest()
      : events_(v1::EventService::NewStub(channel_)),
        deliveries_(v1::DeliveryService::NewStub(channel_)) {}

  grpc::Status Redrive(const v1::RedriveRequest& request) {
    grpc::ClientContext context;
    return deliveries_->Redrive(&context, request, &redriven_);
  }
  grpc::Status Purge(const v1::PurgeRequest& request) {
    grpc::ClientContext context;
    return deliveries_->Purge(&context, request, &purged_);
  }
  grpc::Status Explain(const v1::ExplainDeliveryRequest& request) {
    grpc::ClientContext context;
    return deliveries_->ExplainDelivery(&context, request, &explained_);
  }

  std::unique_ptr<v1::EventService::Stub> events_;
  std::unique_ptr<v1::DeliveryService::Stub> deliveries_;
  v1::RedriveResponse redriven_;
  v1::PurgeResponse purged_;
  v1::ExplainDeliveryResponse explained_;
};

TEST_F(LettersServiceTest, DeadLettersAreShownInPages) {
  DeadLetter letter;
  letter.event_id = Uuid::Parse(kEventId);
  letter.organization = "o";
  letter.event_type = "a.b";
  letter.accept_time = absl::FromUnixSeconds(3);
  letter.row.dead_reason = DeadReason::kExpired;
  letter.row.attempts = 4;
  letter.row.redriven = true;
  engine_.dead_letters = {{letter, DeadLetter()}, "1.2.0"};
  v1::ListDeadLettersRequest request;
  v1::ListDeadLettersResponse response;
  const auto list = [&] {
    grpc::ClientContext context;
    return deliveries_->ListDeadLetters(&context, request, &response);
  };
  EXPECT_EQ(FieldOf(list()), "subscription_id");
  request.set_subscription_id("s");
  ASSERT_TRUE(list().ok());
  const v1::DeadLetter& shown = response.dead_letters(0);
  EXPECT_EQ(shown.event_id(), kEventId);
  EXPECT_EQ(shown.accept_time().seconds(), 3);
  EXPECT_EQ(shown.reason(), v1::DEAD_REASON_EXPIRED);
  EXPECT_EQ(shown.attempts(), 4);
  EXPECT_TRUE(shown.redriven());
  EXPECT_EQ(response.dead_letters(1).event_id(), "") << "its event is not kept any more";
  request.set_page_token(response.next_page_token());
  ASSERT_TRUE(list().ok());
  EXPECT_EQ(engine_.last_page, "1.2.0");
}

TEST_F(LettersServiceTest, ARedriveIsOfAnEventOrOfAll) {
  v1::RedriveRequest request;
  EXPECT_EQ(FieldOf(Redrive(request)), "subscription_id");
  request.set_subscription_id("s");
  EXPECT_EQ(FieldOf(Redrive(request)), "all");
  request.set_event_id(kEventId);
  EXPECT_EQ(FieldOf(Redrive(request)), "organization");
  request.set_organization("o");
  ASSERT_TRUE(Redrive(request).ok());
  EXPECT_EQ(engine_.last_redrive.event_id, kEventId);
  EXPECT_EQ(redriven_.redriven_count(), 3);
  EXPECT_TRUE(redriven_.more());
  request.set_all(true);
  EXPECT_EQ(FieldOf(Redrive(request)), "all");
}

TEST_F(LettersServiceTest, APurgeOfEverythingMustBeSaid) {
  v1::PurgeRequest request;
  request.set_subscription_id("s");
  EXPECT_EQ(FieldOf(Purge(request)), "everything");
  request.set_everything(true);
  ASSERT_TRUE(Purge(request).ok());
  EXPECT_TRUE(engine_.last_purge.filter.empty());
  EXPECT_EQ(purged_.purged_count(), 4);
  request.add_event_types("a.*");
  EXPECT_EQ(FieldOf(Purge(request)), "everything");
  request.set_everything(false);
  request.mutable_accepted_before()->set_seconds(9);
  ASSERT_TRUE(Purge(request).ok());
  EXPECT_EQ(engine_.last_purge.filter.accepted_before, absl::FromUnixSeconds(9));
  request.mutable_accepted_before()->set_nanos(-1);
  EXPECT_EQ(FieldOf(Purge(request)), "accepted_before");
}

TEST_F(LettersServiceTest, AnExplanationIsShownInFull) {
  v1::ExplainDeliveryRequest request;
  EXPECT_EQ(FieldOf(Explain(request)), "subscription_id");
  request.set_subscription_id("s");
  request.set_organization("o");
  EXPECT_EQ(FieldOf(Explain(request)), "event_id");
  request.set_event_id(kEventId);
  DeliveryExplanation& explanation = engine_.explanation;
  explanation.state = DeliveryState::kWaitingRetry;
  explanation.text = "waits";
  explanation.exception.emplace();
  explanation.exception->attempts = 2;
  explanation.exception->due_time = absl::FromUnixSeconds(8);
  explanation.last_attempt.emplace();
  explanation.last_attempt->http_status = 500;
  explanation.last_attempt->error_text = "status 500";
  ASSERT_TRUE(Explain(request).ok());
  EXPECT_EQ(explained_.state(), v1::DELIVERY_STATE_WAITING_RETRY);
  EXPECT_EQ(explained_.explanation(), "waits");
  EXPECT_EQ(explained_.attempts(), 2);
  EXPECT_EQ(explained_.next_attempt_time().seconds(), 8);
  EXPECT_EQ(explained_.last_http_status(), 500);
  EXPECT_EQ(explained_.last_error(), "status 500");
  explanation = {.state = DeliveryState::kNotMatching, .match = Match::kTargets};
  ASSERT_TRUE(Explain(request).ok());
  EXPECT_EQ(explained_.mismatch(), v1::DELIVERY_MISMATCH_TARGETS);
}

TEST_F(LettersServiceTest, AShortPageOfUnmatchedEventsIsNotTheEnd) {
  engine_.unmatched.next_before = 7;
  v1::ListEventsRequest request;
  request.set_organization("o");
  request.set_unmatched_only(true);
  v1::ListEventsResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(events_->ListEvents(&context, request, &response).ok());
  EXPECT_EQ(response.events_size(), 0);
  EXPECT_NE(response.next_page_token(), "");
}

}  // namespace
}  // namespace postrider
