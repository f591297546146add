#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "gateway/base/uuid.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/event_service.grpc.pb.h"
#include "server/event_convert.h"
#include "server/page_token.h"
#include "server/services.h"
#include "server/status_convert.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

absl::Status CheckGet(const v1::GetEventRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  if (request.organization().empty()) {
    return InvalidField("organization", "is empty");
  }
  if (!Uuid::Parse(request.event_id()).has_value()) {
    return InvalidField("event_id", "is not a UUID of 36 characters");
  }
  return absl::OkStatus();
}

absl::StatusOr<EventQuery> QueryOf(const v1::ListEventsRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  EventQuery query;
  query.organization = request.organization();
  if (query.organization.empty()) {
    return InvalidField("organization", "is empty");
  }
  query.type = request.type();
  if (request.has_start_time()) {
    ASSIGN_OR_RETURN(query.accepted_since, TimeFromProto("start_time", request.start_time()));
  }
  if (request.has_end_time()) {
    ASSIGN_OR_RETURN(query.accepted_until, TimeFromProto("end_time", request.end_time()));
    if (query.accepted_since.has_value() && *query.accepted_since >= *query.accepted_until) {
      return InvalidField("end_time", "is not later than start_time");
    }
  }
  ASSIGN_OR_RETURN(query.limit, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::string position, DecodePageToken(request));
  if (!position.empty() && !absl::SimpleAtoi(position, &query.before_seq)) {
    return InvalidField("page_token", "is not a token that this method has answered with");
  }
  return query;
}

// Fills a page; there is another one if the entries, the bytes or the bodies, which are read but
// not answered, reached their bound.
void PageToProto(const v1::ListEventsRequest& request, size_t limit,
                 const std::vector<LogEntry>& entries, v1::ListEventsResponse* response) {
  size_t bytes = 0;
  size_t body_bytes = 0;
  for (const LogEntry& entry : entries) {
    v1::StoredEvent* event = response->add_events();
    StoredEventToProto(entry, /*with_body=*/false, event);
    bytes += event->ByteSizeLong();
    body_bytes += entry.event->body.size();
    const bool full = static_cast<size_t>(response->events_size()) == limit;
    if (full || bytes >= kPageBytesMax || body_bytes >= kListedBodyBytesMax) {
      response->set_next_page_token(EncodePageToken(request, absl::StrCat(entry.seq)));
      return;
    }
  }
}

// A page of those that matched nobody; cut short by its bytes it goes on behind the last one shown.
void PageToProto(const v1::ListEventsRequest& request, size_t limit, const EventPage& page,
                 v1::ListEventsResponse* response) {
  PageToProto(request, limit, page.entries, response);
  const bool cut = static_cast<size_t>(response->events_size()) < page.entries.size();
  if (!cut) {
    response->set_next_page_token(
        page.next_before == 0 ? "" : EncodePageToken(request, absl::StrCat(page.next_before)));
  }
}

class Events final : public v1::EventService::CallbackService {
 public:
  explicit Events(Gateway* gateway) : gateway_(gateway) {}

  ServerUnaryReactor* GetEvent(CallbackServerContext* context, const v1::GetEventRequest* request,
                               v1::GetEventResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status status = CheckGet(*request);
    if (!status.ok()) {
      reactor->Finish(ToGrpc(status));
      return reactor;
    }
    gateway_->GetEvent(request->organization(), request->event_id(),
                       [reactor, response](const absl::StatusOr<LogEntry>& entry) {
                         if (entry.ok()) {
                           StoredEventToProto(*entry, true, response->mutable_event());
                         }
                         reactor->Finish(ToGrpc(entry.status()));
                       });
    return reactor;
  }

  ServerUnaryReactor* ListEvents(CallbackServerContext* context,
                                 const v1::ListEventsRequest* request,
                                 v1::ListEventsResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::StatusOr<EventQuery> query = QueryOf(*request);
    if (!query.ok()) {
      reactor->Finish(ToGrpc(query.status()));
      return reactor;
    }
    if (request->unmatched_only()) {
      gateway_->ListUnmatchedEvents(*query, [reactor, request, response, limit = query->limit](
                                                const absl::StatusOr<EventPage>& page) {
        if (page.ok()) PageToProto(*request, limit, *page, response);
        reactor->Finish(ToGrpc(page.status()));
      });
      return reactor;
    }
    gateway_->ListEvents(*query, [reactor, request, response, limit = query->limit](
                                     const absl::StatusOr<std::vector<LogEntry>>& entries) {
      if (entries.ok()) PageToProto(*request, limit, *entries, response);
      reactor->Finish(ToGrpc(entries.status()));
    });
    return reactor;
  }

 private:
  Gateway* const gateway_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEventService(Gateway* gateway) {
  return std::make_unique<Events>(gateway);
}

}  // namespace postrider
