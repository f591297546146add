#include "gateway/accept/utf8.h"

#include <cstdint>
#include <cstring>
#include <string>

namespace postrider {
namespace {

struct LeadByte {
  size_t bytes = 0;  // 0: begins no sequence.
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

// The table of well-formed sequences (Unicode, table 3-7): only the second byte's range varies.
LeadByte Classify(uint8_t lead) {
  if (lead < 0x80) return {.bytes = 1};
  if (lead < 0xC2) return {};
  if (lead < 0xE0) return {.bytes = 2};
  if (lead == 0xE0) return {.bytes = 3, .second_min = 0xA0};
  if (lead == 0xED) return {.bytes = 3, .second_max = 0x9F};
  if (lead < 0xF0) return {.bytes = 3};
  if (lead == 0xF0) return {.bytes = 4, .second_min = 0x90};
  if (lead < 0xF4) return {.bytes = 4};
  if (lead == 0xF4) return {.bytes = 4, .second_max = 0x8F};
  return {};
}

uint8_t ByteAt(absl::string_view text, size_t place) { return static_cast<uint8_t>(text[place]); }

}  // namespace

size_t Utf8SequenceBytes(absl::string_view text) {
  if (text.empty()) return 0;
  const LeadByte lead = Classify(ByteAt(text, 0));
  if (lead.bytes == 0 || lead.bytes > text.size()) return 0;
  if (lead.bytes == 1) return 1;
  if (ByteAt(text, 1) < lead.second_min || ByteAt(text, 1) > lead.second_max) return 0;
  for (size_t i = 2; i < lead.bytes; ++i) {
    if ((ByteAt(text, i) & 0xC0) != 0x80) return 0;
  }
  return lead.bytes;
}

size_t ValidUtf8Prefix(absl::string_view text) {
  size_t place = 0;
  while (place < text.size()) {
    uint64_t eight = 0;
    if (text.size() - place >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + place, sizeof(eight));
      if ((eight & 0x8080808080808080ULL) == 0) {
        place += sizeof(eight);
        continue;
      }
    }
    const size_t bytes = Utf8SequenceBytes(text.substr(place));
    if (bytes == 0) return place;
    place += bytes;
  }
  return place;
}

void AppendUtf8(char32_t code_point, std::string* out) {
  const auto tail = [code_point](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out->append({static_cast<char>(0xC0 | code_point >> 6), tail(0)});
  } else if (code_point < 0x10000) {
    out->append({static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)});
  } else {
    out->append({static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)});
  }
}

}  // namespace postrider
