// Goal: the calls that change one fact of a subscription arrive as they were asked for, and are
// answered with the subscription and its health.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/subscription_service.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

using testing::HasSubstr;
using testing::Not;

class SubscriptionCallsTest : public ServerTest {
 protected:
  SubscriptionCallsTest() : stub_(v1::SubscriptionService::NewStub(channel_)) {
    Subscription subscription;
    subscription.id = "a";
    subscription.organization = "o";
    subscription.version = 3;
    subscription.secrets = {{.text = "older", .expire_time = absl::FromUnixSeconds(5)},
                            {.text = "newest"}};
    engine_.subscriptions["a"] = subscription;
  }

  // Makes a call with an etag, checks that it arrives, and that an empty id does not.
  template <typename Response, typename Request>
  Response Call(grpc::Status (v1::SubscriptionService::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                Request request) {
    request.set_etag("\"3\"");
    Response response;
    grpc::ClientContext wrong;
    EXPECT_EQ(FieldOf((stub_.get()->*method)(&wrong, request, &response)), "subscription_id");
    request.set_subscription_id("a");
    grpc::ClientContext context;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.subscription().id(), "a");
    EXPECT_THAT(response.subscription().ShortDebugString(), Not(HasSubstr("newest")));
    return response;
  }

  std::string FieldOfRotation(const v1::RotateSecretRequest& request) {
    grpc::ClientContext context;
    v1::RotateSecretResponse response;
    return FieldOf(stub_->RotateSecret(&context, request, &response));
  }

  std::unique_ptr<v1::SubscriptionService::Stub> stub_;
};

using Stub = v1::SubscriptionService::Stub;

TEST_F(SubscriptionCallsTest, PauseResumeEnableAndVerifyArrive) {
  Call<v1::PauseSubscriptionResponse>(&Stub::PauseSubscription, v1::PauseSubscriptionRequest());
  EXPECT_EQ(engine_.last_call, "Pause");
  EXPECT_EQ(engine_.last_target.etag, "\"3\"");
  v1::ResumeSubscriptionRequest resume;
  Call<v1::ResumeSubscriptionResponse>(&Stub::ResumeSubscription, resume);
  EXPECT_EQ(engine_.last_call, "Resume");
  EXPECT_FALSE(engine_.last_target.skip_backlog);
  resume.set_skip_backlog(true);
  Call<v1::ResumeSubscriptionResponse>(&Stub::ResumeSubscription, resume);
  EXPECT_TRUE(engine_.last_target.skip_backlog);
  v1::EnableSubscriptionRequest enable;
  enable.set_skip_backlog(true);
  Call<v1::EnableSubscriptionResponse>(&Stub::EnableSubscription, enable);
  EXPECT_EQ(engine_.last_call, "Enable");
  EXPECT_TRUE(engine_.last_target.skip_backlog);
  Call<v1::VerifySubscriptionResponse>(&Stub::VerifySubscription, v1::VerifySubscriptionRequest());
  EXPECT_EQ(engine_.last_call, "Verify");
  EXPECT_EQ(engine_.last_target.id, "a");
}

TEST_F(SubscriptionCallsTest, ATestIsAnsweredWithTheWholeExchange) {
  engine_.test_result.outcome = Outcome::kHttpStatus;
  engine_.test_result.http_status = 503;
  engine_.test_result.latency = absl::Milliseconds(12);
  engine_.test_result.error_text = "the response's status is 503";
  engine_.test_result.response = "not \xff now";
  v1::TestSubscriptionRequest request;
  request.set_enable(true);
  const auto response = Call<v1::TestSubscriptionResponse>(&Stub::TestSubscription, request);
  EXPECT_TRUE(engine_.last_test.enable);
  EXPECT_EQ(engine_.last_test.etag, "\"3\"");
  EXPECT_EQ(response.event_id().size(), 36U);
  EXPECT_EQ(response.outcome(), v1::ATTEMPT_OUTCOME_HTTP_STATUS);
  EXPECT_EQ(response.http_status(), 503);
  EXPECT_EQ(response.latency().nanos(), 12'000'000);
  EXPECT_EQ(response.error(), "the response's status is 503");
  EXPECT_EQ(response.response(), "not \xEF\xBF\xBD now");
}

TEST_F(SubscriptionCallsTest, ARotationShowsTheNewSecretOnce) {
  v1::RotateSecretRequest request;
  const auto response = Call<v1::RotateSecretResponse>(&Stub::RotateSecret, request);
  EXPECT_EQ(response.secret().text(), "newest");
  EXPECT_EQ(engine_.last_rotation.secret, "");
  EXPECT_EQ(engine_.last_rotation.overlap, absl::Hours(24));
  request.set_secret("mine");
  request.mutable_overlap()->set_seconds(60);
  Call<v1::RotateSecretResponse>(&Stub::RotateSecret, request);
  EXPECT_EQ(engine_.last_rotation.secret, "mine");
  EXPECT_EQ(engine_.last_rotation.overlap, absl::Minutes(1));
  request.clear_overlap();
  request.set_expire_old_now(true);
  Call<v1::RotateSecretResponse>(&Stub::RotateSecret, request);
  EXPECT_EQ(engine_.last_rotation.overlap, absl::ZeroDuration());
}

TEST_F(SubscriptionCallsTest, AnOverlapIsOneAndADuration) {
  v1::RotateSecretRequest request;
  request.set_subscription_id("a");
  request.mutable_overlap()->set_nanos(-1);
  request.mutable_overlap()->set_seconds(1);
  EXPECT_EQ(FieldOfRotation(request), "overlap");
  request.mutable_overlap()->set_nanos(0);
  request.set_expire_old_now(true);
  EXPECT_EQ(FieldOfRotation(request), "overlap");
}

TEST_F(SubscriptionCallsTest, HealthIsShownAndTheEtagStays) {
  SubscriptionHealth health;
  health.breaker = Breaker::kOpen;
  engine_.health = health;
  const auto response =
      Call<v1::PauseSubscriptionResponse>(&Stub::PauseSubscription, v1::PauseSubscriptionRequest());
  EXPECT_EQ(response.subscription().state(), v1::SUBSCRIPTION_STATE_FAILING);
  EXPECT_EQ(response.subscription().health().breaker(), v1::BREAKER_STATE_OPEN);
  EXPECT_EQ(response.subscription().etag(), "\"3\"");

  grpc::ClientContext context;
  v1::ListSubscriptionsRequest list;
  list.set_organization("o");
  v1::ListSubscriptionsResponse listed;
  ASSERT_TRUE(stub_->ListSubscriptions(&context, list, &listed).ok());
  ASSERT_EQ(listed.subscriptions_size(), 1);
  EXPECT_EQ(listed.subscriptions(0).state(), v1::SUBSCRIPTION_STATE_FAILING);
}

}  // namespace
}  // namespace postrider
