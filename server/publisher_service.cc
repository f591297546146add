#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "google/protobuf/arena.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/publisher.grpc.pb.h"
#include "server/event_convert.h"
#include "server/key_order.h"
#include "server/publish_stream.h"
#include "server/raw_message.h"
#include "server/services.h"
#include "server/status_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

absl::StatusOr<EventInput> EventOf(const ByteBuffer& buffer) {
  google::protobuf::Arena arena;
  auto& request = *google::protobuf::Arena::CreateMessage<v1::PublishRequest>(&arena);
  RETURN_IF_ERROR(ParseRequest(buffer, &request));
  if (!request.has_event()) {
    return InvalidField("event", "is missing");
  }
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  return EventFromProto("event", request.event());
}

// gRPC keeps `reactor` and `response` until Finish().
void FinishPublish(ServerUnaryReactor* reactor, ByteBuffer* response,
                   const absl::StatusOr<PublishReceipt>& receipt) {
  if (receipt.ok()) {
    v1::PublishResponse answer;
    ReceiptToProto(*receipt, &answer);
    SerializeResponse(answer, response);
  }
  reactor->Finish(ToGrpc(WithFieldPrefix("event", receipt.status())));
}

// One PublishBatch call, kept by the events that are not answered yet. Each has a result of its own
// to write to; the last one answers the call.
class BatchCall {
 public:
  BatchCall(ServerUnaryReactor* reactor, ByteBuffer* response, int events)
      : reactor_(reactor), response_(response), unanswered_(events) {
    for (int i = 0; i < events; ++i) {
      answer_.add_results();
    }
  }

  void Answer(int index, const absl::StatusOr<PublishReceipt>& receipt) {
    v1::PublishResult* result = answer_.mutable_results(index);
    if (receipt.ok()) {
      ReceiptToProto(*receipt, result->mutable_receipt());
    } else {
      *result->mutable_error() = ToRpcStatus(receipt.status());
    }
    if (unanswered_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      SerializeResponse(answer_, response_);
      reactor_->Finish(grpc::Status::OK);
    }
  }

  KeyOrder order;

 private:
  ServerUnaryReactor* const reactor_;
  ByteBuffer* const response_;
  v1::PublishBatchResponse answer_;
  std::atomic<int> unanswered_;
};

absl::Status CheckBatch(const v1::PublishBatchRequest& request) {
  if (request.events_size() == 0) {
    return InvalidField("events", "is empty; a batch has at least one event");
  }
  if (static_cast<size_t>(request.events_size()) > kBatchEventsMax) {
    return InvalidField("events", absl::StrCat("has ", request.events_size(),
                                               " events; the limit is ", kBatchEventsMax));
  }
  if (!request.GetReflection()->GetUnknownFields(request).empty()) {
    return RefuseUnknownFields("", request);
  }
  return absl::OkStatus();
}

void PublishItem(Gateway* gateway, const std::shared_ptr<BatchCall>& call, int index,
                 const v1::Event& event) {
  const std::string path = absl::StrCat("events[", index, "]");
  absl::StatusOr<EventInput> input = EventFromProto(path, event);
  if (!input.ok()) return call->Answer(index, input.status());
  const absl::Status in_order = call->order.Check(event.organization(), event.ordering_key());
  if (!in_order.ok()) return call->Answer(index, in_order);
  gateway->Publish(
      *std::move(input),
      [call, index, path, organization = event.organization(),
       key = event.ordering_key()](absl::StatusOr<PublishReceipt> receipt) {
        call->order.Note(organization, key, receipt.status());
        if (!receipt.ok()) receipt = WithFieldPrefix(path, receipt.status());
        call->Answer(index, receipt);
      },
      call->order.GateOf(call, event.organization(), event.ordering_key()));
}

using RawService = v1::PublisherService::WithRawCallbackMethod_Publish<
    v1::PublisherService::WithRawCallbackMethod_PublishBatch<
        v1::PublisherService::WithRawCallbackMethod_PublishStream<v1::PublisherService::Service>>>;

class Publisher final : public RawService {
 public:
  Publisher(Gateway* gateway, const Clock* clock, LiveStreams* streams)
      : gateway_(gateway), clock_(clock), streams_(streams) {}

  ServerUnaryReactor* Publish(CallbackServerContext* context, const ByteBuffer* request,
                              ByteBuffer* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<EventInput> event = EventOf(*request);
    if (!event.ok()) {
      reactor->Finish(ToGrpc(event.status()));
      return reactor;
    }
    gateway_->Publish(*std::move(event),
                      [reactor, response](const absl::StatusOr<PublishReceipt>& receipt) {
                        FinishPublish(reactor, response, receipt);
                      });
    return reactor;
  }

  ServerUnaryReactor* PublishBatch(CallbackServerContext* context, const ByteBuffer* buffer,
                                   ByteBuffer* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    google::protobuf::Arena arena;
    auto& request = *google::protobuf::Arena::CreateMessage<v1::PublishBatchRequest>(&arena);
    absl::Status status = ParseRequest(*buffer, &request);
    if (status.ok()) status = CheckBatch(request);
    if (!status.ok()) {
      reactor->Finish(ToGrpc(status));
      return reactor;
    }
    const auto call = std::make_shared<BatchCall>(reactor, response, request.events_size());
    for (int i = 0; i < request.events_size(); ++i) {
      PublishItem(gateway_, call, i, request.events(i));
    }
    return reactor;
  }

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* PublishStream(
      CallbackServerContext* context) override {
    return StartPublishStream(context, gateway_, clock_, streams_);
  }

 private:
  Gateway* const gateway_;
  const Clock* const clock_;
  LiveStreams* const streams_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePublisherService(Gateway* gateway, const Clock* clock,
                                                    LiveStreams* streams) {
  return std::make_unique<Publisher>(gateway, clock, streams);
}

}  // namespace postrider
