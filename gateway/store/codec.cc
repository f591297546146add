#include "gateway/store/codec.h"

#include <limits>
#include <utility>

namespace postrider {

void Encoder::PutUint(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void Encoder::PutInt(int64_t value) {
  PutUint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void Encoder::PutString(absl::string_view value) {
  PutUint(value.size());
  bytes_.append(value.data(), value.size());
}

void Encoder::PutStrings(const std::vector<std::string>& values) {
  PutUint(values.size());
  for (const std::string& value : values) {
    PutString(value);
  }
}

void Encoder::PutTime(absl::Time value) { PutInt(ToStoredTime(value)); }

void Encoder::PutDuration(absl::Duration value) { PutInt(absl::ToInt64Nanoseconds(value)); }

uint64_t Decoder::Uint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) == 0) {
      return value;
    }
  }
  ok_ = false;
  bytes_ = absl::string_view();
  return 0;
}

int64_t Decoder::Int() {
  const uint64_t value = Uint();
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

std::string Decoder::String() {
  const uint64_t size = Uint();
  if (size > bytes_.size()) {
    ok_ = false;
    bytes_ = absl::string_view();
    return std::string();
  }
  std::string value(bytes_.data(), size);
  bytes_.remove_prefix(size);
  return value;
}

size_t Decoder::Count() {
  const uint64_t count = Uint();
  if (count > bytes_.size()) {
    ok_ = false;
    bytes_ = absl::string_view();
    return 0;
  }
  return count;
}

std::vector<std::string> Decoder::Strings() {
  std::vector<std::string> values(Count());
  for (std::string& value : values) {
    value = String();
  }
  return values;
}

absl::Time Decoder::Time() { return FromStoredTime(Int()); }

absl::Duration Decoder::Duration() { return absl::Nanoseconds(Int()); }

int64_t ToStoredTime(absl::Time time) {
  if (time == absl::InfiniteFuture()) {
    return std::numeric_limits<int64_t>::max();
  }
  if (time == absl::InfinitePast()) {
    return std::numeric_limits<int64_t>::min();
  }
  return absl::ToUnixMicros(time);
}

absl::Time FromStoredTime(int64_t micros) {
  if (micros == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteFuture();
  }
  if (micros == std::numeric_limits<int64_t>::min()) {
    return absl::InfinitePast();
  }
  return absl::FromUnixMicros(micros);
}

}  // namespace postrider
