// Goal: the past is sent once more by gRPC, byte for byte, and to who starts in it.
// Method: as delivery_test.cc.
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

using google::protobuf::util::TimeUtil;

class ReplayTest : public EndToEndTest {
 protected:
  grpc::Status Replay(const v1::ReplayRequest& request) {
    grpc::ClientContext context;
    return deliveries_->Replay(&context, request, &started_);
  }
  v1::ReplayRequest SinceTheBeginning(const std::string& subscription_id) {
    v1::ReplayRequest request;
    request.set_subscription_id(subscription_id);
    *request.mutable_since() = TimeUtil::SecondsToTimestamp(0);
    return request;
  }
  v1::Replay Get(const std::string& id) {
    grpc::ClientContext context;
    v1::GetReplayRequest request;
    request.set_replay_id(id);
    v1::GetReplayResponse response;
    EXPECT_TRUE(deliveries_->GetReplay(&context, request, &response).ok());
    return response.replay();
  }
  v1::Replay WaitUntilDone(const std::string& id) {
    v1::Replay replay = Get(id);
    while (replay.state() == v1::REPLAY_STATE_RUNNING) replay = Get(id);
    return replay;
  }
  grpc::Status Cancel(const std::string& id) {
    grpc::ClientContext context;
    v1::CancelReplayRequest request;
    request.set_replay_id(id);
    v1::CancelReplayResponse response;
    const grpc::Status status = deliveries_->CancelReplay(&context, request, &response);
    canceled_ = response.replay();
    return status;
  }

  v1::ReplayResponse started_;
  v1::Replay canceled_;
};

TEST_F(ReplayTest, SendsTheSameBytesUnderTheSameIdsOnceMore) {
  const v1::Subscription subscription = Subscribe("message.*");
  ASSERT_TRUE(Publish(PlatformEvent()).ok());
  for (const char* type : {"message.a", "message.b", "user.c"}) {
    ASSERT_TRUE(Publish(SmallEvent(type)).ok());
  }
  receiver_.WaitFor(3);
  v1::ReplayRequest request = SinceTheBeginning(subscription.id());
  request.set_dry_run(true);
  ASSERT_TRUE(Replay(request).ok());
  EXPECT_EQ(started_.count().events(), 3);
  EXPECT_TRUE(started_.count().complete());
  EXPECT_FALSE(started_.has_replay());

  request.set_dry_run(false);
  ASSERT_TRUE(Replay(request).ok());
  EXPECT_EQ(started_.replay().subscription_id(), subscription.id());
  std::map<std::string, std::vector<std::string>> bodies;
  for (const ReceivedRequest& post : receiver_.WaitFor(6)) {
    bodies[post.header("webhook-id")].push_back(post.body);
  }
  ASSERT_EQ(bodies.size(), 3U);
  for (const auto& [id, sent] : bodies) {
    ASSERT_EQ(sent.size(), 2U) << id;
    EXPECT_EQ(sent[0], sent[1]);
  }
  const v1::Replay done = WaitUntilDone(started_.replay().id());
  EXPECT_EQ(done.state(), v1::REPLAY_STATE_DONE);
  EXPECT_EQ(done.events_delivered(), 3);
  EXPECT_EQ(done.events_sent(), 3);
  EXPECT_EQ(done.events_left(), 0);
  EXPECT_TRUE(done.has_finish_time());
  v1::ListAttemptsRequest attempts;
  attempts.set_subscription_id(subscription.id());
  EXPECT_EQ(AttemptsOf(attempts)[0].origin(), v1::ATTEMPT_ORIGIN_REPLAY);
}

