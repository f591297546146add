// Goal: what a receiver answers reaches its subscription's record.
// Method: the real gateway on disk, a real gRPC server, a receiver on loopback.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

class SubscriberHealthTest : public EndToEndTest {
 protected:
  v1::Subscription Get(const std::string& id) {
    v1::GetSubscriptionRequest request;
    request.set_subscription_id(id);
    v1::GetSubscriptionResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(subscriptions_->GetSubscription(&context, request, &response).ok());
    return response.subscription();
  }
};

TEST_F(SubscriberHealthTest, A410DisablesTheSubscription) {
  const v1::Subscription subscription = Subscribe("message.create.*");
  receiver_.Answer(410, "");
  ASSERT_TRUE(Publish(PlatformEvent()).ok());
  receiver_.WaitFor(1);
  v1::SubscriptionState state = v1::SUBSCRIPTION_STATE_ACTIVE;
  while (state == v1::SUBSCRIPTION_STATE_ACTIVE) state = Get(subscription.id()).state();
  EXPECT_EQ(state, v1::SUBSCRIPTION_STATE_DISABLED);
  StopGateway();
  StartGateway();
  EXPECT_EQ(Get(subscription.id()).state(), v1::SUBSCRIPTION_STATE_DISABLED);
}

TEST_F(SubscriberHealthTest, WhoSpellsThePrefixHearsOfIt) {
  Receiver listener;
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(listener.Url());
  subscription.add_event_types("postrider.**");
  ASSERT_TRUE(Create(subscription).ok());
  const v1::Subscription dying = Subscribe("**");
  receiver_.Answer(410, "");
  ASSERT_TRUE(Publish(PlatformEvent()).ok());

  const ReceivedRequest news = listener.WaitFor(1)[0];
  EXPECT_THAT(news.body, testing::HasSubstr("\"event\":\"postrider.subscription.disabled\""));
  EXPECT_THAT(news.body, testing::HasSubstr(dying.id()));
  EXPECT_THAT(news.body, testing::HasSubstr("\"disabled_reason\":\"gone\""));
  EXPECT_EQ(receiver_.count(), 1U) << "not even by a pattern for everything";
}

}  // namespace
}  // namespace postrider
