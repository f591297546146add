// Goal: replays are asked for and shown as the API says.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;

class ReplayCallsTest : public ServerTest {
 protected:
  ReplayCallsTest() : deliveries_(v1::DeliveryService::NewStub(channel_)) {
    auto replay = std::make_shared<Replay>();
    replay->id = "r1";
    replay->subscription = 5;
    replay->since = absl::FromUnixSeconds(100);
    replay->until = absl::FromUnixSeconds(200);
    replay->create_time = absl::FromUnixSeconds(300);
    Show(replay);
    request_.set_subscription_id("s");
    request_.mutable_since()->set_seconds(100);
  }

  void Show(std::shared_ptr<const Replay> replay) {
    engine_.replay.replay = std::move(replay);
    engine_.replay.positions = {
        {.shard = 0, .next_seq = 5, .end_seq = 9, .delivered = 3, .failed = 1},
        {.shard = 1, .next_seq = 8, .end_seq = 7, .delivered = 7, .failed = 0}};
  }
  grpc::Status Start() {
    grpc::ClientContext context;
    response_.Clear();
    return deliveries_->Replay(&context, request_, &response_);
  }

  std::unique_ptr<v1::DeliveryService::Stub> deliveries_;
  v1::ReplayRequest request_;
  v1::ReplayResponse response_;
};

TEST_F(ReplayCallsTest, AWishIsHandedOnAsItIs) {
  request_.mutable_until()->set_seconds(200);
  request_.add_event_types("a.*");
  request_.set_rate(2.5);
  ASSERT_TRUE(Start().ok());
  const ReplayWish& wish = engine_.last_wish;
  EXPECT_EQ(wish.subscription_id, "s");
  EXPECT_EQ(wish.since, absl::FromUnixSeconds(100));
  EXPECT_EQ(wish.until, absl::FromUnixSeconds(200));
  EXPECT_THAT(wish.event_types, ElementsAre("a.*"));
  EXPECT_EQ(wish.rate, 2.5);
  EXPECT_EQ(response_.replay().id(), "r1");
  EXPECT_FALSE(response_.has_count());
}

TEST_F(ReplayCallsTest, ProgressIsTheSumOverTheShards) {
  ASSERT_TRUE(Start().ok());
  const v1::Replay& shown = response_.replay();
  EXPECT_EQ(shown.subscription_id(), "subscription-5");
  EXPECT_EQ(shown.state(), v1::REPLAY_STATE_RUNNING);
  EXPECT_EQ(shown.events_left(), 5);
  EXPECT_EQ(shown.events_sent(), 11);
  EXPECT_EQ(shown.events_delivered(), 10);
  EXPECT_EQ(shown.events_failed(), 1);
  EXPECT_EQ(shown.since().seconds(), 100);
  EXPECT_FALSE(shown.has_rate());
  EXPECT_FALSE(shown.has_finish_time());

  auto done = std::make_shared<Replay>(*engine_.replay.replay);
  done->state = ReplayState::kDone;
  done->finish_time = absl::FromUnixSeconds(400);
  Show(done);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(response_.replay().state(), v1::REPLAY_STATE_DONE);
  EXPECT_EQ(response_.replay().events_left(), 0);
  EXPECT_EQ(response_.replay().finish_time().seconds(), 400);
}

TEST_F(ReplayCallsTest, ADryRunOnlyCounts) {
  engine_.replay_count = {.events = 12, .examined = 1'000'000, .complete = false};
  request_.set_dry_run(true);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(response_.count().events(), 12);
  EXPECT_FALSE(response_.count().complete());
  EXPECT_FALSE(response_.has_replay());
}

TEST_F(ReplayCallsTest, WhatIsMissingIsNamed) {
  request_.clear_since();
  EXPECT_EQ(FieldOf(Start()), "since");
  request_.clear_subscription_id();
  EXPECT_EQ(FieldOf(Start()), "subscription_id");
  grpc::ClientContext context;
  v1::CancelReplayResponse canceled;
  EXPECT_EQ(FieldOf(deliveries_->CancelReplay(&context, {}, &canceled)), "replay_id");
}

}  // namespace
}  // namespace postrider