TEST_F(ReplayTest, IsCanceledAndListedAcrossARestart) {
  const v1::Subscription subscription = Subscribe("**");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Publish(SmallEvent("message.a")).ok());
  receiver_.WaitFor(5);
  v1::ReplayRequest request = SinceTheBeginning(subscription.id());
  request.set_rate(0.01);
  request.add_event_types("message.a");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Replay(request).ok());
  const grpc::Status refused = Replay(request);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("the limit is 4"));
  const std::string id = started_.replay().id();
  StopGateway();
  StartGateway();

  EXPECT_EQ(Get(id).state(), v1::REPLAY_STATE_RUNNING);
  ASSERT_TRUE(Cancel(id).ok());
  EXPECT_EQ(canceled_.state(), v1::REPLAY_STATE_CANCELED);
  ASSERT_TRUE(Cancel(id).ok()) << "again";
  EXPECT_EQ(Cancel("none").error_code(), grpc::StatusCode::NOT_FOUND);

  grpc::ClientContext context;
  v1::ListReplaysRequest list;
  list.set_subscription_id(subscription.id());
  v1::ListReplaysResponse listed;
  ASSERT_TRUE(deliveries_->ListReplays(&context, list, &listed).ok());
  ASSERT_EQ(listed.replays_size(), 4);
  EXPECT_EQ(listed.replays(0).id(), id);
  EXPECT_EQ(listed.replays(0).state(), v1::REPLAY_STATE_CANCELED);
  EXPECT_EQ(listed.replays(1).state(), v1::REPLAY_STATE_RUNNING);
  EXPECT_EQ(listed.replays(1).rate(), 0.01);
  EXPECT_EQ(listed.replays(1).event_types(0), "message.a");
}

TEST_F(ReplayTest, WhatIsWrongIsNamed) {
  const v1::Subscription subscription = Subscribe("**");
  const v1::ReplayRequest good = SinceTheBeginning(subscription.id());
  v1::ReplayRequest bad = good;
  bad.clear_since();
  EXPECT_EQ(FieldOf(Replay(bad)), "since");
  *bad.mutable_since() = TimeUtil::SecondsToTimestamp(250'000'000'000);
  EXPECT_EQ(FieldOf(Replay(bad)), "since");
  bad = good;
  *bad.mutable_until() = bad.since();
  EXPECT_EQ(FieldOf(Replay(bad)), "until");
  bad = good;
  bad.add_event_types("a..b");
  EXPECT_EQ(FieldOf(Replay(bad)), "event_types[0]");
  bad = good;
  for (const double rate : {0.0, -1.0, 1e9, std::numeric_limits<double>::quiet_NaN()}) {
    bad.set_rate(rate);
    EXPECT_EQ(FieldOf(Replay(bad)), "rate") << rate;
  }
  bad.set_dry_run(true);
  EXPECT_EQ(FieldOf(Replay(bad)), "rate") << "of a dry run too";
  bad = good;
  bad.set_subscription_id("");
  EXPECT_EQ(FieldOf(Replay(bad)), "subscription_id");
  bad.set_subscription_id("none");
  EXPECT_EQ(Replay(bad).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ReplayTest, ASubscriptionThatStartsInThePastGetsIt) {
  for (const char* type : {"message.a", "message.b"}) {
    ASSERT_TRUE(Publish(SmallEvent(type)).ok());
  }
  v1::CreateSubscriptionRequest request;
  request.mutable_subscription()->set_organization(kOrganization);
  request.mutable_subscription()->set_url(receiver_.Url());
  *request.mutable_start_time() = TimeUtil::SecondsToTimestamp(0);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(subscriptions_->CreateSubscription(&context, request, &created_).ok());
  }
  ASSERT_TRUE(Publish(SmallEvent("message.c")).ok());
  EXPECT_EQ(receiver_.WaitFor(3).size(), 3U);

  *request.mutable_start_time() = TimeUtil::SecondsToTimestamp(250'000'000'000);
  grpc::ClientContext context;
  EXPECT_EQ(FieldOf(subscriptions_->CreateSubscription(&context, request, &created_)),
            "start_time");
}

}  // namespace
}  // namespace postrider
