#pragma once

#include "absl/strings/string_view.h"

namespace postrider {

// kInfo: something an operator may like to know. kWarning: a peer misbehaves, we go on.
// kError: we are at fault or the machine is; somebody should look.
enum class LogLevel { kInfo, kWarning, kError };

// Writes one line to stderr: time, level, text. Line breaks in `text` become spaces. Thread-safe.
// At most 100 lines a second are written; the rest are counted and the count is reported.
void Log(LogLevel level, absl::string_view text);

inline void LogInfo(absl::string_view text) { Log(LogLevel::kInfo, text); }
inline void LogWarning(absl::string_view text) { Log(LogLevel::kWarning, text); }
inline void LogError(absl::string_view text) { Log(LogLevel::kError, text); }

}  // namespace postrider
