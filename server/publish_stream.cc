#include "server/publish_stream.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "gateway/base/limits.h"
#include "gateway/base/mutex.h"
#include "gateway/base/status.h"
#include "google/protobuf/arena.h"
#include "grpc/grpc.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/publisher.pb.h"
#include "server/event_convert.h"
#include "server/key_order.h"
#include "server/raw_message.h"
#include "server/status_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

// One event between its being read and its answer's being written.
struct Unanswered {
  std::optional<uint64_t> sequence;
  size_t bytes = 0;
  std::optional<absl::StatusOr<PublishReceipt>> result;
};

v1::PublishStreamResponse ResponseOf(const Unanswered& answered) {
  v1::PublishStreamResponse response;
  if (answered.sequence.has_value()) {
    response.set_sequence(*answered.sequence);
  }
  if (answered.result->ok()) {
    ReceiptToProto(**answered.result, response.mutable_receipt());
  } else {
    *response.mutable_error() = ToRpcStatus(answered.result->status());
  }
  return response;
}

absl::StatusOr<EventInput> EventOf(const v1::PublishStreamRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  if (!request.has_event()) {
    return InvalidField("event", "is missing");
  }
  return EventFromProto("event", request.event());
}

// Reactions come from gRPC's threads, answers from the engine's. Whoever changes the state calls
// Pump(); one thread at a time runs it and does to the call what the state asks for, so that no two
// operations are started at once and none after Finish().
class PublishStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public LiveStream,
                            public std::enable_shared_from_this<PublishStream> {
 public:
  PublishStream(grpc::CallbackServerContext* context, Gateway* gateway, const Clock* clock,
                LiveStreams* streams)
      : context_(context), gateway_(gateway), clock_(clock), streams_(streams) {}

  void Start() {
    {
      const MutexLock lock(&mutex_);
      self_ = shared_from_this();
    }
    streams_->Add(shared_from_this());
    Pump();
  }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void EndIfStalled(absl::Duration now) override;
  void Drain() override;

 private:
  enum class Action { kNone, kRead, kWrite, kCancel, kFinish };

  Action NextAction() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Perform(Action action);
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes in what was read. Its index among all that was ever read; none if the call is ending.
  std::optional<uint64_t> Admit(const v1::PublishStreamRequest& request, size_t bytes)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void PublishRead() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnPublished(uint64_t index, const std::string& organization, const std::string& key,
                   absl::StatusOr<PublishReceipt> result) ABSL_LOCKS_EXCLUDED(mutex_);
  void Cut(absl::Status reason) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(uint64_t index, absl::StatusOr<PublishReceipt> result) ABSL_LOCKS_EXCLUDED(mutex_);

  grpc::CallbackServerContext* const context_;  // Valid until OnDone().
  Gateway* const gateway_;
  const Clock* const clock_;
  LiveStreams* const streams_;
  KeyOrder order_;

  // Each belongs to the operation that is under way, else to who starts it.
  grpc::ByteBuffer read_buffer_;
  grpc::ByteBuffer write_buffer_;
  grpc::Status final_status_;

  Mutex mutex_;
  std::shared_ptr<PublishStream> self_ ABSL_GUARDED_BY(mutex_);  // Until OnDone().
  std::deque<Unanswered> unanswered_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_index_ ABSL_GUARDED_BY(mutex_) = 0;  // Of unanswered_.front().
  size_t unanswered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t writing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;      // Of the event whose answer is written.
  absl::Duration writing_since_ ABSL_GUARDED_BY(mutex_);  // When its writing began.
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool reads_ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status cut_ ABSL_GUARDED_BY(mutex_);  // Not OK: nothing more is read, and so it ends.
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;  // Because of stalled_.
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;      // Nothing can be written any more.
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

PublishStream::Action PublishStream::NextAction() {
  if (finished_) {
    return Action::kNone;
  }
  if (stalled_ && !cancelling_) {
    cancelling_ = true;
    return Action::kCancel;
  }
  const bool all_answered = unanswered_.empty() && !writing_;
  if (!writing_ && (broken_ || (all_answered && (reads_ended_ || !cut_.ok())))) {
    finished_ = true;
    final_status_ = broken_        ? grpc::Status::CANCELLED
                    : reads_ended_ ? grpc::Status::OK
                                   : ToGrpc(cut_);
    return Action::kFinish;
  }
  if (!writing_ && !unanswered_.empty() && unanswered_.front().result.has_value()) {
    SerializeResponse(ResponseOf(unanswered_.front()), &write_buffer_);
    writing_bytes_ = unanswered_.front().bytes;
    writing_since_ = clock_->Monotonic();
    unanswered_.pop_front();
    ++first_index_;
    writing_ = true;
    return Action::kWrite;
  }
  if (!reading_ && !reads_ended_ && cut_.ok() && !broken_ &&
      unanswered_.size() + (writing_ ? 1 : 0) < kStreamUnackedEventsMax &&
      unanswered_bytes_ < kStreamUnackedBytesMax) {
    reading_ = true;
    return Action::kRead;
  }
  return Action::kNone;
}

void PublishStream::Perform(Action action) {
  switch (action) {
    case Action::kNone: break;
    case Action::kRead: StartRead(&read_buffer_); break;
    case Action::kWrite: StartWrite(&write_buffer_); break;
    case Action::kCancel:
      // Not Finish(): its status would wait behind the answers that are not read.
      grpc_call_cancel_with_status(context_->c_call(), GRPC_STATUS_RESOURCE_EXHAUSTED,
                                   "the client did not read an answer for 60 seconds", nullptr);
      break;
    case Action::kFinish: Finish(final_status_); break;
  }
}

void PublishStream::Pump() {
  const std::shared_ptr<PublishStream> keep = shared_from_this();  // Finish() may lead to OnDone().
  mutex_.Lock();
  if (pumping_) {
    mutex_.Unlock();
    return;  // Who pumps will see what has changed.
  }
  pumping_ = true;
  Action action = NextAction();
  while (action != Action::kNone) {
    mutex_.Unlock();
    Perform(action);
    mutex_.Lock();
    action = NextAction();
  }
  pumping_ = false;
  mutex_.Unlock();
}

std::optional<uint64_t> PublishStream::Admit(const v1::PublishStreamRequest& request,
                                             size_t bytes) {
  const MutexLock lock(&mutex_);
  if (finished_ || !cut_.ok() || broken_) {
    return std::nullopt;
  }
  Unanswered& added = unanswered_.emplace_back();
  if (request.has_sequence()) {
    added.sequence = request.sequence();
  }
  added.bytes = bytes;
  unanswered_bytes_ += bytes;
  return first_index_ + unanswered_.size() - 1;
}

void PublishStream::PublishRead() {
  google::protobuf::Arena arena;
  auto& request = *google::protobuf::Arena::CreateMessage<v1::PublishStreamRequest>(&arena);
  const absl::Status parsed = ParseRequest(read_buffer_, &request);
  const std::optional<uint64_t> index = Admit(request, read_buffer_.Length());
  if (!index.has_value()) {
    return;
  }
  if (!parsed.ok()) return Answer(*index, parsed);
  absl::StatusOr<EventInput> event = EventOf(request);
  if (!event.ok()) return Answer(*index, event.status());
  const std::string& organization = request.event().organization();
  const std::string& key = request.event().ordering_key();
  const absl::Status in_order = order_.Check(organization, key);
  if (!in_order.ok()) return Answer(*index, in_order);
  gateway_->Publish(
      *std::move(event),
      [keep = shared_from_this(), index, organization,
       key](absl::StatusOr<PublishReceipt> receipt) {
        keep->OnPublished(*index, organization, key, std::move(receipt));
      },
      order_.GateOf(shared_from_this(), organization, key));
}

void PublishStream::OnPublished(uint64_t index, const std::string& organization,
                                const std::string& key, absl::StatusOr<PublishReceipt> result) {
  if (!result.ok()) {
    order_.Note(organization, key, result.status());
    if (order_.Full()) {
      Cut(WithReason(
          absl::UnavailableError("events of too many ordering keys were refused; publish "
                                 "again, in order, in a new stream"),
          "TOO_MANY_KEYS_REFUSED"));
    }
    result = WithFieldPrefix("event", result.status());
  }
  Answer(index, std::move(result));
}

void PublishStream::Cut(absl::Status reason) {
  const MutexLock lock(&mutex_);
  if (cut_.ok()) {
    cut_ = WithRetry(std::move(reason), absl::Seconds(1));
  }
}

void PublishStream::Answer(uint64_t index, absl::StatusOr<PublishReceipt> result) {
  {
    const MutexLock lock(&mutex_);
    unanswered_[index - first_index_].result = std::move(result);
  }
  Pump();
}

void PublishStream::OnReadDone(bool ok) {
  if (ok) {
    PublishRead();  // Before the next read is started, so that the order is kept.
  }
  {
    const MutexLock lock(&mutex_);
    reading_ = false;
    reads_ended_ = reads_ended_ || !ok;
  }
  Pump();
}

void PublishStream::OnWriteDone(bool ok) {
  {
    const MutexLock lock(&mutex_);
    writing_ = false;
    unanswered_bytes_ -= writing_bytes_;
    broken_ = broken_ || !ok;
  }
  Pump();
}

void PublishStream::OnCancel() {
  {
    const MutexLock lock(&mutex_);
    broken_ = true;
  }
  Pump();
}

void PublishStream::OnDone() {
  streams_->Remove(shared_from_this());
  std::shared_ptr<PublishStream> last;
  const MutexLock lock(&mutex_);
  last = std::move(self_);
}

void PublishStream::EndIfStalled(absl::Duration now) {
  {
    const MutexLock lock(&mutex_);
    if (!writing_ || now - writing_since_ < kStreamUnreadAcksMax) {
      return;
    }
    stalled_ = true;
  }
  Pump();
}

void PublishStream::Drain() {
  Cut(absl::UnavailableError("the gateway is stopping"));
  Pump();
}

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartPublishStream(
    grpc::CallbackServerContext* context, Gateway* gateway, const Clock* clock,
    LiveStreams* streams) {
  const auto stream = std::make_shared<PublishStream>(context, gateway, clock, streams);
  stream->Start();
  return stream.get();
}

}  // namespace postrider
