#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "google/protobuf/descriptor.h"
#include "server/address.h"
#include "server/config.h"
#include "server/config_fields.h"
#include "server/time_convert.h"

namespace postrider {
namespace {

using config::v1::Config;
using google::protobuf::FieldDescriptor;

struct Bounds {
  const char* field;
  int64_t min;
  int64_t max;
};

constexpr Bounds kBounds[] = {
    {"body_bytes_max", kBodyBytesMaxFloor, kBodyBytesMaxCeiling},
    {"shard_count", 1, 1024},
    {"loops", 0, 64},
    {"store_readers", 1, 16},
    {"max_in_flight_default", 1, kMaxInFlightMax},
    {"max_in_flight_total", kInFlightTotalMin, kInFlightTotalMax},
    {"max_in_flight_per_origin", 1, kInFlightPerOriginMax},
    {"store_free_bytes_min", 0, INT64_MAX},
    {"max_concurrent_streams", 1, 10'000},
    {"grpc_memory_bytes_max", 16 * 1024 * 1024, INT64_MAX},
};

constexpr absl::Duration kDrainBudgetMax = absl::Minutes(10);

absl::Status CheckBounds(const Config& config, const Bounds& bounds) {
  const FieldDescriptor* field = Config::descriptor()->FindFieldByName(bounds.field);
  const int64_t value = field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
                            ? config.GetReflection()->GetInt32(config, field)
                            : config.GetReflection()->GetInt64(config, field);
  if (value < bounds.min || value > bounds.max) {
    return InvalidField(bounds.field, absl::StrCat("is ", value, "; it must be between ",
                                                   bounds.min, " and ", bounds.max));
  }
  return absl::OkStatus();
}

absl::Status CheckDuration(absl::string_view name, const google::protobuf::Duration& duration,
                           absl::Duration max) {
  ASSIGN_OR_RETURN(const absl::Duration value, DurationFromProto(name, duration));
  if (value < absl::ZeroDuration() || value > max) {
    return InvalidField(
        name, absl::StrCat("is ", absl::FormatDuration(value), "; it must be between 0 and ",
                           absl::FormatDuration(max)));
  }
  return absl::OkStatus();
}

absl::Status CheckSchedule(const Config& config) {
  if (static_cast<size_t>(config.default_schedule_size()) > kScheduleStepsMax) {
    return InvalidField("default_schedule",
                        absl::StrCat("has ", config.default_schedule_size(),
                                     " steps; the limit is ", kScheduleStepsMax));
  }
  google::protobuf::Duration total;
  for (const auto& step : config.default_schedule()) {
    RETURN_IF_ERROR(CheckDuration("default_schedule", step, kScheduleStepMax));
    total.set_seconds(total.seconds() + step.seconds());
  }
  return CheckDuration("default_schedule", total, kScheduleTotalMax);
}

absl::Status CheckRetention(const Config& config) {
  ASSIGN_OR_RETURN(const absl::Duration retention,
                   DurationFromProto("retention", config.retention()));
  absl::Duration schedule;
  for (const auto& step : config.default_schedule()) {
    schedule += absl::Seconds(step.seconds()) + absl::Nanoseconds(step.nanos());
  }
  if (config.default_schedule().empty()) {
    schedule = kDefaultScheduleTotal;
  }
  const absl::Duration least = std::max(kRetentionMin, schedule + kRetentionMargin);
  if (retention < least || retention > kRetentionMax) {
    return InvalidField(
        "retention",
        absl::StrCat("is ", absl::FormatDuration(retention), "; it must be between ",
                     absl::FormatDuration(least), ", a day more than the default_schedule, and ",
                     absl::FormatDuration(kRetentionMax)));
  }
  return absl::OkStatus();
}

// Nobody has to prove who he is, so strangers must not reach a port unless that is wanted.
absl::Status CheckListening(absl::string_view name, const std::string& text, bool allow_insecure) {
  ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(name, text));
  if (!address.loopback && !allow_insecure) {
    return InvalidField(name, absl::StrCat("is ", text,
                                           ", which others than this machine can reach, and there "
                                           "is no authentication; give --allow-insecure if that "
                                           "is meant"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckConfig(const Config& config) {
  RETURN_IF_ERROR(CheckListening("grpc_address", config.grpc_address(), config.allow_insecure()));
  RETURN_IF_ERROR(CheckListening("admin_address", config.admin_address(), config.allow_insecure()));
  if (config.data_dir().empty()) {
    return InvalidField("data_dir", "is empty");
  }
  for (const Bounds& bounds : kBounds) {
    RETURN_IF_ERROR(CheckBounds(config, bounds));
  }
  if (!v1::Verification_IsValid(config.default_verification()) ||
      config.default_verification() == v1::VERIFICATION_UNSPECIFIED) {
    return InvalidField("default_verification",
                        "must be VERIFICATION_NONE or VERIFICATION_CHALLENGE");
  }
  RETURN_IF_ERROR(CheckSchedule(config));
  RETURN_IF_ERROR(CheckRetention(config));
  return CheckDuration("drain_budget", config.drain_budget(), kDrainBudgetMax);
}

}  // namespace postrider
