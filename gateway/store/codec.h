#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postrider {

// Appends values to a byte string: the form in which the store keeps what is not a column.
class Encoder {
 public:
  void PutUint(uint64_t value);  // LEB128.
  void PutInt(int64_t value);    // Zigzag.
  void PutBool(bool value) { PutUint(value ? 1 : 0); }
  void PutString(absl::string_view value);  // Its length, then its bytes.
  void PutStrings(const std::vector<std::string>& values);
  void PutTime(absl::Time value);          // To the microsecond.
  void PutDuration(absl::Duration value);  // To the nanosecond.

  std::string Take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads them back in the same order. After a malformed or missing value ok() is false and every
// further value is zero or empty.
class Decoder {
 public:
  // `bytes` outlive this.
  explicit Decoder(absl::string_view bytes) : bytes_(bytes) {}

  uint64_t Uint();
  int64_t Int();
  bool Bool() { return Uint() != 0; }
  std::string String();
  std::vector<std::string> Strings();
  absl::Time Time();
  absl::Duration Duration();

  // The number of values that follow, each of at least one byte: never more than the bytes left.
  size_t Count();

  bool ok() const { return ok_; }

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

// Microseconds since 1970, as times are stored. The infinite times are the extreme values.
int64_t ToStoredTime(absl::Time time);
absl::Time FromStoredTime(int64_t micros);

}  // namespace postrider
