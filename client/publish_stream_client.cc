#include "client/publish_stream_client.h"

#include <deque>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "client/publisher_client.h"
#include "client/rpc_status.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/random.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "postrider/v1/publisher.grpc.pb.h"

namespace postrider {

class PublishStreamClient::Impl {
 public:
  Impl(const std::shared_ptr<grpc::ChannelInterface>& channel, OnAnswer on_answer)
      : on_answer_(std::move(on_answer)),
        stub_(v1::PublisherService::NewStub(channel)),
        stream_(stub_->PublishStream(&context_)),
        reader_([this] { ReadAnswers(); }) {}

  ~Impl() {
    if (!closed_) {
      context_.TryCancel();
      (void)Close();
    }
  }

  absl::Status Send(v1::Event event) {
    EnsureId(*SystemClock(), SystemRandom(), &event);
    v1::PublishStreamRequest request;
    request.set_sequence(next_sequence_++);
    *request.mutable_event() = std::move(event);
    {
      const MutexLock lock(&mutex_);
      unanswered_.push_back(request.event());
    }
    return stream_->Write(request) ? absl::OkStatus()
                                   : absl::UnavailableError("the stream has ended");
  }

  absl::Status Close() {
    if (!closed_) {
      closed_ = true;
      stream_->WritesDone();
      reader_.join();
      final_ = FromGrpc(stream_->Finish());
    }
    return final_;
  }

  std::vector<v1::Event> TakeUnanswered() {
    const MutexLock lock(&mutex_);
    return {std::make_move_iterator(unanswered_.begin()),
            std::make_move_iterator(unanswered_.end())};
  }

 private:
  void ReadAnswers() {
    v1::PublishStreamResponse response;
    while (stream_->Read(&response)) {
      v1::Event event;
      {
        const MutexLock lock(&mutex_);
        if (unanswered_.empty()) return;  // A server that answers more than it was asked.
        event = std::move(unanswered_.front());
        unanswered_.pop_front();
      }
      on_answer_(event, ReceiptOf(response));
    }
  }

  static absl::StatusOr<v1::PublishReceipt> ReceiptOf(const v1::PublishStreamResponse& response) {
    if (response.has_error()) {
      const google::rpc::Status& error = response.error();
      return FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(error.code()), error.message(),
                                   error.SerializeAsString()));
    }
    return response.receipt();
  }

  const OnAnswer on_answer_;
  const std::unique_ptr<v1::PublisherService::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>>
      stream_;
  uint64_t next_sequence_ = 1;
  bool closed_ = false;
  absl::Status final_;
  Mutex mutex_;
  std::deque<v1::Event> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;
};

PublishStreamClient::PublishStreamClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                         OnAnswer on_answer)
    : impl_(std::make_unique<Impl>(std::move(channel), std::move(on_answer))) {}
PublishStreamClient::~PublishStreamClient() = default;

absl::Status PublishStreamClient::Send(v1::Event event) { return impl_->Send(std::move(event)); }
absl::Status PublishStreamClient::Close() { return impl_->Close(); }
std::vector<v1::Event> PublishStreamClient::TakeUnanswered() { return impl_->TakeUnanswered(); }

}  // namespace postrider
