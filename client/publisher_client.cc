#include "client/publisher_client.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "client/rpc_status.h"
#include "gateway/base/mutex.h"
#include "gateway/base/status.h"
#include "gateway/base/uuid.h"
#include "grpcpp/client_context.h"
#include "postrider/v1/publisher.grpc.pb.h"

namespace postrider {
namespace {

// How long the server asked to wait, if it did.
std::optional<absl::Duration> AskedWait(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryPayload);
  int64_t milliseconds = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) {
    return std::nullopt;
  }
  return absl::Milliseconds(milliseconds);
}

bool MayRetry(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         (absl::IsResourceExhausted(status) && AskedWait(status).has_value());
}

void WaitHere(const Clock& clock, absl::Duration duration) {
  const absl::Duration end = clock.Monotonic() + duration;
  Mutex mutex;
  CondVar never;
  const MutexLock lock(&mutex);
  for (absl::Duration left = duration; left > absl::ZeroDuration();
       left = end - clock.Monotonic()) {
    never.WaitFor(&mutex, left);
  }
}

}  // namespace

class PublisherClient::Impl {
 public:
  Impl(const std::shared_ptr<grpc::ChannelInterface>& channel, Options options)
      : options_(std::move(options)), stub_(v1::PublisherService::NewStub(channel)) {
    if (!options_.wait) {
      options_.wait = [this](absl::Duration duration) { WaitHere(*options_.clock, duration); };
    }
  }

  absl::StatusOr<v1::PublishResponse> Publish(v1::Event event) {
    v1::PublishRequest request;
    *request.mutable_event() = std::move(event);
    EnsureId(*options_.clock, options_.random, request.mutable_event());
    const absl::Duration end = options_.clock->Monotonic() + options_.deadline;
    absl::Duration wait = options_.wait_min;
    while (true) {
      absl::StatusOr<v1::PublishResponse> response =
          Attempt(request, end - options_.clock->Monotonic());
      if (response.ok() || !MayRetry(response.status())) return response;
      const absl::Duration chosen =
          std::max(Jittered(wait), AskedWait(response.status()).value_or(absl::ZeroDuration()));
      const absl::Duration left = end - options_.clock->Monotonic();
      if (chosen >= left) return response;
      if (options_.on_failure) options_.on_failure(response.status(), left);
      options_.wait(chosen);
      wait = std::min(2 * wait, options_.wait_max);
    }
  }

 private:
  absl::StatusOr<v1::PublishResponse> Attempt(const v1::PublishRequest& request,
                                              absl::Duration left) {
    grpc::ClientContext context;
    context.set_deadline(
        absl::ToChronoTime(options_.clock->Now() + std::min(left, options_.attempt_deadline)));
    v1::PublishResponse response;
    const absl::Status status = FromGrpc(stub_->Publish(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::Duration Jittered(absl::Duration wait) {
    const double fraction = static_cast<double>(options_.random->Next() >> 11) / (1ULL << 53);
    return wait * (1 - fraction / 2);
  }

  Options options_;
  const std::unique_ptr<v1::PublisherService::Stub> stub_;
};

PublisherClient::PublisherClient(std::shared_ptr<grpc::ChannelInterface> channel, Options options)
    : impl_(std::make_unique<Impl>(std::move(channel), std::move(options))) {}
PublisherClient::~PublisherClient() = default;

absl::StatusOr<v1::PublishResponse> PublisherClient::Publish(v1::Event event) {
  return impl_->Publish(std::move(event));
}

void EnsureId(const Clock& clock, Random* random, v1::Event* event) {
  if (event->id().empty()) {
    event->set_id(Uuid::Version7(clock.Now(), {random->Next(), random->Next()}).ToString());
  }
}

}  // namespace postrider
