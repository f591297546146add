#include "server/time_convert.h"

#include <algorithm>
#include <cstdint>

#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr int64_t kSecondsMin = -62'135'596'800;  // 0001-01-01T00:00:00Z.
constexpr int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z.
constexpr int64_t kDurationSecondsMax = 315'576'000'000;
constexpr int32_t kNanosMax = 999'999'999;

}  // namespace

absl::StatusOr<absl::Time> TimeFromProto(absl::string_view field,
                                         const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() < kSecondsMin || timestamp.seconds() > kSecondsMax) {
    return InvalidField(field, "is not a time in the years 0001 to 9999");
  }
  if (timestamp.nanos() < 0 || timestamp.nanos() > kNanosMax) {
    return InvalidField(field, "has nanoseconds outside 0 to 999999999");
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::StatusOr<absl::Duration> DurationFromProto(absl::string_view field,
                                                 const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds < -kDurationSecondsMax || seconds > kDurationSecondsMax || nanos < -kNanosMax ||
      nanos > kNanosMax || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) {
    return InvalidField(field, "is not a duration of at most 10000 years");
  }
  return absl::Seconds(seconds) + absl::Nanoseconds(nanos);
}

void TimeToProto(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const absl::Time bounded =
      std::clamp(time, absl::FromUnixSeconds(kSecondsMin),
                 absl::FromUnixSeconds(kSecondsMax) + absl::Nanoseconds(kNanosMax));
  const int64_t seconds = absl::ToUnixSeconds(bounded);  // Rounds down, also before 1970.
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(bounded - absl::FromUnixSeconds(seconds))));
}

void DurationToProto(absl::Duration duration, google::protobuf::Duration* result) {
  absl::Duration rest;
  result->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  result->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

}  // namespace postrider
