// Goal: each call changes its own fact and no other, changes nothing twice, and says why it can't.
#include "gateway/subscription_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'600'000'000);

Subscription Stored() {
  Subscription subscription;
  subscription.id = "mine";
  subscription.number = 4;
  subscription.version = 9;
  subscription.organization = "acme";
  subscription.url = "https://example.com/hook";
  subscription.secrets = {{.text = "first", .create_time = kNow - absl::Hours(1)}};
  subscription.start_seqs = {5};
  return subscription;
}

// The state after the change; that it is written over the version it was made from goes along.
SubscriptionState StateAfter(const Change& change) {
  EXPECT_TRUE(change.ok()) << change.status();
  EXPECT_TRUE(change->has_value());
  EXPECT_EQ((*change)->expected_version, 9U);
  EXPECT_EQ((*change)->subscription.number, 4U);
  return (*change)->subscription.state();
}

bool ChangesNothing(const Change& change) {
  EXPECT_TRUE(change.ok()) << change.status();
  return change.ok() && !change->has_value();
}

std::string ReasonOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  return std::string(status.GetPayload(kReasonPayload).value_or(absl::Cord()));
}

std::string FieldOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.GetPayload(kFieldPayload).value_or(absl::Cord()));
}

TEST(SubscriptionChanges, EachTouchesItsOwnFactOnly) {
  Subscription subscription = Stored();
  subscription.disabled_reason = "410";
  subscription.verified = false;
  EXPECT_EQ(StateAfter(Paused(subscription)), SubscriptionState::kDisabled);
  EXPECT_TRUE((*Paused(subscription))->subscription.paused);
  subscription.paused = true;
  EXPECT_EQ(StateAfter(Enabled(subscription, false)), SubscriptionState::kUnverified);
  EXPECT_EQ(StateAfter(Verified(subscription, subscription.url)), SubscriptionState::kDisabled);
  subscription.disabled_reason.clear();
  EXPECT_EQ(StateAfter(Verified(subscription, subscription.url)), SubscriptionState::kPaused);
  EXPECT_EQ(StateAfter(Resumed(subscription, false)), SubscriptionState::kUnverified);
}

TEST(SubscriptionChanges, WhatIsSoAlreadyIsNotWritten) {
  Subscription subscription = Stored();
  EXPECT_TRUE(ChangesNothing(Resumed(subscription, true)));
  EXPECT_TRUE(ChangesNothing(Enabled(subscription, true)));
  EXPECT_TRUE(ChangesNothing(Verified(subscription, subscription.url)));
  subscription.paused = true;
  EXPECT_TRUE(ChangesNothing(Paused(subscription)));
}

TEST(SubscriptionChanges, ADisabledOneIsEnabledBeforeItIsResumed) {
  Subscription subscription = Stored();
  subscription.paused = true;
  subscription.disabled_reason = "the subscriber answered 410";
  const Change refused = Resumed(subscription, false);
  EXPECT_EQ(ReasonOf(refused.status()), "SUBSCRIPTION_DISABLED");
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("DISABLED"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("answered 410"));
}

TEST(SubscriptionChanges, TheBacklogIsSkippedWhereItIsAskedFor) {
  Subscription subscription = Stored();
  subscription.paused = true;
  EXPECT_FALSE((*Resumed(subscription, false))->skip_backlog);
  EXPECT_TRUE((*Resumed(subscription, true))->skip_backlog);
  subscription.disabled_reason = "410";
  EXPECT_FALSE((*Enabled(subscription, false))->skip_backlog);
  EXPECT_TRUE((*Enabled(subscription, true))->skip_backlog);
}

TEST(SubscriptionChanges, AnEchoSpeaksForTheUrlThatGaveItOnly) {
  Subscription subscription = Stored();
  subscription.verified = false;
  EXPECT_TRUE(ChangesNothing(Verified(subscription, "https://example.com/before")));
  EXPECT_FALSE((*Verified(subscription, subscription.url))->start_at_heads);
  subscription.start_seqs.clear();
  EXPECT_TRUE((*Verified(subscription, subscription.url))->start_at_heads);
}

TEST(SubscriptionChanges, TheOrderStaysAsItWasCreated) {
  SubscriptionUpdate update;
  update.paths = {"policy.order", "policy.rate"};
  update.subscription.policy.order = OrderMode::kByKey;
  update.subscription.policy.rate = 2;
  EXPECT_EQ(FieldOf(Updated(Stored(), update).status()), "policy.order");
  update.subscription.policy.order = OrderMode::kUnordered;
  ASSERT_TRUE(Updated(Stored(), update).ok());
  EXPECT_EQ(Updated(Stored(), update)->policy.rate, 2);
}

