// Goal: subscriptions go in and out whole, secrets are shown only where they are meant to be, and
// an update changes what it names and nothing else.
#include "server/subscription_convert.h"

#include <string>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/subscription_update.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'600'000'000);

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

absl::StatusOr<Subscription> Convert(const std::string& text) {
  return SubscriptionFromProto(Parse<v1::Subscription>(text), Verification::kChallenge, kNow);
}

absl::StatusOr<SubscriptionUpdate> Update(const std::string& text) {
  return UpdateFromProto(Parse<v1::UpdateSubscriptionRequest>(text), Verification::kNone, kNow);
}

std::string FieldOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  const auto field = status.GetPayload(kFieldPayload);
  return field.has_value() ? std::string(*field) : "";
}

constexpr char kFull[] = R"(
    organization: "o" url: "https://x/hook" event_types: "message.*" event_types: "*.update"
    scope: SCOPE_SELF description: "d" headers { key: "B" value: "2" }
    headers { key: "A" value: "1" } secret: "s3cret"
    policy { schedule {} schedule { seconds: 5 } timeout { seconds: 7 } max_in_flight: 3
             order: ORDER_MODE_BY_KEY rate: 0.5 max_age { seconds: 3600 } max_body_bytes: 100000 }
    verification: VERIFICATION_NONE)";

