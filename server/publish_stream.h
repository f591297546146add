#pragma once

#include "gateway/base/clock.h"
#include "gateway/gateway.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/live_streams.h"

namespace postrider {

// Serves one PublishStream call: reads events while fewer than kStreamUnackedEventsMax and
// kStreamUnackedBytesMax are unanswered, gives them to the gateway in the order read, and writes
// their answers in the same order, one at a time. Ends with RESOURCE_EXHAUSTED when an answer can't
// be written for kStreamUnreadAcksMax.
//
// The reactor deletes itself; `gateway`, `clock` and `streams` outlive it. Events that the gateway
// still has when the call ends are finished by it all the same.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartPublishStream(
    grpc::CallbackServerContext* context, Gateway* gateway, const Clock* clock,
    LiveStreams* streams);

}  // namespace postrider
