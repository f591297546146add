#include "tests/e2e/e2e_fixture.h"

#include "absl/strings/match.h"
#include "google/protobuf/util/json_util.h"

namespace postrider {
namespace {

constexpr char kPlatformEvent[] = R"({
  "id": "774ae370-02cc-11e7-ac41-c38ce8763025", "type": "message.create.contact.chat",
  "time": "2018-12-19T19:09:01Z", "organization": "5c138790ec944f05ff5f6d77",
  "activity": {
    "type": "Create",
    "actor": {"id": "https://api.chatshipper.com/v2/users/5c1a99e410419f5fb88cb5f2",
              "type": "Person"},
    "object": {"id": "https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93",
               "type": "Object"},
    "summary": "User Jenny Jones created a chat message"
  },
  "data": {"conversation": {"struct": {"id": "5c1a974dabcdb128d0e90e90"}},
           "message": {"struct": {"id": "5c1a974dabcdb128d0e90e93", "text": "hello"}}},
  "links": {"message": "https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93"}
})";

}  // namespace

Receiver::Receiver() {
  server_ = std::make_unique<ScriptedServer>([this](ScriptedServer::Peer* peer) { Talk(peer); });
}

void Receiver::Talk(ScriptedServer::Peer* peer) {
  while (auto request = peer->ReadRequest()) {
    int status = 200;
    std::string body;
    {
      const MutexLock lock(&mutex_);
      const size_t challenge = request->target.find("challenge=");
      if (request->method == "GET") {
        body = echo_ ? request->target.substr(challenge + std::string("challenge=").size()) : "no";
      } else {
        status = status_;
        body = body_;
        posts_.push_back(*request);
        came_.NotifyAll();
      }
    }
    if (!peer->Respond(status, body)) return;
  }
}

void Receiver::Answer(int status, std::string body) {
  const MutexLock lock(&mutex_);
  status_ = status;
  body_ = std::move(body);
}

void Receiver::RefuseChallenges() {
  const MutexLock lock(&mutex_);
  echo_ = false;
}

void Receiver::EchoChallenges() {
  const MutexLock lock(&mutex_);
  echo_ = true;
}

std::vector<ReceivedRequest> Receiver::WaitFor(size_t count) {
  const MutexLock lock(&mutex_);
  while (posts_.size() < count) {
    came_.Wait(&mutex_);
  }
  return posts_;
}

size_t Receiver::count() {
  const MutexLock lock(&mutex_);
  return posts_.size();
}

EndToEndTest::EndToEndTest() {
  options_.data_dir = directory_.path() + "/data";
  options_.allow_cidrs = {"127.0.0.0/8"};
  options_.allow_http = true;
  options_.loops = 2;
  options_.store_free_bytes_min = 0;
  StartGateway();
}

EndToEndTest::~EndToEndTest() {
  if (gateway_ != nullptr) {
    StopGateway();
  }
}

void EndToEndTest::StartGateway() {
  auto gateway = Gateway::Start(options_);
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  gateway_ = *std::move(gateway);
  auto server = GrpcServer::Start(gateway_.get(), SystemClock(), {});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  const auto channel = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                           grpc::InsecureChannelCredentials());
  publisher_ = v1::PublisherService::NewStub(channel);
  subscriptions_ = v1::SubscriptionService::NewStub(channel);
  events_ = v1::EventService::NewStub(channel);
  deliveries_ = v1::DeliveryService::NewStub(channel);
}

void EndToEndTest::StopGateway() {
  server_->Drain();
  gateway_->Stop(absl::Seconds(5));
  server_->Shutdown(absl::Seconds(5));
  server_.reset();
  gateway_.reset();
}

grpc::Status EndToEndTest::Publish(const v1::Event& event) {
  grpc::ClientContext context;
  v1::PublishRequest request;
  *request.mutable_event() = event;
  return publisher_->Publish(&context, request, &published_);
}

grpc::Status EndToEndTest::Create(const v1::Subscription& subscription) {
  grpc::ClientContext context;
  v1::CreateSubscriptionRequest request;
  *request.mutable_subscription() = subscription;
  return subscriptions_->CreateSubscription(&context, request, &created_);
}

v1::Subscription EndToEndTest::Subscribe(const std::string& pattern) {
  v1::Subscription subscription;
  subscription.set_organization(kOrganization);
  subscription.set_url(receiver_.Url());
  subscription.add_event_types(pattern);
  const grpc::Status status = Create(subscription);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return created_.subscription();
}

std::vector<v1::Attempt> EndToEndTest::AttemptsOf(const v1::ListAttemptsRequest& request) {
  grpc::ClientContext context;
  v1::ListAttemptsResponse response;
  const grpc::Status status = deliveries_->ListAttempts(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return {response.attempts().begin(), response.attempts().end()};
}

v1::Event PlatformEvent() {
  v1::Event event;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(kPlatformEvent, &event).ok());
  return event;
}

v1::Event SmallEvent(const std::string& type) {
  v1::Event event;
  event.set_type(type);
  event.set_organization(kOrganization);
  return event;
}

std::string FieldOf(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::BadRequest bad_request;
  for (const auto& detail : details.details()) {
    if (detail.Is<google::rpc::BadRequest>()) detail.UnpackTo(&bad_request);
  }
  return bad_request.field_violations_size() == 1 ? bad_request.field_violations(0).field() : "";
}

}  // namespace postrider
