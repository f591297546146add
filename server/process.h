#pragma once

#include "absl/time/time.h"

namespace postrider {

// What a long-lived process settles before its first thread: SIGTERM and SIGINT wait for
// WaitForStop(), a closed pipe is an error and not the end, as many file descriptors as the system
// allows.
void PrepareProcess();

// Waits until SIGTERM or SIGINT came, at most `timeout`. True if one came; another one then ends
// the process at once.
bool WaitForStop(absl::Duration timeout);

// Ends the process with status 1 if it still lives after `budget`: a stop that hangs.
void EndProcessAfter(absl::Duration budget);

}  // namespace postrider
