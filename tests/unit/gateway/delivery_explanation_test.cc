#include "gateway/delivery_explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace postrider {
namespace {

using testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// A delivery of event 5 of 9, on the tail of a shard whose cursor is 2; nothing has happened yet.
class DeliveryExplanationTest : public testing::Test {
 protected:
  DeliveryExplanationTest() {
    auto event = std::make_shared<Event>();
    event->organization = "o";
    event->organization_path = {"o"};
    event->type = "a.b";
    record_.entry = {.shard = 0, .seq = 5, .accept_time = kNow, .event = event};
    record_.position = {.head = 9, .cursor = 2};
    subscription_.organization = "o";
    subscription_.start_seqs = {0};
  }
  void PutException(ExceptionState state, DeadReason reason = DeadReason::kNone) {
    ExceptionRow row;
    row.state = state;
    row.dead_reason = reason;
    row.due_time = kNow;
    record_.exceptions = {row};
  }
  void PutAttempt(Disposition disposition) {
    Attempt attempt;
    attempt.number = 3;
    attempt.disposition = disposition;
    attempt.http_status = 503;
    attempt.time = kNow;
    record_.last_attempt = attempt;
  }
  DeliveryExplanation Explained() { return Explain(record_, subscription_, health_); }
  DeliveryState State() { return Explained().state; }

  DeliveryRecord record_;
  Subscription subscription_;
  SubscriptionHealth* health_ = nullptr;
};

TEST_F(DeliveryExplanationTest, BehindThePositionItWaits) {
  EXPECT_EQ(State(), DeliveryState::kWaiting);
  EXPECT_EQ(Explained().events_before, 2U);
  ReaderRow row{.subscription = 1, .shard = 0, .next_seq = 5};
  record_.reader = row;
  EXPECT_EQ(State(), DeliveryState::kWaiting);
  EXPECT_EQ(Explained().events_before, 0U);
  record_.reader->settled.Add(0);
  EXPECT_EQ(State(), DeliveryState::kPassed);
  record_.reader->next_seq = 6;
  EXPECT_EQ(State(), DeliveryState::kPassed);
}

TEST_F(DeliveryExplanationTest, SaysWhatHoldsTheSubscriptionBack) {
  subscription_.paused = true;
  EXPECT_THAT(Explained().text, HasSubstr("paused"));
  subscription_.disabled_reason = "410 Gone";
  EXPECT_THAT(Explained().text, HasSubstr("disabled: 410 Gone"));
  subscription_ = {.organization = "o", .start_seqs = {0}};
  SubscriptionHealth health;
  health_ = &health;
  EXPECT_EQ(Explained().text.find("failing"), std::string::npos);
  health.breaker = Breaker::kOpen;
  health.open_since = kNow;
  EXPECT_THAT(Explained().text, HasSubstr("failing since 2023-11-14T22:13:20Z"));
  health.breaker = Breaker::kClosed;
  health.throttled_until = kNow;
  EXPECT_THAT(Explained().text, HasSubstr("asked to wait until 2023-11-14T22:13:20Z"));
}

TEST_F(DeliveryExplanationTest, AnExceptionSaysMoreThanAnythingElse) {
  PutAttempt(Disposition::kException);
  PutException(ExceptionState::kWaiting);
  EXPECT_EQ(State(), DeliveryState::kWaitingRetry);
  EXPECT_THAT(Explained().text,
              HasSubstr("attempt 3 at 2023-11-14T22:13:20Z ended with status 503"));
  PutException(ExceptionState::kParked);
  record_.parked_behind = Uuid();
  EXPECT_EQ(State(), DeliveryState::kParked);
  EXPECT_TRUE(Explained().parked_behind.has_value());
  PutException(ExceptionState::kDead, DeadReason::kExpired);
  EXPECT_EQ(State(), DeliveryState::kDead);
  EXPECT_THAT(Explained().text, HasSubstr("its time was over"));
}

TEST_F(DeliveryExplanationTest, WithoutOneTheLastAttemptOrTheMatchDecides) {
  PutAttempt(Disposition::kDelivered);
  subscription_.event_types = {"c.*"};
  EXPECT_EQ(State(), DeliveryState::kDelivered) << "whatever the patterns are by now";
  PutAttempt(Disposition::kDead);
  EXPECT_EQ(State(), DeliveryState::kNotMatching);
  EXPECT_EQ(Explained().match, Match::kType);
  subscription_.event_types = {};
  record_.position.cursor = 9;
  EXPECT_EQ(State(), DeliveryState::kDead);
  record_.last_attempt.reset();
  EXPECT_EQ(State(), DeliveryState::kPassed);
}

// What a replay owes comes after what the subscription is owed anyway.
TEST_F(DeliveryExplanationTest, WhatAReplayOwesIsSaidToBeOfAReplay) {
  PutException(ExceptionState::kDead, DeadReason::kExhausted);
  ExceptionRow replayed = record_.exceptions[0];
  replayed.key.origin = 7;
  replayed.state = ExceptionState::kWaiting;
  record_.exceptions.push_back(replayed);
  EXPECT_EQ(State(), DeliveryState::kDead);
  record_.exceptions = {replayed};
  EXPECT_EQ(State(), DeliveryState::kWaitingRetry);
  EXPECT_THAT(Explained().text, HasSubstr("by a replay"));
}

}  // namespace
}  // namespace postrider
