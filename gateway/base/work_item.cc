#include "gateway/base/work_item.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr std::array<int, 5> kOwnSignals = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

// As it stands in the file; one write each, so that a reader finds it whole or not at all.
struct Record {
  uint64_t magic;
  uint64_t boot;
  uint64_t shard;
  uint64_t subscription;
  uint64_t seq;
};
constexpr uint64_t kMagic = 0x3168746165446472;  // "rdDeath1"

// Plain data, so that a signal handler may read it.
thread_local WorkItem current;

// More than the kernel needs to save the registers of any processor, and the handler.
constexpr size_t kSignalStackBytes = 64 * 1024;

// Set before the handlers are.
int deaths_file = -1;
uint64_t own_boot = 0;

// What was there before the handlers, for each of kOwnSignals.
std::array<struct sigaction, kOwnSignals.size()> former_actions;
bool installed = false;

// Only what is safe in a signal handler.
void OnOwnSignal(int signal_number) {
  if (current.seq != 0) {
    const Record record{kMagic, own_boot, current.shard, current.subscription, current.seq};
    const ssize_t ignored = write(deaths_file, &record, sizeof(record));
    static_cast<void>(ignored);
    fdatasync(deaths_file);
  }
  // As it would have died: also with the report of a sanitizer, and with a core if there is one.
  for (size_t i = 0; i < kOwnSignals.size(); ++i) {
    if (kOwnSignals[i] == signal_number) {
      sigaction(signal_number, &former_actions[i], nullptr);
    }
  }
  raise(signal_number);
}

// What finds no memory is not at fault. Apart from that all is as without this handler.
void OnNoMemory() {
  current = WorkItem();
  std::set_new_handler(nullptr);
}

absl::Status FileError(const std::string& path, int error) {
  return absl::InternalError(absl::StrCat(path, ": ", std::strerror(error)));
}

}  // namespace

// The fences keep the compiler from moving work out of the scope, as a handler would see it.
WorkScope::WorkScope(const WorkItem& item) : before_(current) {
  current = item;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

WorkScope::~WorkScope() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current = before_;
}

WorkItem CurrentWork() { return current; }

absl::Status RecordDeaths(const std::string& path, uint64_t boot) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) {
    return FileError(path, errno);
  }
  const int former_file = deaths_file;
  deaths_file = file;
  own_boot = boot;
  if (installed) {
    close(former_file);
    return absl::OkStatus();
  }
  struct sigaction action {};
  action.sa_handler = OnOwnSignal;
  // A second fault in the handler ends the process at once.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
  for (size_t i = 0; i < kOwnSignals.size(); ++i) {
    if (sigaction(kOwnSignals[i], &action, &former_actions[i]) != 0) {
      return FileError(path, errno);
    }
  }
  std::set_new_handler(OnNoMemory);
  installed = true;
  return absl::OkStatus();
}

SignalStack::SignalStack() {
  stack_t former{};
  if (sigaltstack(nullptr, &former) != 0 || (former.ss_flags & SS_DISABLE) == 0) {
    return;
  }
  memory_ = std::make_unique<char[]>(kSignalStackBytes);
  const stack_t stack{.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kSignalStackBytes};
  sigaltstack(&stack, nullptr);
}

SignalStack::~SignalStack() {
  if (memory_ != nullptr) {
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = kSignalStackBytes};
    sigaltstack(&none, nullptr);
  }
}

absl::StatusOr<std::vector<Death>> ReadDeaths(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return errno == ENOENT ? absl::StatusOr<std::vector<Death>>(std::vector<Death>())
                           : FileError(path, errno);
  }
  std::vector<Death> deaths;
  Record record{};
  while (read(file, &record, sizeof(record)) == static_cast<ssize_t>(sizeof(record))) {
    if (record.magic == kMagic) {
      deaths.push_back(
          {.item = {record.shard, record.subscription, record.seq}, .boot = record.boot});
    }
  }
  close(file);
  return deaths;
}

absl::Status ForgetDeaths(const std::string& path) {
  if (truncate(path.c_str(), 0) != 0 && errno != ENOENT) {
    return FileError(path, errno);
  }
  return absl::OkStatus();
}

}  // namespace postrider
