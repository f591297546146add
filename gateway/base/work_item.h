#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace postrider {

// What a thread is working on, so that a process that dies by its own fault can say what killed it
// (E8). The numbers are those of gateway/model: this file knows nothing of their meaning.
struct WorkItem {
  uint64_t shard = 0;
  uint64_t subscription = 0;  // 0: no one's: the event as such.
  uint64_t seq = 0;           // 0: nothing.

  friend auto operator<=>(const WorkItem&, const WorkItem&) = default;
};

// While it lives, this thread works on `item`; on nothing, if that has no seq. They nest. Costs a
// few stores.
class WorkScope {
 public:
  explicit WorkScope(const WorkItem& item);
  ~WorkScope();
  WorkScope(const WorkScope&) = delete;
  WorkScope& operator=(const WorkScope&) = delete;

 private:
  const WorkItem before_;
};

// What this thread works on.
WorkItem CurrentWork();

// A death of an earlier process by its own fault.
struct Death {
  WorkItem item;
  uint64_t boot = 0;  // Which process it was.
};

// From now on a thread of this process that dies by SIGSEGV, SIGABRT, SIGBUS, SIGFPE or SIGILL
// appends what it was working on to the file, which is opened now, and then dies as it would have.
// No other signal counts, for who kills a process says nothing about what it was doing; nor does an
// abort for lack of memory. `boot` tells this process from others. A later call changes the file;
// not while another thread is at it.
absl::Status RecordDeaths(const std::string& path, uint64_t boot);

// While it lives, the death of this thread can be recorded also when its stack has no room left: it
// gives signal handlers a stack of their own. Without it such a death counts for nothing. One a
// thread.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;  // Null: the thread had one already, of a sanitizer's.
};

// What the file holds; nothing if there is none. A torn record at its end is left out.
absl::StatusOr<std::vector<Death>> ReadDeaths(const std::string& path);

// The deaths have been counted: empties the file.
absl::Status ForgetDeaths(const std::string& path);

}  // namespace postrider
