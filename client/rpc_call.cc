#include "client/rpc_call.h"

#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/numbers.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace postrider {
namespace {

using google::protobuf::util::JsonPrintOptions;

JsonPrintOptions JsonOptions() {
  JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  return options;
}

void PrintJson(const google::protobuf::Message& message, const JsonPrintOptions& options,
               const CommandWorld& world) {
  std::string text;
  if (google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    *world.out << text << std::flush;
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> ChannelOf(const CommandWorld& world) {
  return grpc::CreateChannel(world.address, grpc::InsecureChannelCredentials());
}

void Print(const google::protobuf::Message& message, const CommandWorld& world) {
  PrintJson(message, JsonOptions(), world);
}

void PrintWithZeros(const google::protobuf::Message& message, const CommandWorld& world) {
  JsonPrintOptions options = JsonOptions();
  options.always_print_primitive_fields = true;
  PrintJson(message, options, world);
}

absl::StatusOr<size_t> LimitOf(const Arguments& arguments) {
  size_t limit = kShownDefault;
  const std::optional<std::string> text = arguments.Find("limit");
  if (text.has_value() && (!absl::SimpleAtoi(*text, &limit) || limit == 0)) {
    return absl::InvalidArgumentError("--limit must be a number above 0");
  }
  return limit;
}

}  // namespace postrider
