#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "server/grpc_server.h"
#include "tests/unit/server/fake_engine.h"

namespace postrider {

// A clock that moves when it is told to. Thread-safe.
class ManualClock : public Clock {
 public:
  absl::Time Now() const override { return SystemClock()->Now(); }
  absl::Duration Monotonic() const override {
    const MutexLock lock(&mutex_);
    return monotonic_;
  }
  void Advance(absl::Duration by) {
    const MutexLock lock(&mutex_);
    monotonic_ += by;
  }

 private:
  mutable Mutex mutex_;
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(1000);
};

// A real gRPC server on a free port of loopback, with an engine of the test's own behind it.
class ServerTest : public testing::Test {
 protected:
  ServerTest() : gateway_(engine_.MakeGateway()) {
    auto server = GrpcServer::Start(gateway_.get(), &clock_, {});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                   grpc::InsecureChannelCredentials());
  }
  ~ServerTest() override {
    server_->Drain();
    gateway_->Stop(absl::Seconds(1));
    server_->Shutdown(absl::Seconds(5));
  }

  FakeEngine engine_;
  ManualClock clock_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// The detail of this type in a status; a default one if it is not there.
template <typename Detail>
Detail DetailOf(const google::rpc::Status& status) {
  Detail found;
  for (const auto& detail : status.details()) {
    if (detail.Is<Detail>()) detail.UnpackTo(&found);
  }
  return found;
}

// The same of a call's end.
template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status rpc_status;
  EXPECT_TRUE(rpc_status.ParseFromString(status.error_details()));
  return DetailOf<Detail>(rpc_status);
}

// The path of the only wrong field.
inline std::string FieldOf(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  return bad_request.field_violations_size() == 1 ? bad_request.field_violations(0).field() : "";
}

}  // namespace postrider
