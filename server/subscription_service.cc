#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gateway/accept/names.h"
#include "gateway/base/status.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/subscription_service.grpc.pb.h"
#include "server/page_token.h"
#include "server/services.h"
#include "server/status_convert.h"
#include "server/subscription_calls.h"
#include "server/subscription_convert.h"
#include "server/subscription_update.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using Found = absl::StatusOr<std::shared_ptr<const Subscription>>;
using FoundAll = absl::StatusOr<std::vector<std::shared_ptr<const Subscription>>>;

absl::Status CheckNewId(const std::string& id) {
  return id.empty() ? absl::OkStatus() : ValidateSubscriptionId("subscription_id", id);
}

absl::Status CheckId(absl::string_view field, const std::string& id) {
  return id.empty() ? InvalidField(field, "is empty") : absl::OkStatus();
}

template <typename Request>
absl::Status CheckById(const Request& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  return CheckId("subscription_id", request.subscription_id());
}

// Ends a call that was wrong. Returns the reactor, as handlers must.
ServerUnaryReactor* Refuse(ServerUnaryReactor* reactor, const absl::Status& status) {
  reactor->Finish(ToGrpc(status));
  return reactor;
}

absl::Status CheckOrganization(const SubscriptionUpdate& update, const Subscription& stored) {
  const std::string& organization = update.subscription.organization;
  if (organization.empty() || organization == stored.organization) {
    return absl::OkStatus();
  }
  return InvalidField("subscription.organization",
                      absl::StrCat("can't be changed; it is `", stored.organization, "`"));
}

