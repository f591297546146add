#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace postrider {

// Parses what a client sent. gRPC's own parsing allows 100 levels of messages, of which one level
// of a google.protobuf.Struct takes three, and answers INTERNAL beyond; this allows all that
// kJsonDepthMax does and answers INVALID_ARGUMENT; so it does above kBatchBytesMax.
absl::Status ParseRequest(const grpc::ByteBuffer& buffer, google::protobuf::Message* message);

// Writes what a client is to be sent.
void SerializeResponse(const google::protobuf::Message& message, grpc::ByteBuffer* buffer);

}  // namespace postrider
