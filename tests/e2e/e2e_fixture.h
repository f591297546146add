#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/gateway.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "postrider/v1/event_service.grpc.pb.h"
#include "postrider/v1/publisher.grpc.pb.h"
#include "postrider/v1/subscription_service.grpc.pb.h"
#include "server/grpc_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {

// A receiver that keeps what it gets. Answers 200, or what it is told; echoes challenges unless it
// is told not to.
class Receiver {
 public:
  Receiver();

  // From now on POSTs get this answer.
  void Answer(int status, std::string body) ABSL_LOCKS_EXCLUDED(mutex_);
  void RefuseChallenges() ABSL_LOCKS_EXCLUDED(mutex_);
  void EchoChallenges() ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns once `count` POSTs have come in, with all of them.
  std::vector<ReceivedRequest> WaitFor(size_t count) ABSL_LOCKS_EXCLUDED(mutex_);
  size_t count() ABSL_LOCKS_EXCLUDED(mutex_);

  std::string Url() const { return server_->Url("/hook"); }

 private:
  void Talk(ScriptedServer::Peer* peer);

  Mutex mutex_;
  CondVar came_;
  std::vector<ReceivedRequest> posts_ ABSL_GUARDED_BY(mutex_);
  int status_ ABSL_GUARDED_BY(mutex_) = 200;
  std::string body_ ABSL_GUARDED_BY(mutex_);
  bool echo_ ABSL_GUARDED_BY(mutex_) = true;
  std::unique_ptr<ScriptedServer> server_;  // Last: its threads use the others.
};

// A real gateway in a directory of its own, behind a real gRPC server, and a receiver.
class EndToEndTest : public testing::Test {
 protected:
  EndToEndTest();
  ~EndToEndTest() override;

  void StartGateway();
  void StopGateway();

  grpc::Status Publish(const v1::Event& event);
  // Creates a subscription to the receiver.
  v1::Subscription Subscribe(const std::string& pattern);
  grpc::Status Create(const v1::Subscription& subscription);
  std::vector<v1::Attempt> AttemptsOf(const v1::ListAttemptsRequest& request);

  TempDir directory_;
  GatewayOptions options_;
  Receiver receiver_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::PublisherService::Stub> publisher_;
  std::unique_ptr<v1::SubscriptionService::Stub> subscriptions_;
  std::unique_ptr<v1::EventService::Stub> events_;
  std::unique_ptr<v1::DeliveryService::Stub> deliveries_;
  v1::PublishResponse published_;  // The last answers.
  v1::CreateSubscriptionResponse created_;
};

inline constexpr char kOrganization[] = "5c138790ec944f05ff5f6d77";
inline constexpr char kEventId[] = "774ae370-02cc-11e7-ac41-c38ce8763025";

// The event that the platform's documentation prints.
v1::Event PlatformEvent();

// An event with nothing that is not required.
v1::Event SmallEvent(const std::string& type);

// The path of the only wrong field of a call's end.
std::string FieldOf(const grpc::Status& status);

}  // namespace postrider
