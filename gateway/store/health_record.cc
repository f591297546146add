#include "gateway/store/health_record.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/store/codec.h"

namespace postrider {
namespace {

constexpr uint64_t kRecordVersion = 1;
constexpr uint64_t kBreakerMax = static_cast<uint64_t>(Breaker::kHalfOpen);

void PutOptionalTime(const std::optional<absl::Time>& time, Encoder* encoder) {
  encoder->PutBool(time.has_value());
  if (time.has_value()) {
    encoder->PutTime(*time);
  }
}

std::optional<absl::Time> GetOptionalTime(Decoder* decoder) {
  if (!decoder->Bool()) {
    return std::nullopt;
  }
  return decoder->Time();
}

}  // namespace

bool IsKept(const SubscriptionHealth& health) {
  return health.breaker != Breaker::kClosed || health.failing_since.has_value();
}

std::string EncodeHealth(const SubscriptionHealth& health) {
  Encoder encoder;
  encoder.PutUint(kRecordVersion);
  encoder.PutUint(static_cast<uint64_t>(health.breaker));
  PutOptionalTime(health.failing_since, &encoder);
  encoder.PutDuration(health.failing_observed);
  encoder.PutInt(health.failures);
  encoder.PutInt(health.failures_in_a_row);
  PutOptionalTime(health.open_since, &encoder);
  PutOptionalTime(health.next_probe, &encoder);
  encoder.PutString(health.last_error);
  return std::move(encoder).Take();
}

bool DecodeHealth(absl::string_view record, SubscriptionHealth* health) {
  Decoder decoder(record);
  if (decoder.Uint() != kRecordVersion) {
    return false;
  }
  health->breaker = static_cast<Breaker>(std::min(decoder.Uint(), kBreakerMax));
  health->failing_since = GetOptionalTime(&decoder);
  health->failing_observed = decoder.Duration();
  health->failures = static_cast<int>(decoder.Int());
  health->failures_in_a_row = static_cast<int>(decoder.Int());
  health->open_since = GetOptionalTime(&decoder);
  health->next_probe = GetOptionalTime(&decoder);
  health->last_error = decoder.String();
  return decoder.ok();
}

}  // namespace postrider
