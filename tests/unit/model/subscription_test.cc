#include "gateway/model/subscription.h"

#include <gtest/gtest.h>

#include "gateway/model/health.h"

namespace postrider {
namespace {

TEST(SubscriptionTest, IsActiveByDefault) {
  const Subscription subscription;
  EXPECT_EQ(subscription.state(), SubscriptionState::kActive);
  EXPECT_TRUE(subscription.may_send());
  EXPECT_EQ(subscription.scope, Scope::kSubtree);
}

TEST(SubscriptionTest, DisabledOutranksUnverifiedOutranksPaused) {
  Subscription subscription;
  subscription.paused = true;
  EXPECT_EQ(subscription.state(), SubscriptionState::kPaused);
  EXPECT_FALSE(subscription.may_send());
  subscription.verified = false;
  EXPECT_EQ(subscription.state(), SubscriptionState::kUnverified);
  EXPECT_FALSE(subscription.may_send());
  subscription.disabled_reason = "failed for 5 days";
  EXPECT_EQ(subscription.state(), SubscriptionState::kDisabled);
  EXPECT_FALSE(subscription.may_send());
}

TEST(SubscriptionTest, FactsComeBackWhenWhatOutrankedThemIsGone) {
  Subscription subscription;
  subscription.paused = true;
  subscription.disabled_reason = "410";
  subscription.disabled_reason.clear();
  EXPECT_EQ(subscription.state(), SubscriptionState::kPaused);
}

TEST(SubscriptionTest, FailingIsAnActiveOneWhoseBreakerIsNotClosed) {
  Subscription subscription;
  EXPECT_EQ(StateOf(subscription, std::nullopt), SubscriptionState::kActive);
  EXPECT_EQ(StateOf(subscription, SubscriptionHealth()), SubscriptionState::kActive);
  for (const Breaker breaker : {Breaker::kOpen, Breaker::kHalfOpen}) {
    SubscriptionHealth health;
    health.breaker = breaker;
    subscription.paused = false;
    EXPECT_EQ(StateOf(subscription, health), SubscriptionState::kFailing);
    subscription.paused = true;
    EXPECT_EQ(StateOf(subscription, health), SubscriptionState::kPaused);
  }
}

}  // namespace
}  // namespace postrider
