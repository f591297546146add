#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/struct.pb.h"

namespace postrider {

// `object` as the text that JSON.stringify would write, with the keys of each object sorted
// (JsonKeyLess): equal Structs give equal text on every machine. INVALID_ARGUMENT, naming `field`
// and the path below it, for NaN, infinities, values without a kind and more than kJsonDepthMax
// levels.
absl::StatusOr<std::string> StructToJson(absl::string_view field,
                                         const google::protobuf::Struct& object);

}  // namespace postrider
