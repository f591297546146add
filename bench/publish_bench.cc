// Measures how fast a running gateway accepts events by gRPC, beside a service that does nothing.
//
//     publish_bench [--address HOST:PORT] [--seconds N] [--batch N]
//
// 64 calls are under way at a time. Each round measures the do-nothing service (in this process,
// over a socket too) and then the gateway, so that both meet the same noise; the last line has the
// medians and their ratio. The gateway keeps what is published: use a data directory of its own.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/arguments.h"
#include "client/publisher_client.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/random.h"
#include "grpcpp/grpcpp.h"
#include "postrider/v1/publisher.grpc.pb.h"

namespace postrider {
namespace {

constexpr int kInFlight = 64;
constexpr int kRounds = 5;

class NoOp final : public v1::PublisherService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const v1::PublishRequest*,
                                    v1::PublishResponse*) override {
    return Answer(context);
  }
  grpc::ServerUnaryReactor* PublishBatch(grpc::CallbackServerContext* context,
                                         const v1::PublishBatchRequest*,
                                         v1::PublishBatchResponse*) override {
    return Answer(context);
  }

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// An event of about 1 kB as it is delivered.
v1::Event MakeEvent() {
  v1::Event event;
  event.set_organization(absl::StrCat("bench-", SystemRandom()->Next() % 16));
  event.set_type("message.create.contact.chat");
  (*event.mutable_data())["message"].set_json("{\"text\":\"" + std::string(700, 'x') + "\"}");
  EnsureId(*SystemClock(), SystemRandom(), &event);
  return event;
}

// Keeps kInFlight calls under way until the time is over.
class Load {
 public:
  Load(const std::string& address, int batch, absl::Duration length)
      : stub_(v1::PublisherService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        batch_(batch),
        end_(SystemClock()->Monotonic() + length) {}

  // Events accepted per second.
  double Run() {
    const absl::Duration begin = SystemClock()->Monotonic();
    under_way_ = kInFlight;
    for (int i = 0; i < kInFlight; ++i) StartCall();
    {
      const MutexLock lock(&mutex_);
      while (under_way_ > 0) done_.Wait(&mutex_);
    }
    return static_cast<double>(accepted_) /
           absl::ToDoubleSeconds(SystemClock()->Monotonic() - begin);
  }

  int64_t refused() const { return refused_; }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::PublishRequest request;
    v1::PublishResponse response;
    v1::PublishBatchRequest batch_request;
    v1::PublishBatchResponse batch_response;
  };

  void StartCall() {
    auto call = std::make_shared<Call>();
    auto done = [this, call](const grpc::Status& status) { OnDone(*call, status); };
    if (batch_ == 1) {
      *call->request.mutable_event() = MakeEvent();
      stub_->async()->Publish(&call->context, &call->request, &call->response, done);
      return;
    }
    for (int i = 0; i < batch_; ++i) *call->batch_request.add_events() = MakeEvent();
    stub_->async()->PublishBatch(&call->context, &call->batch_request, &call->batch_response, done);
  }

  void OnDone(const Call& call, const grpc::Status& status) {
    int64_t refused = status.ok() ? 0 : batch_;
    for (const auto& result : call.batch_response.results()) refused += result.has_error() ? 1 : 0;
    refused_ += refused;
    accepted_ += batch_ - refused;
    if (SystemClock()->Monotonic() < end_) return StartCall();
    const MutexLock lock(&mutex_);
    if (--under_way_ == 0) done_.NotifyAll();
  }

  const std::unique_ptr<v1::PublisherService::Stub> stub_;
  const int batch_;
  const absl::Duration end_;
  std::atomic<int64_t> accepted_ = 0;
  std::atomic<int64_t> refused_ = 0;
  Mutex mutex_;
  CondVar done_;
  int under_way_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int64_t NumberOf(const Arguments& arguments, const std::string& flag, int64_t otherwise) {
  int64_t value = otherwise;
  return absl::SimpleAtoi(arguments.Get(flag), &value) && value > 0 ? value : otherwise;
}

// One comparison; the lines name the numbers.
void Compare(const std::string& no_op, const std::string& gateway, int batch,
             absl::Duration length) {
  std::vector<double> floor;
  std::vector<double> ours;
  int64_t refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    floor.push_back(Load(no_op, batch, length).Run());
    Load load(gateway, batch, length);
    ours.push_back(load.Run());
    refused += load.refused();
    std::cout << absl::StrFormat("  no-op %8.0f/s   gateway %8.0f/s\n", floor.back(), ours.back())
              << std::flush;
  }
  std::cout << absl::StrFormat("batch %d: no-op %.0f/s, gateway %.0f/s, ratio %.2f, refused %d\n",
                               batch, Median(floor), Median(ours), Median(ours) / Median(floor),
                               refused);
}

int Main(const std::vector<std::string>& words) {
  const auto arguments = Arguments::Parse(words, {"address", "seconds", "batch"});
  if (!arguments.ok()) {
    std::cerr << std::string(arguments.status().message()) << std::endl;
    return EXIT_FAILURE;
  }
  NoOp service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(8 * 1024 * 1024);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const std::string no_op = absl::StrCat("127.0.0.1:", port);
  const std::string gateway = arguments->Get("address", "127.0.0.1:50051");
  const absl::Duration length = absl::Seconds(NumberOf(*arguments, "seconds", 2));
  Compare(no_op, gateway, 1, length);
  Compare(no_op, gateway, static_cast<int>(NumberOf(*arguments, "batch", 100)), length);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace postrider

int main(int argc, char** argv) {
  return postrider::Main(std::vector<std::string>(argv + 1, argv + argc));
}
