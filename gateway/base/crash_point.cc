#include "gateway/base/crash_point.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace postrider {
namespace {

struct Target {
  std::string name;
  std::atomic<int64_t> remaining{0};
};

// The name and the thing that the environment says, or null. Never destroyed.
const std::pair<std::string, std::string>* FindFault() {
  const char* text = std::getenv("POSTRIDER_FAULT_POINT");
  if (text == nullptr) {
    return nullptr;
  }
  return new std::pair<std::string, std::string>(absl::StrSplit(text, absl::MaxSplits(':', 1)));
}

// The target that the environment names, or null. Never destroyed.
Target* FindTarget() {
  const char* text = std::getenv("POSTRIDER_CRASH_POINT");
  if (text == nullptr) {
    return nullptr;
  }
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int64_t count = 1;
  if (parts.size() > 1 && !absl::SimpleAtoi(parts[1], &count)) {
    return nullptr;
  }
  auto* target = new Target;
  target->name = parts[0];
  target->remaining = count;
  return target;
}

}  // namespace

void CrashPoint(absl::string_view name) {
  static Target* const target = FindTarget();
  if (target == nullptr || target->name != name) {
    return;
  }
  if (target->remaining.fetch_sub(1) == 1) {
    kill(getpid(), SIGKILL);
    pause();
  }
}

void FaultPoint(absl::string_view name, absl::string_view what) {
  static const std::pair<std::string, std::string>* const fault = FindFault();
  if (fault != nullptr && fault->first == name && fault->second == what) {
    std::abort();
  }
}

}  // namespace postrider
