#include "server/replay_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/status.h"
#include "server/status_convert.h"
#include "server/time_convert.h"
#include "server/unknown_fields.h"

namespace postrider {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using Found = absl::StatusOr<ReplayRecord>;

absl::Status CheckId(absl::string_view field, const std::string& id) {
  return id.empty() ? InvalidField(field, "is empty") : absl::OkStatus();
}

// The wish of a request without unknown fields.
absl::StatusOr<ReplayWish> WishOf(const v1::ReplayRequest& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  RETURN_IF_ERROR(CheckId("subscription_id", request.subscription_id()));
  ReplayWish wish;
  wish.subscription_id = request.subscription_id();
  if (!request.has_since()) {
    return InvalidField("since", "is missing");
  }
  ASSIGN_OR_RETURN(wish.since, TimeFromProto("since", request.since()));
  if (request.has_until()) {
    ASSIGN_OR_RETURN(wish.until, TimeFromProto("until", request.until()));
  }
  wish.event_types.assign(request.event_types().begin(), request.event_types().end());
  if (request.has_rate()) {
    wish.rate = request.rate();
    if (wish.rate == 0) {  // To the engine 0 is no limit.
      return InvalidField("rate", "is 0; leave it out for no limit");
    }
  }
  return wish;
}

v1::ReplayState StateToProto(ReplayState state) {
  switch (state) {
    case ReplayState::kRunning: return v1::REPLAY_STATE_RUNNING;
    case ReplayState::kDone: return v1::REPLAY_STATE_DONE;
    case ReplayState::kCanceled: return v1::REPLAY_STATE_CANCELED;
  }
  return v1::REPLAY_STATE_UNSPECIFIED;
}

void ReplayToProto(const ReplayRecord& record, std::string subscription_id, v1::Replay* result) {
  const Replay& replay = *record.replay;
  result->set_id(replay.id);
  result->set_subscription_id(std::move(subscription_id));
  TimeToProto(replay.since, result->mutable_since());
  TimeToProto(replay.until, result->mutable_until());
  result->mutable_event_types()->Assign(replay.event_types.begin(), replay.event_types.end());
  if (replay.rate > 0) {
    result->set_rate(replay.rate);
  }
  result->set_state(StateToProto(replay.state));
  ReplayPosition sum;
  uint64_t left = 0;
  for (const ReplayPosition& position : record.positions) {
    left += position.left();
    sum.delivered += position.delivered;
    sum.failed += position.failed;
  }
  // The last position that was written may be behind the end.
  result->set_events_left(replay.state == ReplayState::kDone ? 0 : static_cast<int64_t>(left));
  result->set_events_sent(static_cast<int64_t>(sum.delivered + sum.failed));
  result->set_events_delivered(static_cast<int64_t>(sum.delivered));
  result->set_events_failed(static_cast<int64_t>(sum.failed));
  TimeToProto(replay.create_time, result->mutable_create_time());
  if (replay.finish_time.has_value()) {
    TimeToProto(*replay.finish_time, result->mutable_finish_time());
  }
}

// Ends a call whose response holds one replay.
template <typename Response>
void Finish(const Gateway& gateway, ServerUnaryReactor* reactor, Response* response,
            const Found& found) {
  if (found.ok()) {
    ReplayToProto(*found, gateway.SubscriptionIdOf(found->replay->subscription),
                  response->mutable_replay());
  }
  reactor->Finish(ToGrpc(found.status()));
}

template <typename Request>
absl::Status CheckReplayId(const Request& request) {
  RETURN_IF_ERROR(RefuseUnknownFields("", request));
  return CheckId("replay_id", request.replay_id());
}

}  // namespace

ServerUnaryReactor* ReplayCalls::Replay(CallbackServerContext* context,
                                        const v1::ReplayRequest& request,
                                        v1::ReplayResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<ReplayWish> wish = WishOf(request);
  if (!wish.ok()) {
    reactor->Finish(ToGrpc(wish.status()));
    return reactor;
  }
  if (!request.dry_run()) {
    gateway_->StartReplay(*std::move(wish), [this, reactor, response](const Found& found) {
      Finish(*gateway_, reactor, response, found);
    });
    return reactor;
  }
  auto done = [reactor, response](const absl::StatusOr<ReplayCount>& count) {
    if (count.ok()) {
      response->mutable_count()->set_events(static_cast<int64_t>(count->events));
      response->mutable_count()->set_complete(count->complete);
    }
    reactor->Finish(ToGrpc(count.status()));
  };
  gateway_->CountReplay(*std::move(wish), std::move(done));
  return reactor;
}

ServerUnaryReactor* ReplayCalls::Get(CallbackServerContext* context,
                                     const v1::GetReplayRequest& request,
                                     v1::GetReplayResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (const absl::Status status = CheckReplayId(request); !status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  gateway_->GetReplay(request.replay_id(), [this, reactor, response](const Found& found) {
    Finish(*gateway_, reactor, response, found);
  });
  return reactor;
}

ServerUnaryReactor* ReplayCalls::List(CallbackServerContext* context,
                                      const v1::ListReplaysRequest& request,
                                      v1::ListReplaysResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::Status status = RefuseUnknownFields("", request);
  if (status.ok()) {
    status = CheckId("subscription_id", request.subscription_id());
  }
  if (!status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  const std::string& id = request.subscription_id();
  gateway_->ListReplays(
      id, [reactor, id, response](const absl::StatusOr<std::vector<ReplayRecord>>& found) {
        for (size_t i = 0; found.ok() && i < found->size(); ++i) {
          ReplayToProto((*found)[i], id, response->add_replays());
        }
        reactor->Finish(ToGrpc(found.status()));
      });
  return reactor;
}

ServerUnaryReactor* ReplayCalls::Cancel(CallbackServerContext* context,
                                        const v1::CancelReplayRequest& request,
                                        v1::CancelReplayResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (const absl::Status status = CheckReplayId(request); !status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  gateway_->CancelReplay(request.replay_id(), [this, reactor, response](const Found& found) {
    Finish(*gateway_, reactor, response, found);
  });
  return reactor;
}

}  // namespace postrider
