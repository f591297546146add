#pragma once

#include "gateway/gateway.h"
#include "grpcpp/server_context.h"
#include "postrider/v1/replay.pb.h"

namespace postrider {

// The calls of DeliveryService that are about replays. As the services: they check, call the
// gateway, translate its answer, and never block.
class ReplayCalls {
 public:
  // `gateway` outlives this.
  explicit ReplayCalls(Gateway* gateway) : gateway_(gateway) {}

  grpc::ServerUnaryReactor* Replay(grpc::CallbackServerContext* context,
                                   const v1::ReplayRequest& request, v1::ReplayResponse* response);
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetReplayRequest& request,
                                v1::GetReplayResponse* response);
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListReplaysRequest& request,
                                 v1::ListReplaysResponse* response);
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context,
                                   const v1::CancelReplayRequest& request,
                                   v1::CancelReplayResponse* response);

 private:
  Gateway* const gateway_;
};

}  // namespace postrider
