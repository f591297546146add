#include "gateway/model/subscription.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace postrider