TEST(SubscriptionChanges, EachPathOfThePolicyIsSet) {
  SubscriptionUpdate update;
  update.subscription.policy.schedule = {absl::Seconds(1)};
  update.subscription.policy.timeout = absl::Seconds(2);
  update.subscription.policy.max_in_flight = 3;
  update.subscription.policy.rate = 4;
  update.subscription.policy.max_age = absl::Hours(5);
  update.subscription.policy.max_body_bytes = 600;
  EXPECT_FALSE(AsksForTheSame(update.subscription, Subscription()));
  for (const char* path : {"policy.schedule", "policy.timeout", "policy.max_in_flight",
                           "policy.rate", "policy.max_age", "policy.max_body_bytes"}) {
    SubscriptionUpdate one = update;
    one.paths = {path};
    const auto changed = Updated(Subscription(), one);
    ASSERT_TRUE(changed.ok());
    EXPECT_FALSE(AsksForTheSame(*changed, Subscription())) << path;
    update.paths.emplace_back(path);
  }
  EXPECT_TRUE(AsksForTheSame(update.subscription, *Updated(Subscription(), update)));
}

TEST(SubscriptionChanges, TheSameWishWithAnotherPolicyIsAnother) {
  Subscription wish = Stored();
  EXPECT_TRUE(AsksForTheSame(wish, Stored()));
  wish.policy.order = OrderMode::kStrict;
  EXPECT_FALSE(AsksForTheSame(wish, Stored()));
}

// --- Secrets -------------------------------------------------------------------------------------

Change Rotate(const Subscription& current, const std::string& secret,
              absl::Duration overlap = absl::Hours(24), absl::Time now = kNow) {
  return Rotated(current, {.id = "mine", .secret = secret, .overlap = overlap}, now);
}

// `text@seconds after kNow` of those that end, `text` of those that do not.
std::vector<std::string> SecretsAfter(const Change& change) {
  EXPECT_TRUE(change.ok()) << change.status();
  std::vector<std::string> secrets;
  for (const Secret& secret : (*change)->subscription.secrets) {
    secrets.push_back(
        secret.expire_time.has_value()
            ? absl::StrCat(secret.text, "@", absl::ToInt64Seconds(*secret.expire_time - kNow))
            : secret.text);
  }
  return secrets;
}

TEST(SecretRotation, TheOlderOnesSignUntilTheOverlapIsOver) {
  Subscription subscription = Stored();
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "second")), ElementsAre("first@86400", "second"));
  subscription = (*Rotate(subscription, "second"))->subscription;
  subscription.version = 9;
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "third", absl::Hours(25))),
              ElementsAre("first@86400", "second@90000", "third"));
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "third", absl::Hours(1))),
              ElementsAre("first@3600", "second@3600", "third"));
  EXPECT_EQ((*Rotate(subscription, "third"))->subscription.secrets[2].create_time, kNow);
}

TEST(SecretRotation, WhatHasEndedIsDropped) {
  Subscription subscription = Stored();
  subscription.secrets = {{.text = "ended", .expire_time = kNow}, {.text = "first"}};
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "second")), ElementsAre("first@86400", "second"));
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "second", absl::ZeroDuration())),
              ElementsAre("second"));
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "ended")), ElementsAre("first@86400", "ended"));
}

TEST(SecretRotation, ARepeatedOneChangesNothingAndMayEndTheOverlap) {
  const Subscription rotated = (*Rotate(Stored(), "second"))->subscription;
  const absl::Time later = kNow + absl::Minutes(1);
  EXPECT_TRUE(ChangesNothing(Rotate(rotated, "second", absl::Hours(24), later)));
  EXPECT_THAT(SecretsAfter(Rotate(rotated, "second", absl::ZeroDuration(), later)),
              ElementsAre("second"));
}

TEST(SecretRotation, AtMostTenLiveAtATime) {
  Subscription subscription = Stored();
  for (int i = 1; i < 10; ++i) subscription.secrets.push_back({.text = absl::StrCat("secret", i)});
  const Change refused = Rotate(subscription, "one more");
  EXPECT_EQ(ReasonOf(refused.status()), "TOO_MANY_SECRETS");
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("the limit is 10"));
  EXPECT_THAT(SecretsAfter(Rotate(subscription, "one more", absl::ZeroDuration())),
              ElementsAre("one more"));
  subscription.secrets[0].expire_time = kNow;
  EXPECT_EQ(SecretsAfter(Rotate(subscription, "one more")).size(), 10U);
}

TEST(SecretRotation, WrongFieldsAreNamed) {
  Subscription subscription = Stored();
  subscription.secrets.push_back({.text = "second"});
  EXPECT_EQ(FieldOf(Rotate(subscription, "first").status()), "secret");
  EXPECT_EQ(FieldOf(Rotate(subscription, "whsec_tooshort").status()), "secret");
  EXPECT_EQ(FieldOf(Rotate(subscription, "third", -absl::Seconds(1)).status()), "overlap");
  EXPECT_EQ(FieldOf(Rotate(subscription, "third", kSecretOverlapMax + absl::Seconds(1)).status()),
            "overlap");
  EXPECT_TRUE(Rotate(subscription, "third", kSecretOverlapMax).ok());
}

}  // namespace
}  // namespace postrider
