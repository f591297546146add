#include "gateway/accept/operational_event.h"

#include "gateway/accept/translate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'545'246'541);

Subscription NewSubscription() {
  Subscription subscription;
  subscription.id = "shop";
  subscription.organization = "acme";
  subscription.url = "https://bob:secret@example.com/hook";
  subscription.version = 7;
  return subscription;
}

LogEntry NewEntry() {
  auto event = std::make_shared<Event>();
  event->id = *Uuid::Parse("774ae370-02cc-11e7-ac41-c38ce8763025");
  event->organization = std::string("acme");
  event->type = "order.paid";
  LogEntry entry;
  entry.event = std::move(event);
  return entry;
}

// Its body, which must be one that the gateway accepts.
std::string BodyOf(const EventInput& input) {
  TranslateContext context;
  context.now = kNow;
  const auto event = Translate(input, context);
  EXPECT_TRUE(event.ok()) << event.status();
  return event.ok() ? (*event)->body : "";
}

TEST(OperationalEvent, ADeadLetterSaysWhatOfWhomAndWhy) {
  const EventInput event =
      DeliveryDead(NewSubscription(), NewEntry(), DeadReason::kExhausted, kNow);
  EXPECT_EQ(event.type, "postrider.delivery.exhausted");
  EXPECT_EQ(event.about, "shop");
  const std::string body = BodyOf(event);
  EXPECT_THAT(body,
              testing::HasSubstr(
                  R"("data":{"delivery":{"event_id":"774ae370-02cc-11e7-ac41-c38ce8763025",)"
                  R"("event":"order.paid","organization":"acme","reason":"exhausted"},)"
                  R"("subscription":{"id":"shop","url":"https://********@example.com/hook"}})"));
  EXPECT_EQ(DeliveryDead(NewSubscription(), NewEntry(), DeadReason::kExpired, kNow).type,
            "postrider.delivery.expired");
}

TEST(OperationalEvent, WhatIsNotKeptAnyMoreIsToldOnceADay) {
  const auto expired = [](absl::Time now) {
    return DeliveriesExpired(NewSubscription(), now - absl::Hours(336), now);
  };
  const EventInput event = expired(kNow);
  EXPECT_EQ(event.type, "postrider.delivery.expired");
  EXPECT_EQ(event.about, "shop");
  EXPECT_THAT(BodyOf(event),
              testing::HasSubstr(R"("delivery":{"accepted_before":"2018-12-05T19:09:01Z",)"
                                 R"("reason":"expired"})"));
  EXPECT_EQ(expired(kNow + absl::Minutes(1)).id, event.id);
  EXPECT_NE(expired(kNow + absl::Hours(24)).id, event.id);
}

TEST(OperationalEvent, TellingTheSameAgainIsTheSameEvent) {
  const auto id = [](int days, absl::Time since, absl::Time now) {
    SubscriptionHealth health;
    health.failing_since = since;
    return SubscriptionFailing(NewSubscription(), health, days, now).id;
  };
  const absl::Time since = kNow - absl::Hours(24);
  EXPECT_EQ(id(1, since, kNow), id(1, since, kNow + absl::Seconds(5)));
  EXPECT_NE(id(1, since, kNow), id(3, since, kNow));
  EXPECT_NE(id(1, since, kNow), id(1, since + absl::Seconds(1), kNow));
}

TEST(OperationalEvent, EveryKindIsAnEventThatTheGatewayAccepts) {
  Subscription subscription = NewSubscription();
  subscription.disabled_reason = "gone";
  EXPECT_THAT(BodyOf(SubscriptionDisabled(subscription, kNow)),
              testing::HasSubstr(R"("disabled_reason":"gone")"));
  EXPECT_THAT(BodyOf(SubscriptionVerified(subscription, kNow)),
              testing::HasSubstr(R"("event":"postrider.subscription.verified")"));
  EXPECT_THAT(BodyOf(SubscriptionRecovered(subscription, kNow, kNow)),
              testing::HasSubstr(R"("failing_since":"2018-12-19T19:09:01Z")"));
  SubscriptionHealth health;
  health.last_error = "status 500 \"oops\"";
  EXPECT_THAT(BodyOf(SubscriptionFailing(subscription, health, 3, kNow)),
              testing::HasSubstr(R"("failing_days":3)"));
}

TEST(OperationalEvent, APublisherMayNotTakeTheName) {
  EventInput event = SubscriptionVerified(NewSubscription(), kNow);
  event.about.clear();
  TranslateContext context;
  context.now = kNow;
  EXPECT_EQ(Translate(event, context).status().code(), absl::StatusCode::kInvalidArgument);
}

// RFC 9562: version and variant.
TEST(OperationalEvent, NameUuidsAreOfVersion5) {
  const std::string uuid = NameUuid("a").ToString();
  EXPECT_EQ(uuid[14], '5');
  EXPECT_THAT(std::string("89ab"), testing::HasSubstr(uuid.substr(19, 1)));
  EXPECT_NE(NameUuid("a"), NameUuid("b"));
}

}  // namespace
}  // namespace postrider