TEST(SubscriptionConvert, EveryFieldArrives) {
  const auto subscription = Convert(kFull);

  ASSERT_TRUE(subscription.ok()) << subscription.status();
  EXPECT_EQ(subscription->organization, "o");
  EXPECT_EQ(subscription->url, "https://x/hook");
  EXPECT_THAT(subscription->event_types, ElementsAre("message.*", "*.update"));
  EXPECT_EQ(subscription->scope, Scope::kSelf);
  EXPECT_EQ(subscription->description, "d");
  ASSERT_EQ(subscription->headers.size(), 2u);
  EXPECT_EQ(subscription->headers[0].name, "A");
  ASSERT_EQ(subscription->secrets.size(), 1u);
  EXPECT_EQ(subscription->secrets[0].text, "s3cret");
  EXPECT_EQ(subscription->secrets[0].create_time, kNow);
  EXPECT_THAT(subscription->policy.schedule, ElementsAre(absl::ZeroDuration(), absl::Seconds(5)));
  EXPECT_EQ(subscription->policy.timeout, absl::Seconds(7));
  EXPECT_EQ(subscription->policy.max_in_flight, 3);
  EXPECT_EQ(subscription->policy.order, OrderMode::kByKey);
  EXPECT_EQ(subscription->policy.rate, 0.5);
  EXPECT_EQ(subscription->policy.max_age, absl::Hours(1));
  EXPECT_EQ(subscription->policy.max_body_bytes, 100'000U);
  EXPECT_EQ(subscription->verification, Verification::kNone);
}

TEST(SubscriptionConvert, WhatIsNotGivenHasItsDefault) {
  const auto subscription = Convert("");

  ASSERT_TRUE(subscription.ok());
  EXPECT_EQ(subscription->scope, Scope::kSubtree);
  EXPECT_EQ(subscription->verification, Verification::kChallenge);
  EXPECT_EQ(subscription->policy.timeout, kExchangeTimeoutDefault);
  EXPECT_EQ(subscription->policy.max_in_flight, 0);
  EXPECT_EQ(subscription->policy.order, OrderMode::kUnordered);
  EXPECT_EQ(subscription->policy.rate, 0);
  EXPECT_EQ(subscription->policy.max_age, absl::ZeroDuration());
  EXPECT_EQ(subscription->policy.max_body_bytes, 0U);
  EXPECT_THAT(subscription->policy.schedule, IsEmpty());
  EXPECT_THAT(subscription->secrets, IsEmpty());
}

TEST(SubscriptionConvert, SeveralSecretsKeepTheirOrderAndEnd) {
  const auto subscription = Convert(
      "secrets { text: \"old\" expire_time { seconds: 1700000000 } } secrets { text: \"new\" }");

  ASSERT_TRUE(subscription.ok()) << subscription.status();
  ASSERT_EQ(subscription->secrets.size(), 2u);
  EXPECT_EQ(subscription->secrets[0].text, "old");
  EXPECT_EQ(subscription->secrets[0].expire_time, absl::FromUnixSeconds(1'700'000'000));
  EXPECT_FALSE(subscription->secrets[1].expire_time.has_value());
}

TEST(SubscriptionConvert, WrongFieldsAreNamed) {
  EXPECT_EQ(FieldOf(Convert("secret: \"a\" secrets { text: \"b\" }").status()),
            "subscription.secret");
  EXPECT_EQ(FieldOf(Convert("secrets {}").status()), "subscription.secrets[0].text");
  EXPECT_EQ(FieldOf(Convert("policy { timeout { seconds: 1 nanos: -1 } }").status()),
            "subscription.policy.timeout");
  EXPECT_EQ(FieldOf(Convert("policy { schedule {} schedule { nanos: 1000000000 } }").status()),
            "subscription.policy.schedule[1]");
  for (const std::string limit : {"max_in_flight: 0", "rate: 0", "rate: -0.0", "max_age {}",
                                  "max_body_bytes: 0", "max_body_bytes: -1"}) {
    const std::string field = limit.substr(0, limit.find_first_of(": {"));
    EXPECT_EQ(FieldOf(Convert("policy { " + limit + " }").status()),
              "subscription.policy." + field);
  }
}

TEST(SubscriptionConvert, UnknownEnumValuesAndFieldsAreRefused) {
  v1::Subscription subscription;
  subscription.set_scope(static_cast<v1::Scope>(17));
  EXPECT_EQ(FieldOf(SubscriptionFromProto(subscription, Verification::kNone, kNow).status()),
            "subscription.scope");
  subscription.set_scope(v1::SCOPE_SELF);
  subscription.set_verification(static_cast<v1::Verification>(-1));
  EXPECT_EQ(FieldOf(SubscriptionFromProto(subscription, Verification::kNone, kNow).status()),
            "subscription.verification");
  subscription.clear_verification();
  subscription.mutable_policy()->set_order(static_cast<v1::OrderMode>(9));
  EXPECT_EQ(FieldOf(SubscriptionFromProto(subscription, Verification::kNone, kNow).status()),
            "subscription.policy.order");
  subscription.clear_policy();
  v1::DeliveryPolicy* policy = subscription.mutable_policy();
  policy->GetReflection()->MutableUnknownFields(policy)->AddVarint(44, 1);
  EXPECT_EQ(FieldOf(SubscriptionFromProto(subscription, Verification::kNone, kNow).status()),
            "subscription.policy");
}

TEST(SubscriptionConvert, SecretsAreShownOnlyWhenAskedFor) {
  Subscription subscription = *Convert(kFull);
  subscription.version = 12;
  v1::Subscription shown;
  v1::Subscription hidden;

  SubscriptionToProto(subscription, std::nullopt, true, &shown);
  SubscriptionToProto(subscription, std::nullopt, false, &hidden);

  EXPECT_EQ(shown.secret(), "s3cret");
  EXPECT_EQ(shown.secrets(0).text(), "s3cret");
  EXPECT_EQ(hidden.secrets_size(), 1);
  EXPECT_THAT(hidden.DebugString(), testing::Not(HasSubstr("s3cret")));
  EXPECT_EQ(hidden.etag(), "\"12\"");
}

TEST(SubscriptionConvert, WhatComesOutGoesInAgain) {
  const Subscription subscription = *Convert(kFull);
  v1::Subscription shown;
  SubscriptionToProto(subscription, std::nullopt, true, &shown);
  shown.clear_secret();

  const auto again = SubscriptionFromProto(shown, Verification::kChallenge, kNow);

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->url, subscription.url);
  EXPECT_EQ(again->event_types, subscription.event_types);
  EXPECT_EQ(again->scope, subscription.scope);
  EXPECT_EQ(again->policy.schedule, subscription.policy.schedule);
  EXPECT_EQ(again->policy.order, subscription.policy.order);
  EXPECT_EQ(again->policy.rate, subscription.policy.rate);
  EXPECT_EQ(again->policy.max_age, subscription.policy.max_age);
  EXPECT_EQ(again->policy.max_body_bytes, subscription.policy.max_body_bytes);
  EXPECT_EQ(again->verification, subscription.verification);
  EXPECT_EQ(again->secrets[0].text, "s3cret");
}

TEST(SubscriptionConvert, StatesAreNeverUnspecified) {
  Subscription subscription;
  v1::Subscription shown;
  SubscriptionToProto(subscription, std::nullopt, false, &shown);
  EXPECT_EQ(shown.state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  subscription.verified = false;
  SubscriptionToProto(subscription, std::nullopt, false, &shown);
  EXPECT_EQ(shown.state(), v1::SUBSCRIPTION_STATE_UNVERIFIED);
  subscription.disabled_reason = "410";
  SubscriptionToProto(subscription, std::nullopt, false, &shown);
  EXPECT_EQ(shown.state(), v1::SUBSCRIPTION_STATE_DISABLED);
}

TEST(SubscriptionConvert, HealthIsShownInFull) {
  SubscriptionHealth health;
  health.breaker = Breaker::kOpen;
  health.failing_since = absl::FromUnixSeconds(1);
  health.open_since = absl::FromUnixSeconds(2);
  health.next_probe = absl::FromUnixSeconds(3);
  health.throttled_until = absl::FromUnixSeconds(4);
  health.failures_in_a_row = 12;
  health.last_error = "status \xff";
  health.in_flight_max = 5;
  v1::Subscription shown;
  SubscriptionToProto(Subscription(), health, false, &shown);
  EXPECT_EQ(shown.state(), v1::SUBSCRIPTION_STATE_FAILING);
  EXPECT_EQ(shown.health().breaker(), v1::BREAKER_STATE_OPEN);
  EXPECT_EQ(shown.health().failing_since().seconds(), 1);
  EXPECT_EQ(shown.health().open_since().seconds(), 2);
  EXPECT_EQ(shown.health().next_probe_time().seconds(), 3);
  EXPECT_EQ(shown.health().throttled_until().seconds(), 4);
  EXPECT_EQ(shown.health().failures_in_a_row(), 12);
  EXPECT_EQ(shown.health().last_error(), "status \xEF\xBF\xBD");
  EXPECT_EQ(shown.health().max_in_flight(), 5);

  v1::Subscription calm;
  SubscriptionToProto(Subscription(), SubscriptionHealth(), false, &calm);
  EXPECT_EQ(calm.state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  EXPECT_EQ(calm.health().breaker(), v1::BREAKER_STATE_CLOSED);
  EXPECT_FALSE(calm.health().has_failing_since());
}

TEST(SubscriptionUpdate, TheOrderIsCarriedOnlyWhereItIsGiven) {
  EXPECT_THAT(Update("update_mask { paths: \"policy.order\" }")->paths, IsEmpty());
  EXPECT_THAT(Update("subscription { policy { order: ORDER_MODE_UNORDERED } }")->paths,
              ElementsAre("policy.order"));
}

TEST(SubscriptionUpdate, WithoutAMaskWhatIsGivenChanges) {
  const auto update = Update(
      "subscription { id: \"i\" etag: \"e\" url: \"u\" organization: \"o\" "
      "policy { max_in_flight: 4 } }");

  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(update->subscription.id, "i");
  EXPECT_EQ(update->subscription.organization, "o");
  EXPECT_EQ(update->etag, "e");
  EXPECT_THAT(update->paths, ElementsAre("url", "policy.max_in_flight"));
  EXPECT_EQ(update->subscription.policy.max_in_flight, 4);
}

TEST(SubscriptionUpdate, AMaskCanSetToTheDefault) {
  const auto update = Update("subscription { url: \"u\" } update_mask { paths: \"description\" }");

  ASSERT_TRUE(update.ok());
  EXPECT_THAT(update->paths, ElementsAre("description"));
  EXPECT_EQ(update->subscription.description, "");
}

TEST(SubscriptionUpdate, APartOfThePolicyCanBeNamed) {
  EXPECT_THAT(Update("update_mask { paths: \"policy\" }")->paths,
              ElementsAre("policy.schedule", "policy.timeout", "policy.rate",
                          "policy.max_in_flight", "policy.max_age", "policy.max_body_bytes"));
  EXPECT_THAT(Update("update_mask { paths: \"policy.timeout\" }")->paths,
              ElementsAre("policy.timeout"));
}

TEST(SubscriptionUpdate, AStarNamesAllButSecretsAndAnOrderThatAreNotGiven) {
  EXPECT_EQ(Update("update_mask { paths: \"*\" }")->paths.size(), std::size(kUpdatablePaths) - 2);
  EXPECT_EQ(Update("subscription { secret: \"s\" policy { order: ORDER_MODE_STRICT } } "
                   "update_mask { paths: \"*\" }")
                ->paths.size(),
            std::size(kUpdatablePaths));
}

TEST(SubscriptionUpdate, ASubscriptionThatWasReadCanBeWrittenBack) {
  const auto update = Update(
      "subscription { id: \"i\" url: \"u\" secrets { create_time {} } "
      "state: SUBSCRIPTION_STATE_FAILING health { failures_in_a_row: 3 } create_time {} }");

  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_THAT(update->paths, ElementsAre("url"));
}

TEST(SubscriptionUpdate, WhatTheGatewaySetsIsIgnored) {
  EXPECT_THAT(
      Update("update_mask { paths: \"state\" paths: \"etag\" paths: \"health\" paths: \"url\" }")
          ->paths,
      ElementsAre("url"));
}

TEST(SubscriptionUpdate, PathsThatDoNotExistAreRefused) {
  for (const char* path : {"colour", "policy.colour", "policy.", "", "urls", "secrets.text"}) {
    const auto update = Update(std::string("update_mask { paths: \"") + path + "\" }");
    EXPECT_EQ(FieldOf(update.status()), "update_mask") << path;
  }
  EXPECT_EQ(FieldOf(Update("update_mask { paths: \"secret\" }").status()), "subscription.secret");
}

}  // namespace
}  // namespace postrider
