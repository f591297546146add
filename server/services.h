#pragma once

#include <memory>

#include "gateway/base/clock.h"
#include "gateway/gateway.h"
#include "gateway/model/subscription.h"
#include "server/live_streams.h"

namespace grpc {
class Service;
}

namespace postrider {

// The services of the API, one file each. Handlers check, call the gateway and translate its
// answer; they never block. What they are given outlives them; they outlive the server.
std::unique_ptr<grpc::Service> MakePublisherService(Gateway* gateway, const Clock* clock,
                                                    LiveStreams* streams);
std::unique_ptr<grpc::Service> MakeEventService(Gateway* gateway);
std::unique_ptr<grpc::Service> MakeSubscriptionService(Gateway* gateway, const Clock* clock,
                                                       Verification default_verification);
std::unique_ptr<grpc::Service> MakeDeliveryService(Gateway* gateway);

}  // namespace postrider
