#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "postrider/config/v1/config.pb.h"

namespace postrider {

// `grpc_address` as a flag, `--grpc-address`, and as a variable, `POSTRIDER_GRPC_ADDRESS`.
std::string FlagOf(const google::protobuf::FieldDescriptor& field);
std::string VariableOf(const google::protobuf::FieldDescriptor& field);

// Sets a field from its text: a number, `true`, an enum's name, a duration such as `1m30s`, a
// string, or several with commas between, which replace what the field has. INVALID_ARGUMENT, with
// `source` (the flag or variable) before it, if it can't be read so.
absl::Status SetFieldFromText(absl::string_view source, absl::string_view text,
                              const google::protobuf::FieldDescriptor& field,
                              config::v1::Config* config);

}  // namespace postrider
