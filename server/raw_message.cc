#include "server/raw_message.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace postrider {
namespace {

// Struct, its entry and the entry's Value are a level each; so that what is only a little too deep
// still parses and is refused with the name of its field, twice as much is let in.
constexpr int kMessageDepthMax = 2 * 3 * kJsonDepthMax;

}  // namespace

absl::Status ParseRequest(const grpc::ByteBuffer& buffer, google::protobuf::Message* message) {
  if (buffer.Length() > kBatchBytesMax) {
    return WithReason(
        absl::InvalidArgumentError(absl::StrCat("the request has ", buffer.Length(),
                                                " bytes; the limit is ", kBatchBytesMax)),
        "REQUEST_TOO_LARGE");
  }
  // The reader takes it by a pointer that is not const, but only reads.
  grpc::ProtoBufferReader reader(const_cast<grpc::ByteBuffer*>(&buffer));
  google::protobuf::io::CodedInputStream input(&reader);
  input.SetRecursionLimit(kMessageDepthMax);
  if (!reader.status().ok() || !message->ParseFromCodedStream(&input) ||
      !input.ConsumedEntireMessage()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request is not a ", std::string(message->GetDescriptor()->full_name()),
                     ", has strings that are not UTF-8, or is nested deeper than ",
                     kMessageDepthMax, " messages"));
  }
  return absl::OkStatus();
}

void SerializeResponse(const google::protobuf::Message& message, grpc::ByteBuffer* buffer) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  *buffer = grpc::ByteBuffer(&slice, 1);
}

}  // namespace postrider
