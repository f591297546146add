#pragma once

#include "absl/strings/string_view.h"

namespace postrider {

// A named place at which a crash test may kill the process, as SIGKILL would.
//
// The environment variable POSTRIDER_CRASH_POINT="<name>:<n>" makes the n-th passage of `name`
// (from 1) end the process at once. Without it a passage costs one load and one branch. The names
// in use: before_commit_append, after_commit_append, before_commit_outcome, after_commit_outcome,
// before_commit_config, after_commit_config, before_post, during_post, after_answer.
void CrashPoint(absl::string_view name);

// A named place at which a test may have the process die of its own fault, by SIGABRT, when it
// works on something.
//
// The environment variable POSTRIDER_FAULT_POINT="<name>:<what>" makes every passage of `name` with
// `what` end the process. Without it a passage costs one load and one branch. The names in use,
// each with the type of an event: match, before_send, after_header.
void FaultPoint(absl::string_view name, absl::string_view what);

}  // namespace postrider
