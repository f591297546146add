// Goal: what an owner can do with a subscription does what its answer says, from the answer on.
// Method: the real gateway on disk, a real gRPC server, a receiver on loopback.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

using testing::HasSubstr;
using Stub = v1::SubscriptionService::Stub;

class SubscriptionCallsTest : public EndToEndTest {
 protected:
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (subscriptions_.get()->*method)(&context, request, response);
  }

  v1::Subscription Pause(const std::string& id) {
    v1::PauseSubscriptionRequest request;
    request.set_subscription_id(id);
    v1::PauseSubscriptionResponse response;
    const grpc::Status status = Call(&Stub::PauseSubscription, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.subscription();
  }

  v1::Subscription Resume(const std::string& id, bool skip_backlog) {
    v1::ResumeSubscriptionRequest request;
    request.set_subscription_id(id);
    request.set_skip_backlog(skip_backlog);
    v1::ResumeSubscriptionResponse response;
    const grpc::Status status = Call(&Stub::ResumeSubscription, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.subscription();
  }

  v1::RotateSecretResponse Rotate(const v1::RotateSecretRequest& request) {
    v1::RotateSecretResponse response;
    const grpc::Status status = Call(&Stub::RotateSecret, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  v1::TestSubscriptionResponse Test(const std::string& id, bool enable = false) {
    v1::TestSubscriptionRequest request;
    request.set_subscription_id(id);
    request.set_enable(enable);
    v1::TestSubscriptionResponse response;
    const grpc::Status status = Call(&Stub::TestSubscription, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  // The only subscription becomes one that the gateway has disabled, between two lives of it.
  void DisableTheOnlyOne() {
    StopGateway();
    {
      SqliteOptions options;
      options.data_dir = options_.data_dir;
      options.free_bytes_min = 0;
      const auto store = OpenSqlite(options);
      ASSERT_TRUE(store.ok()) << store.status();
      const auto configuration = store->reader->ReadConfiguration();
      ASSERT_TRUE(configuration.ok()) << configuration.status();
      ASSERT_EQ(configuration->subscriptions.size(), 1U);
      PutSubscription write;
      write.subscription = *configuration->subscriptions[0];
      write.subscription.disabled_reason = "failed for 5 days";
      write.expected_version = write.subscription.version;
      Batch batch;
      batch.writes.emplace_back(std::move(write));
      const auto results = store->store->Commit({batch}, SystemClock()->Now());
      ASSERT_EQ(results[0].state, CommitState::kCommitted);
    }
    StartGateway();
  }

  grpc::Status Verify(const std::string& id, v1::VerifySubscriptionResponse* response) {
    v1::VerifySubscriptionRequest request;
    request.set_subscription_id(id);
    return Call(&Stub::VerifySubscription, request, response);
  }

  std::vector<std::string> TypesOf(size_t count) {
    std::vector<std::string> types;
    for (const auto& post : receiver_.WaitFor(count)) {
      types.push_back(post.header("x-postrider-event"));
    }
    return types;
  }
};

std::vector<std::string> SignaturesOf(const ReceivedRequest& post) {
  return absl::StrSplit(post.header("webhook-signature"), ' ');
}

TEST_F(SubscriptionCallsTest, WhatComesWithinAPauseArrivesAfterIt) {
  const v1::Subscription subscription = Subscribe("paused.*");
  const v1::Subscription paused = Pause(subscription.id());
  EXPECT_EQ(paused.state(), v1::SUBSCRIPTION_STATE_PAUSED);
  EXPECT_NE(paused.etag(), subscription.etag());
  EXPECT_EQ(Pause(subscription.id()).etag(), paused.etag()) << "nothing was to change";
  ASSERT_TRUE(Publish(SmallEvent("paused.within")).ok());
  // What comes to another subscription meanwhile shows that the tail has passed the event.
  Subscribe("other");
  v1::Event other = SmallEvent("other");
  ASSERT_TRUE(Publish(other).ok());
  EXPECT_THAT(TypesOf(1), testing::ElementsAre("other"));

  EXPECT_EQ(Resume(subscription.id(), false).state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  EXPECT_THAT(TypesOf(2), testing::ElementsAre("other", "paused.within"));
}

TEST_F(SubscriptionCallsTest, APauseOutlivesARestart) {
  const v1::Subscription subscription = Subscribe("**");
  Pause(subscription.id());
  ASSERT_TRUE(Publish(SmallEvent("within")).ok());
  StopGateway();
  StartGateway();
  EXPECT_EQ(Pause(subscription.id()).state(), v1::SUBSCRIPTION_STATE_PAUSED);
  EXPECT_EQ(receiver_.count(), 0U);
  Resume(subscription.id(), false);
  EXPECT_THAT(TypesOf(1), testing::ElementsAre("within"));
}

TEST_F(SubscriptionCallsTest, ABacklogCanBeSkipped) {
  const v1::Subscription subscription = Subscribe("**");
  Pause(subscription.id());
  for (const char* type : {"a", "b", "c"}) ASSERT_TRUE(Publish(SmallEvent(type)).ok());
  Resume(subscription.id(), true);
  ASSERT_TRUE(Publish(SmallEvent("d")).ok());
  EXPECT_THAT(TypesOf(1), testing::ElementsAre("d"));
  EXPECT_EQ(Resume(subscription.id(), true).state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  ASSERT_TRUE(Publish(SmallEvent("e")).ok());
  EXPECT_THAT(TypesOf(2), testing::ElementsAre("d", "e"));
}

TEST_F(SubscriptionCallsTest, AfterARotationBothSecretsSignUntilTheOlderIsEnded) {
  const v1::Subscription subscription = Subscribe("**");
  v1::RotateSecretRequest request;
  request.set_subscription_id(subscription.id());
  const v1::RotateSecretResponse rotated = Rotate(request);
  EXPECT_THAT(rotated.secret().text(), testing::StartsWith("whsec_"));
  EXPECT_NE(rotated.secret().text(), subscription.secret());
  EXPECT_EQ(rotated.subscription().secrets_size(), 2);
  EXPECT_TRUE(rotated.subscription().secrets(0).has_expire_time());
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());
  EXPECT_EQ(SignaturesOf(receiver_.WaitFor(1)[0]).size(), 2U);

  request.set_secret(rotated.secret().text());
  request.set_expire_old_now(true);
  EXPECT_EQ(Rotate(request).subscription().secrets_size(), 1);
  ASSERT_TRUE(Publish(SmallEvent("b")).ok());
  EXPECT_EQ(SignaturesOf(receiver_.WaitFor(2)[1]).size(), 1U);
}

TEST_F(SubscriptionCallsTest, ATestShowsWhatTheReceiverAnswers) {
  const v1::Subscription subscription = Subscribe("**");
  Pause(subscription.id());
  receiver_.Answer(200, "thanks");
  const v1::TestSubscriptionResponse good = Test(subscription.id());
  EXPECT_EQ(good.outcome(), v1::ATTEMPT_OUTCOME_SUCCESS);
  EXPECT_EQ(good.http_status(), 200);
  EXPECT_EQ(good.response(), "thanks");
  EXPECT_EQ(good.error(), "");
  EXPECT_EQ(good.subscription().state(), v1::SUBSCRIPTION_STATE_PAUSED);
  const ReceivedRequest post = receiver_.WaitFor(1)[0];
  EXPECT_EQ(post.header("x-postrider-event"), "postrider.test");
  EXPECT_EQ(post.header("webhook-id"), good.event_id());
  EXPECT_EQ(SignaturesOf(post).size(), 1U);
  EXPECT_THAT(post.body, HasSubstr("\"event\":\"postrider.test\""));

  receiver_.Answer(500, std::string(5000, 'x'));
  const v1::TestSubscriptionResponse bad = Test(subscription.id());
  EXPECT_EQ(bad.outcome(), v1::ATTEMPT_OUTCOME_HTTP_STATUS);
  EXPECT_EQ(bad.http_status(), 500);
  EXPECT_EQ(bad.response(), std::string(1024, 'x'));
  EXPECT_NE(bad.error(), "");

  v1::ListAttemptsRequest attempts;
  attempts.set_subscription_id(subscription.id());
  EXPECT_THAT(AttemptsOf(attempts), testing::IsEmpty());
}

TEST_F(SubscriptionCallsTest, ADisabledOneIsEnabledAndNotResumed) {
  const std::string id = Subscribe("**").id();
  Pause(id);
  DisableTheOnlyOne();
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());
  v1::ResumeSubscriptionRequest resume;
  resume.set_subscription_id(id);
  v1::ResumeSubscriptionResponse resumed;
  const grpc::Status refused = Call(&Stub::ResumeSubscription, resume, &resumed);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("DISABLED (failed for 5 days)"));
  EXPECT_THAT(refused.error_details(), HasSubstr("SUBSCRIPTION_DISABLED"));

  v1::EnableSubscriptionRequest enable;
  enable.set_subscription_id(id);
  v1::EnableSubscriptionResponse enabled;
  ASSERT_TRUE(Call(&Stub::EnableSubscription, enable, &enabled).ok());
  EXPECT_EQ(enabled.subscription().state(), v1::SUBSCRIPTION_STATE_PAUSED);
  EXPECT_EQ(enabled.subscription().disabled_reason(), "");
  EXPECT_EQ(receiver_.count(), 0U);
  EXPECT_EQ(Resume(id, false).state(), v1::SUBSCRIPTION_STATE_FAILING) << "until a probe succeeds";
  EXPECT_THAT(TypesOf(1), testing::ElementsAre("a"));
}

TEST_F(SubscriptionCallsTest, ATestEnablesIfItSucceeds) {
  const std::string id = Subscribe("**").id();
  DisableTheOnlyOne();
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());
  EXPECT_EQ(Test(id).subscription().state(), v1::SUBSCRIPTION_STATE_DISABLED);
  receiver_.Answer(500, "no");
  EXPECT_EQ(Test(id, true).subscription().state(), v1::SUBSCRIPTION_STATE_DISABLED);
  receiver_.Answer(200, "");
  EXPECT_EQ(Test(id, true).subscription().state(), v1::SUBSCRIPTION_STATE_FAILING)
      << "until a probe succeeds";
  EXPECT_THAT(TypesOf(4),
              testing::ElementsAre("postrider.test", "postrider.test", "postrider.test", "a"));
}

TEST_F(SubscriptionCallsTest, AChallengeCanBeAskedForAgain) {
  v1::Subscription wish;
  wish.set_organization(kOrganization);
  wish.set_url(receiver_.Url());
  wish.set_verification(v1::VERIFICATION_CHALLENGE);
  receiver_.RefuseChallenges();
  ASSERT_TRUE(Create(wish).ok());
  ASSERT_EQ(created_.subscription().state(), v1::SUBSCRIPTION_STATE_UNVERIFIED);
  const std::string id = created_.subscription().id();
  // Pausing it is no reason to ask its receiver anything.
  EXPECT_EQ(Pause(id).state(), v1::SUBSCRIPTION_STATE_UNVERIFIED);
  Resume(id, false);

  v1::VerifySubscriptionResponse response;
  const grpc::Status refused = Verify(id, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("not exactly the challenge"));
  EXPECT_THAT(refused.error_details(), HasSubstr("CHALLENGE_FAILED"));

  receiver_.EchoChallenges();
  const grpc::Status verified = Verify(id, &response);
  ASSERT_TRUE(verified.ok()) << verified.error_message();
  EXPECT_EQ(response.subscription().state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  ASSERT_TRUE(Publish(SmallEvent("a")).ok());
  receiver_.WaitFor(1);
}

TEST_F(SubscriptionCallsTest, AnOldEtagIsRefused) {
  const v1::Subscription subscription = Subscribe("**");
  Pause(subscription.id());
  v1::ResumeSubscriptionRequest request;
  request.set_subscription_id(subscription.id());
  request.set_etag(subscription.etag());
  v1::ResumeSubscriptionResponse response;
  EXPECT_EQ(Call(&Stub::ResumeSubscription, request, &response).error_code(),
            grpc::StatusCode::ABORTED);
}

TEST_F(SubscriptionCallsTest, TheOrderCannotBeChanged) {
  v1::Subscription wish;
  wish.set_organization(kOrganization);
  wish.set_url(receiver_.Url());
  wish.mutable_policy()->set_order(v1::ORDER_MODE_BY_KEY);
  ASSERT_TRUE(Create(wish).ok());
  v1::UpdateSubscriptionRequest update;
  *update.mutable_subscription() = created_.subscription();
  update.mutable_subscription()->clear_secret();  // It is among the secrets.
  update.mutable_subscription()->set_description("written back");
  v1::UpdateSubscriptionResponse updated;
  ASSERT_TRUE(Call(&Stub::UpdateSubscription, update, &updated).ok());
  EXPECT_EQ(updated.subscription().policy().order(), v1::ORDER_MODE_BY_KEY);
  update.mutable_subscription()->set_etag(updated.subscription().etag());
  update.mutable_subscription()->mutable_policy()->set_order(v1::ORDER_MODE_STRICT);
  EXPECT_EQ(FieldOf(Call(&Stub::UpdateSubscription, update, &updated)),
            "subscription.policy.order");
}

// Nothing may be on its way for longer than its event is kept.
TEST_F(SubscriptionCallsTest, ARetentionThatWouldCutDeliveriesIsRefused) {
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(receiver_.Url());
  subscription.mutable_policy()->mutable_max_age()->set_seconds(30 * 3600);
  ASSERT_TRUE(Create(subscription).ok());
  const std::string id = created_.subscription().id();

  StopGateway();
  const absl::Duration before = std::exchange(options_.retention, absl::Hours(48));
  const absl::Status refused = Gateway::Start(options_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr(id));

  options_.retention = before;
  StartGateway();
  v1::DeleteSubscriptionRequest request;
  request.set_subscription_id(id);
  v1::DeleteSubscriptionResponse response;
  ASSERT_TRUE(Call(&Stub::DeleteSubscription, request, &response).ok());
  StopGateway();
  options_.retention = absl::Hours(48);
  StartGateway();
  EXPECT_EQ(FieldOf(Create(subscription)), "subscription.policy.max_age");
}

}  // namespace
}  // namespace postrider
