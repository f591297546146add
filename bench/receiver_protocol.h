#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// What the benchmarks' receiver reads and answers; receiver.cc says what it all means.
namespace postrider {

// One POST, as it is handed out: little-endian, without padding.
struct Record {
  int64_t time = 0;  // When the request was there.
  std::array<char, 16> event = {};
  std::array<char, 8> group = {};
  uint32_t number = 0;
  uint16_t status = 0;  // 0: not answered.
  uint16_t attempt = 0;
};
static_assert(sizeof(Record) == 40);

enum class Behaviour { kOk, kStatus, kFlaky, kSlow, kHang };

struct Group {
  std::array<char, 8> name = {};
  Behaviour behaviour = Behaviour::kOk;
  int argument = 500;  // The status, each how many, or milliseconds.
  uint64_t requests = 0;
  uint64_t unanswered = 0;
  uint64_t unanswered_most = 0;
};

struct Request {
  std::string path;
  std::string event;
  int attempt = 0;
  size_t body_bytes = 0;
  size_t header_bytes = 0;
};

// Reads the header at the beginning of `input`; false: it is not there as a whole.
bool ReadHeader(absl::string_view input, Request* request);

// A whole response.
std::string Answer(int status, absl::string_view body);

// Has `group` answer as "ok", "status", "flaky", "slow" or "hang"; false if that is none of them or
// `argument` no positive number. An empty one leaves what was there.
bool SetBehaviour(absl::string_view name, absl::string_view argument, Group* group);

// The status with which the group answers the newest of its requests; 0: none.
int StatusOf(const Group& group);

}  // namespace postrider
