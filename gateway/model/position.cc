#include "gateway/model/position.h"

#include <algorithm>

#include "gateway/base/check.h"
#include "gateway/base/limits.h"

namespace postrider {

void SettledBitmap::Add(uint64_t offset) {
  CHECK(offset < kReaderWindowMax);
  if (offset / 64 >= words_.size()) {
    words_.resize(offset / 64 + 1);
  }
  words_[offset / 64] |= uint64_t{1} << (offset % 64);
}

std::string SettledBitmap::ToBytes() const {
  std::string bytes;
  bytes.reserve(words_.size() * 8);
  for (const uint64_t word : words_) {
    for (int i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<char>(word >> (8 * i) & 0xFF));
    }
  }
  while (!bytes.empty() && bytes.back() == '\0') {
    bytes.pop_back();
  }
  return bytes;
}

SettledBitmap SettledBitmap::FromBytes(const std::string& bytes) {
  SettledBitmap bitmap;
  const size_t size = std::min<size_t>(bytes.size(), kReaderWindowMax / 8);
  bitmap.words_.resize((size + 7) / 8);
  for (size_t i = 0; i < size; ++i) {
    bitmap.words_[i / 8] |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * (i % 8));
  }
  return bitmap;
}

}  // namespace postrider
