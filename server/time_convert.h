#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace postrider {

// INVALID_ARGUMENT, naming `field`, unless the time is in the years 0001 to 9999 with 0 to
// 999,999,999 nanoseconds.
absl::StatusOr<absl::Time> TimeFromProto(absl::string_view field,
                                         const google::protobuf::Timestamp& timestamp);

// INVALID_ARGUMENT, naming `field`, unless it is within 10,000 years and seconds and nanoseconds
// have the same sign.
absl::StatusOr<absl::Duration> DurationFromProto(absl::string_view field,
                                                 const google::protobuf::Duration& duration);

// `time` is within the years 0001 to 9999: what is not is moved to the end that is nearer.
void TimeToProto(absl::Time time, google::protobuf::Timestamp* timestamp);

void DurationToProto(absl::Duration duration, google::protobuf::Duration* result);

}  // namespace postrider
