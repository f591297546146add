// Goal: Publish and PublishBatch answer what the engine does, item by item, and refuse clearly what
// never reaches it.
#include <string>

#include "absl/strings/match.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/publisher.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PublisherServiceTest : public ServerTest {
 protected:
  PublisherServiceTest() : stub_(v1::PublisherService::NewStub(channel_)) {}

  grpc::Status Publish(const v1::PublishRequest& request) {
    grpc::ClientContext context;
    return stub_->Publish(&context, request, &response_);
  }

  grpc::Status PublishBatch(const v1::PublishBatchRequest& request) {
    grpc::ClientContext context;
    return stub_->PublishBatch(&context, request, &batch_response_);
  }

  std::unique_ptr<v1::PublisherService::Stub> stub_;
  v1::PublishResponse response_;
  v1::PublishBatchResponse batch_response_;
};

v1::PublishRequest RequestOf(const std::string& type) {
  v1::PublishRequest request;
  request.mutable_event()->set_type(type);
  request.mutable_event()->set_organization("o");
  return request;
}

void AddEvent(const std::string& type, const std::string& key, v1::PublishBatchRequest* request) {
  v1::Event* event = request->add_events();
  event->set_type(type);
  event->set_organization("o");
  event->set_ordering_key(key);
}

// A request whose Struct has `levels` levels.
v1::PublishRequest NestedRequest(int levels) {
  v1::PublishRequest request = RequestOf("a");
  auto* object = (*request.mutable_event()->mutable_data())["deep"].mutable_struct_();
  for (int i = 1; i < levels; ++i) {
    object = (*object->mutable_fields())["in"].mutable_struct_value();
  }
  return request;
}

TEST_F(PublisherServiceTest, AnswersWithTheReceipt) {
  ASSERT_TRUE(Publish(RequestOf("a.b")).ok());

  EXPECT_EQ(response_.id(), "774ae370-02cc-11e7-ac41-c38ce8763025");
  EXPECT_EQ(response_.accept_time().seconds(), 1'545'246'541);
  EXPECT_TRUE(response_.has_duplicate());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a.b"));
}

TEST_F(PublisherServiceTest, TheEnginesErrorsNameTheFieldFromTheRequestOn) {
  engine_.Refuse("bad", InvalidField("type", "is bad"));

  EXPECT_EQ(FieldOf(Publish(RequestOf("bad"))), "event.type");
}

TEST_F(PublisherServiceTest, RefusalsThatPassSayWhen) {
  engine_.Refuse("a", WithRetry(absl::UnavailableError("full"), absl::Seconds(2)));

  const grpc::Status status = Publish(RequestOf("a"));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).retry_delay().seconds(), 2);
}

TEST_F(PublisherServiceTest, WhatIsNoEventDoesNotReachTheEngine) {
  EXPECT_EQ(FieldOf(Publish({})), "event");
  v1::PublishRequest unknown = RequestOf("a");
  unknown.GetReflection()->MutableUnknownFields(&unknown)->AddVarint(9, 1);
  const grpc::Status status = Publish(unknown);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("unknown field 9"));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "UNKNOWN_FIELD");
  v1::PublishRequest in_event = RequestOf("a");
  in_event.mutable_event()
      ->GetReflection()
      ->MutableUnknownFields(in_event.mutable_event())
      ->AddLengthDelimited(77, "x");
  EXPECT_EQ(FieldOf(Publish(in_event)), "event");

  EXPECT_THAT(engine_.PublishedTypes(), IsEmpty());
}

TEST_F(PublisherServiceTest, DeepStructsPassWhereGrpcsOwnParserWouldNot) {
  EXPECT_TRUE(Publish(NestedRequest(kJsonDepthMax)).ok());
  EXPECT_EQ(FieldOf(Publish(NestedRequest(kJsonDepthMax + 1))), "event.data[\"deep\"].struct");
  const grpc::Status status = Publish(NestedRequest(1000));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("nested deeper"));
}

TEST_F(PublisherServiceTest, OversizeRequestsAreRefused) {
  v1::PublishRequest request = RequestOf("a");
  (*request.mutable_event()->mutable_data())["x"].set_json(std::string(kBatchBytesMax, ' '));
  grpc::Status status = Publish(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("4194304"));

  (*request.mutable_event()->mutable_data())["x"].set_json(std::string(3 * kBatchBytesMax, ' '));
  EXPECT_EQ(Publish(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Publish(RequestOf("a")).ok());  // Nothing is harmed.
}

TEST_F(PublisherServiceTest, ABatchIsAnsweredItemByItemInOrder) {
  engine_.Refuse("bad", InvalidField("type", "is bad"));
  v1::PublishBatchRequest request;
  AddEvent("a", "", &request);
  AddEvent("bad", "", &request);
  AddEvent("b", "", &request);
  request.mutable_events(2)->mutable_time()->set_nanos(-1);
  AddEvent("c", "", &request);

  ASSERT_TRUE(PublishBatch(request).ok());

  ASSERT_EQ(batch_response_.results_size(), 4);
  EXPECT_TRUE(batch_response_.results(0).has_receipt());
  EXPECT_TRUE(batch_response_.results(0).receipt().has_duplicate());
  const auto violation = [this](int index) {
    return DetailOf<google::rpc::BadRequest>(batch_response_.results(index).error())
        .field_violations(0)
        .field();
  };
  EXPECT_EQ(batch_response_.results(1).error().code(), 3);
  EXPECT_EQ(violation(1), "events[1].type");
  EXPECT_EQ(violation(2), "events[2].time");
  EXPECT_TRUE(batch_response_.results(3).has_receipt());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a", "bad", "c"));
}

TEST_F(PublisherServiceTest, ABatchKeepsTheOrderOfAKeyThatWasRefused) {
  engine_.Refuse("full", absl::ResourceExhaustedError("full"));
  v1::PublishBatchRequest request;
  AddEvent("a", "k", &request);
  AddEvent("full", "k", &request);
  AddEvent("b", "k", &request);
  AddEvent("c", "other", &request);
  AddEvent("d", "", &request);

  ASSERT_TRUE(PublishBatch(request).ok());

  std::vector<int> codes;
  for (const auto& result : batch_response_.results()) codes.push_back(result.error().code());
  EXPECT_THAT(codes, ElementsAre(0, 8, 10, 0, 0));
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a", "full", "c", "d"));
}

TEST_F(PublisherServiceTest, BatchesHaveBounds) {
  v1::PublishBatchRequest request;
  EXPECT_EQ(FieldOf(PublishBatch(request)), "events");
  for (size_t i = 0; i < kBatchEventsMax; ++i) AddEvent("a", "", &request);
  EXPECT_TRUE(PublishBatch(request).ok());
  EXPECT_EQ(batch_response_.results_size(), 1000);
  AddEvent("a", "", &request);
  const grpc::Status status = PublishBatch(request);
  EXPECT_EQ(FieldOf(status), "events");
  EXPECT_THAT(status.error_message(), HasSubstr("1001"));
  EXPECT_EQ(engine_.PublishedTypes().size(), kBatchEventsMax);
}

TEST_F(PublisherServiceTest, APortIsNotShared) {
  GrpcServerOptions options;
  options.address = absl::StrCat("127.0.0.1:", server_->port());

  const auto second = GrpcServer::Start(gateway_.get(), &clock_, options);

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(options.address));
}

}  // namespace
}  // namespace postrider
