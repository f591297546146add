#include "server/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"

namespace postrider {
namespace {

constexpr rlim_t kDescriptorsWanted = 4096;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kDescriptorsWanted) {
    LogWarning(absl::StrCat("only ", limit.rlim_cur, " file descriptors are allowed; ",
                            kDescriptorsWanted, " are advisable"));
  }
}

}  // namespace

void PrepareProcess() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
}

bool WaitForStop(absl::Duration timeout) {
  const sigset_t signals = StopSignals();
  const timespec wait = absl::ToTimespec(timeout);
  if (sigtimedwait(&signals, nullptr, &wait) < 0) {
    return false;
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return true;
}

void EndProcessAfter(absl::Duration budget) {
  std::signal(SIGALRM, [](int) { _exit(1); });
  alarm(static_cast<unsigned>(absl::ToInt64Seconds(absl::Ceil(budget, absl::Seconds(1)))));
}

}  // namespace postrider
