#include "gateway/base/log.h"

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace postrider {
namespace {

constexpr int kLinesPerSecondMax = 100;

struct Limiter {
  Mutex mutex;
  int64_t second ABSL_GUARDED_BY(mutex) = 0;
  int lines ABSL_GUARDED_BY(mutex) = 0;
  int64_t suppressed ABSL_GUARDED_BY(mutex) = 0;
};

// Whether a line may be written in `second`; `*suppressed` gets the number of lines to report.
bool MayWrite(int64_t second, int64_t* suppressed) {
  static auto* const limiter = new Limiter;
  const MutexLock lock(&limiter->mutex);
  if (second != limiter->second) {
    limiter->second = second;
    limiter->lines = 0;
    *suppressed = limiter->suppressed;
    limiter->suppressed = 0;
  }
  if (limiter->lines >= kLinesPerSecondMax) {
    ++limiter->suppressed;
    return false;
  }
  ++limiter->lines;
  return true;
}

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarning: return "WARNING";
    case LogLevel::kError: return "ERROR";
  }
  return "?";
}

}  // namespace

void Log(LogLevel level, absl::string_view text) {
  const absl::Time now = SystemClock()->Now();
  int64_t suppressed = 0;
  if (!MayWrite(absl::ToUnixSeconds(now), &suppressed)) {
    return;
  }
  const std::string stamp = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now, absl::UTCTimeZone());
  std::string line;
  if (suppressed > 0) {
    absl::StrAppend(&line, stamp, " WARNING ", suppressed, " log lines were left out\n");
  }
  absl::StrAppend(&line, stamp, " ", Name(level), " ",
                  absl::StrReplaceAll(text, {{"\n", " "}, {"\r", " "}}), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace postrider