absl::StatusOr<ListSubscriptionsQuery> QueryOf(const v1::ListSubscriptionsRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  ListSubscriptionsQuery query;
  query.organization = request.organization();
  if (query.organization.empty()) {
    return InvalidField("organization", "is empty");
  }
  ASSIGN_OR_RETURN(query.limit, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(query.after_id, DecodePageToken(request));
  return query;
}

class Subscriptions final : public v1::SubscriptionService::CallbackService {
 public:
  Subscriptions(Gateway* gateway, const Clock* clock, Verification default_verification)
      : gateway_(gateway), clock_(clock), default_verification_(default_verification) {}

  ServerUnaryReactor* CreateSubscription(CallbackServerContext* context,
                                         const v1::CreateSubscriptionRequest* request,
                                         v1::CreateSubscriptionResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<Subscription> subscription = ToCreate(*request);
    if (!subscription.ok()) return Refuse(reactor, subscription.status());
    gateway_->CreateSubscription(*std::move(subscription),
                                 [this, reactor, response](const Found& found) {
                                   Finish(reactor, response, found, /*with_secrets=*/true);
                                 });
    return reactor;
  }

  ServerUnaryReactor* GetSubscription(CallbackServerContext* context,
                                      const v1::GetSubscriptionRequest* request,
                                      v1::GetSubscriptionResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status status = CheckById(*request);
    if (!status.ok()) return Refuse(reactor, status);
    gateway_->GetSubscription(request->subscription_id(),
                              [this, reactor, response](const Found& found) {
                                Finish(reactor, response, found, /*with_secrets=*/false);
                              });
    return reactor;
  }

  ServerUnaryReactor* ListSubscriptions(CallbackServerContext* context,
                                        const v1::ListSubscriptionsRequest* request,
                                        v1::ListSubscriptionsResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::StatusOr<ListSubscriptionsQuery> query = QueryOf(*request);
    if (!query.ok()) return Refuse(reactor, query.status());
    gateway_->ListSubscriptions(
        *query, [this, reactor, request, response, limit = query->limit](const FoundAll& found) {
          if (found.ok()) PageToProto(*request, limit, *found, response);
          reactor->Finish(ToGrpc(found.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* UpdateSubscription(CallbackServerContext* context,
                                         const v1::UpdateSubscriptionRequest* request,
                                         v1::UpdateSubscriptionResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<SubscriptionUpdate> update = ToUpdate(*request);
    if (!update.ok()) return Refuse(reactor, update.status());
    const std::string id = update->subscription.id;
    gateway_->GetSubscription(
        id, [this, reactor, response, update = *std::move(update)](const Found& found) mutable {
          Update(reactor, response, std::move(update), found);
        });
    return reactor;
  }

  ServerUnaryReactor* DeleteSubscription(CallbackServerContext* context,
                                         const v1::DeleteSubscriptionRequest* request,
                                         v1::DeleteSubscriptionResponse*) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status status = CheckById(*request);
    if (!status.ok()) return Refuse(reactor, status);
    gateway_->DeleteSubscription(request->subscription_id(), request->etag(),
                                 [reactor](const absl::StatusOr<bool>& deleted) {
                                   reactor->Finish(ToGrpc(deleted.status()));
                                 });
    return reactor;
  }

  ServerUnaryReactor* PauseSubscription(CallbackServerContext* context,
                                        const v1::PauseSubscriptionRequest* request,
                                        v1::PauseSubscriptionResponse* response) override {
    return Change(context, *request, response, &Gateway::PauseSubscription);
  }

  ServerUnaryReactor* ResumeSubscription(CallbackServerContext* context,
                                         const v1::ResumeSubscriptionRequest* request,
                                         v1::ResumeSubscriptionResponse* response) override {
    return Change(context, *request, response, &Gateway::ResumeSubscription);
  }

  ServerUnaryReactor* EnableSubscription(CallbackServerContext* context,
                                         const v1::EnableSubscriptionRequest* request,
                                         v1::EnableSubscriptionResponse* response) override {
    return Change(context, *request, response, &Gateway::EnableSubscription);
  }

  ServerUnaryReactor* VerifySubscription(CallbackServerContext* context,
                                         const v1::VerifySubscriptionRequest* request,
                                         v1::VerifySubscriptionResponse* response) override {
    return Change(context, *request, response, &Gateway::VerifySubscription);
  }

  ServerUnaryReactor* TestSubscription(CallbackServerContext* context,
                                       const v1::TestSubscriptionRequest* request,
                                       v1::TestSubscriptionResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<SubscriptionTest> test = TestFromProto(*request);
    if (!test.ok()) return Refuse(reactor, test.status());
    gateway_->TestSubscription(
        *std::move(test),
        [this, reactor, response](const absl::StatusOr<TestedSubscription>& tested) {
          if (tested.ok()) {
            Show(*tested->subscription, /*with_secrets=*/false, response->mutable_subscription());
            TestedToProto(*tested, response);
          }
          reactor->Finish(ToGrpc(tested.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* RotateSecret(CallbackServerContext* context,
                                   const v1::RotateSecretRequest* request,
                                   v1::RotateSecretResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<SecretRotation> rotation = RotationFromProto(*request);
    if (!rotation.ok()) return Refuse(reactor, rotation.status());
    gateway_->RotateSecret(*std::move(rotation), [this, reactor, response](const Found& found) {
      if (found.ok()) {
        Show(**found, /*with_secrets=*/false, response->mutable_subscription());
        SecretToProto((*found)->secrets.back(), response->mutable_secret());
      }
      reactor->Finish(ToGrpc(found.status()));
    });
    return reactor;
  }

 private:
  void Show(const Subscription& subscription, bool with_secrets, v1::Subscription* shown) const {
    SubscriptionToProto(subscription, gateway_->HealthOf(subscription.number), with_secrets, shown);
  }

  // Ends a call whose response holds one subscription.
  template <typename Response>
  void Finish(ServerUnaryReactor* reactor, Response* response, const Found& found,
              bool with_secrets) const {
    if (found.ok()) {
      Show(**found, with_secrets, response->mutable_subscription());
    }
    reactor->Finish(ToGrpc(WithFieldPrefix("subscription", found.status())));
  }

  // A call that changes one fact and answers with the subscription.
  template <typename Request, typename Response>
  ServerUnaryReactor* Change(CallbackServerContext* context, const Request& request,
                             Response* response,
                             void (Gateway::*call)(SubscriptionTarget, Gateway::SubscriptionDone)) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<SubscriptionTarget> target = TargetFromProto(request);
    if (!target.ok()) return Refuse(reactor, target.status());
    (gateway_->*call)(*std::move(target), [this, reactor, response](const Found& found) {
      Finish(reactor, response, found, /*with_secrets=*/false);
    });
    return reactor;
  }

  // Fills a page; there is another one if the entries or the bytes reached their bound.
  void PageToProto(const v1::ListSubscriptionsRequest& request, size_t limit,
                   const std::vector<std::shared_ptr<const Subscription>>& subscriptions,
                   v1::ListSubscriptionsResponse* response) const {
    size_t bytes = 0;
    for (const auto& subscription : subscriptions) {
      v1::Subscription* added = response->add_subscriptions();
      Show(*subscription, /*with_secrets=*/false, added);
      bytes += added->ByteSizeLong();
      const bool full = static_cast<size_t>(response->subscriptions_size()) == limit;
      if (full || bytes >= kPageBytesMax) {
        response->set_next_page_token(EncodePageToken(request, subscription->id));
        return;
      }
    }
  }

  absl::StatusOr<Subscription> ToCreate(const v1::CreateSubscriptionRequest& request) const {
    RETURN_IF_ERROR(RefuseUnknownFields("", request));
    if (!request.has_subscription()) {
      return InvalidField("subscription", "is missing");
    }
    RETURN_IF_ERROR(CheckNewId(request.subscription_id()));
    ASSIGN_OR_RETURN(
        Subscription subscription,
        SubscriptionFromProto(request.subscription(), default_verification_, clock_->Now()));
    subscription.id = request.subscription_id();
    if (request.has_start_time()) {
      ASSIGN_OR_RETURN(subscription.start_time, TimeFromProto("start_time", request.start_time()));
      if (*subscription.start_time > clock_->Now()) {
        return InvalidField("start_time", "lies in the future");
      }
    }
    return subscription;
  }

  absl::StatusOr<SubscriptionUpdate> ToUpdate(const v1::UpdateSubscriptionRequest& request) const {
    RETURN_IF_ERROR(RefuseUnknownFields("", request));
    RETURN_IF_ERROR(CheckId("subscription.id", request.subscription().id()));
    return UpdateFromProto(request, default_verification_, clock_->Now());
  }

  // The second half of UpdateSubscription(), once it is known what is there. The organization never
  // changes, so that nothing can come between.
  void Update(ServerUnaryReactor* reactor, v1::UpdateSubscriptionResponse* response,
              SubscriptionUpdate update, const Found& found) {
    absl::Status status = found.status();
    if (status.ok()) status = CheckOrganization(update, **found);
    if (!status.ok()) {
      reactor->Finish(ToGrpc(status));
      return;
    }
    gateway_->UpdateSubscription(std::move(update),
                                 [this, reactor, response](const Found& updated) {
                                   Finish(reactor, response, updated, /*with_secrets=*/false);
                                 });
  }

  Gateway* const gateway_;
  const Clock* const clock_;
  const Verification default_verification_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSubscriptionService(Gateway* gateway, const Clock* clock,
                                                       Verification default_verification) {
  return std::make_unique<Subscriptions>(gateway, clock, default_verification);
}

}  // namespace postrider
