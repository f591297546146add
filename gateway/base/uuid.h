#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {

// A UUID of any version, as 16 bytes in network order.
class Uuid {
 public:
  // The nil UUID.
  Uuid() = default;
  explicit Uuid(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}

  // Reads the 36-character form, in either case. Nothing else: no braces, no `urn:uuid:`.
  static std::optional<Uuid> Parse(absl::string_view text);

  // Reads 16 raw bytes, as the store keeps them.
  static std::optional<Uuid> FromBytes(absl::string_view bytes);

  // A version 7 UUID: `time` to the millisecond, the other 74 bits from `random`.
  static Uuid Version7(absl::Time time, const std::array<uint64_t, 2>& random);

  // The 36-character form, lower-case.
  std::string ToString() const;

  // The 16 raw bytes; valid as long as this object.
  absl::string_view bytes() const {
    return absl::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  }

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend std::strong_ordering operator<=>(const Uuid&, const Uuid&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const Uuid& uuid) {
    return H::combine(std::move(state), uuid.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace postrider
