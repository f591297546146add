#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/base/status.h"
#include "gateway/base/uuid.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/delivery.grpc.pb.h"
#include "server/attempt_convert.h"
#include "server/letter_convert.h"
#include "server/page_token.h"
#include "server/replay_calls.h"
#include "server/services.h"
#include "server/status_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

absl::Status CheckWhose(const v1::ListAttemptsRequest& request) {
  const bool by_subscription = !request.subscription_id().empty();
  const bool by_event = !request.event_id().empty();
  if (by_subscription == by_event) {
    return InvalidField("event_id", by_event
                                        ? "and subscription_id are both given; give one of them"
                                        : "and subscription_id are both empty; give one of "
                                          "them");
  }
  if (by_subscription && !request.organization().empty()) {
    return InvalidField("organization", "belongs to event_id; leave it out with subscription_id");
  }
  if (by_event && request.organization().empty()) {
    return InvalidField("organization", "is empty; event_id needs it");
  }
  if (by_event && !Uuid::Parse(request.event_id()).has_value()) {
    return InvalidField("event_id", "is not a UUID of 36 characters");
  }
  return absl::OkStatus();
}

struct Page {
  std::string token;
  size_t size = 0;
};

absl::StatusOr<Page> PageOf(const v1::ListAttemptsRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  RETURN_IF_ERROR(CheckWhose(request));
  Page page;
  ASSIGN_OR_RETURN(page.size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(page.token, DecodePageToken(request));
  return page;
}

absl::StatusOr<Page> PageOf(const v1::ListDeadLettersRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  if (request.subscription_id().empty()) {
    return InvalidField("subscription_id", "is empty");
  }
  Page page;
  ASSIGN_OR_RETURN(page.size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(page.token, DecodePageToken(request));
  return page;
}

void PageToProto(const v1::ListDeadLettersRequest& request, const DeadLetterPage& page,
                 v1::ListDeadLettersResponse* response) {
  for (const DeadLetter& letter : page.letters) {
    DeadLetterToProto(letter, response->add_dead_letters());
  }
  if (!page.next_page.empty()) {
    response->set_next_page_token(EncodePageToken(request, page.next_page));
  }
}

class Deliveries final : public v1::DeliveryService::CallbackService {
 public:
  explicit Deliveries(Gateway* gateway) : gateway_(gateway), replays_(gateway) {}

  ServerUnaryReactor* ListAttempts(CallbackServerContext* context,
                                   const v1::ListAttemptsRequest* request,
                                   v1::ListAttemptsResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::StatusOr<Page> page = PageOf(*request);
    if (!page.ok()) {
      reactor->Finish(ToGrpc(page.status()));
      return reactor;
    }
    auto done = [this, reactor, request, response](const absl::StatusOr<AttemptPage>& attempts) {
      if (attempts.ok()) PageToProto(*request, *attempts, response);
      reactor->Finish(ToGrpc(attempts.status()));
    };
    if (request->subscription_id().empty()) {
      gateway_->ListAttemptsOfEvent(request->organization(), request->event_id(), page->token,
                                    page->size, std::move(done));
    } else {
      gateway_->ListAttemptsOfSubscription(request->subscription_id(), page->token, page->size,
                                           std::move(done));
    }
    return reactor;
  }

  ServerUnaryReactor* ListDeadLetters(CallbackServerContext* context,
                                      const v1::ListDeadLettersRequest* request,
                                      v1::ListDeadLettersResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::StatusOr<Page> page = PageOf(*request);
    if (!page.ok()) {
      reactor->Finish(ToGrpc(page.status()));
      return reactor;
    }
    gateway_->ListDeadLetters(
        request->subscription_id(), page->token, page->size,
        [reactor, request, response](const absl::StatusOr<DeadLetterPage>& letters) {
          if (letters.ok()) postrider::PageToProto(*request, *letters, response);
          reactor->Finish(ToGrpc(letters.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* Redrive(CallbackServerContext* context, const v1::RedriveRequest* request,
                              v1::RedriveResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<RedriveOrder> order = RedriveFromProto(*request);
    if (!order.ok()) {
      reactor->Finish(ToGrpc(order.status()));
      return reactor;
    }
    gateway_->Redrive(*std::move(order),
                      [reactor, response](const absl::StatusOr<RedriveResult>& result) {
                        if (result.ok()) *response = ToProto(*result);
                        reactor->Finish(ToGrpc(result.status()));
                      });
    return reactor;
  }

  ServerUnaryReactor* Purge(CallbackServerContext* context, const v1::PurgeRequest* request,
                            v1::PurgeResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<PurgeOrder> order = PurgeFromProto(*request);
    if (!order.ok()) {
      reactor->Finish(ToGrpc(order.status()));
      return reactor;
    }
    gateway_->Purge(*std::move(order), [reactor, response](const absl::StatusOr<uint64_t>& rows) {
      if (rows.ok()) response->set_purged_count(static_cast<int64_t>(*rows));
      reactor->Finish(ToGrpc(rows.status()));
    });
    return reactor;
  }

  ServerUnaryReactor* ExplainDelivery(CallbackServerContext* context,
                                      const v1::ExplainDeliveryRequest* request,
                                      v1::ExplainDeliveryResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status status = CheckExplain(*request);
    if (!status.ok()) {
      reactor->Finish(ToGrpc(status));
      return reactor;
    }
    gateway_->ExplainDelivery(
        request->organization(), request->event_id(), request->subscription_id(),
        [reactor, response](const absl::StatusOr<DeliveryExplanation>& explanation) {
          if (explanation.ok()) ExplanationToProto(*explanation, response);
          reactor->Finish(ToGrpc(explanation.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* Replay(CallbackServerContext* context, const v1::ReplayRequest* request,
                             v1::ReplayResponse* response) override {
    return replays_.Replay(context, *request, response);
  }

  ServerUnaryReactor* GetReplay(CallbackServerContext* context, const v1::GetReplayRequest* request,
                                v1::GetReplayResponse* response) override {
    return replays_.Get(context, *request, response);
  }

  ServerUnaryReactor* ListReplays(CallbackServerContext* context,
                                  const v1::ListReplaysRequest* request,
                                  v1::ListReplaysResponse* response) override {
    return replays_.List(context, *request, response);
  }

  ServerUnaryReactor* CancelReplay(CallbackServerContext* context,
                                   const v1::CancelReplayRequest* request,
                                   v1::CancelReplayResponse* response) override {
    return replays_.Cancel(context, *request, response);
  }

 private:
  void PageToProto(const v1::ListAttemptsRequest& request, const AttemptPage& page,
                   v1::ListAttemptsResponse* response) const {
    for (const ListedAttempt& listed : page.attempts) {
      AttemptToProto(listed, gateway_->SubscriptionIdOf(listed.attempt.subscription),
                     response->add_attempts());
    }
    if (!page.next_page.empty()) {
      response->set_next_page_token(EncodePageToken(request, page.next_page));
    }
  }

  Gateway* const gateway_;
  ReplayCalls replays_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDeliveryService(Gateway* gateway) {
  return std::make_unique<Deliveries>(gateway);
}

}  // namespace postrider
