#include "bench/receiver_protocol.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace postrider {

bool ReadHeader(absl::string_view input, Request* request) {
  const size_t end = input.find("\r\n\r\n");
  if (end == absl::string_view::npos) {
    return false;
  }
  request->header_bytes = end + 4;
  absl::string_view rest = input.substr(0, end);
  const std::vector<absl::string_view> words =
      absl::StrSplit(rest.substr(0, rest.find("\r\n")), absl::MaxSplits(' ', 2));
  request->path = words.size() > 1 ? std::string(words[1]) : "/";
  for (absl::string_view line : absl::StrSplit(rest, "\r\n")) {
    const size_t colon = line.find(": ");
    const absl::string_view value = colon == absl::string_view::npos ? "" : line.substr(colon + 2);
    if (absl::StartsWithIgnoreCase(line, "content-length:")) {
      (void)absl::SimpleAtoi(value, &request->body_bytes);
    } else if (absl::StartsWithIgnoreCase(line, "webhook-id:")) {
      request->event = std::string(value);
    } else if (absl::StartsWithIgnoreCase(line, "x-postrider-attempt:")) {
      (void)absl::SimpleAtoi(value, &request->attempt);
    }
  }
  return true;
}

std::string Answer(int status, absl::string_view body) {
  return absl::StrCat("HTTP/1.1 ", status, " Answer\r\nContent-Length: ", body.size(), "\r\n\r\n",
                      body);
}

bool SetBehaviour(absl::string_view name, absl::string_view argument, Group* group) {
  if (!argument.empty() && (!absl::SimpleAtoi(argument, &group->argument) || group->argument < 1)) {
    return false;
  }
  if (name == "ok") {
    group->behaviour = Behaviour::kOk;
  } else if (name == "status") {
    group->behaviour = Behaviour::kStatus;
  } else if (name == "flaky") {
    group->behaviour = Behaviour::kFlaky;
  } else if (name == "slow") {
    group->behaviour = Behaviour::kSlow;
  } else if (name == "hang") {
    group->behaviour = Behaviour::kHang;
  } else {
    return false;
  }
  return true;
}

int StatusOf(const Group& group) {
  switch (group.behaviour) {
    case Behaviour::kOk:
    case Behaviour::kSlow: return 200;
    case Behaviour::kStatus: return group.argument;
    case Behaviour::kFlaky: {
      const bool fails = group.requests % static_cast<uint64_t>(group.argument) == 0;
      return fails ? 500 : 200;
    }
    case Behaviour::kHang: return 0;
  }
  return 0;
}

}  // namespace postrider
