#pragma once

#include "absl/functional/any_invocable.h"
#include "gateway/store/store.h"

namespace postrider {

// Runs reads of the store away from the loops and from gRPC's threads, which never wait for a disk.
class ReadExecutor {
 public:
  using Read = absl::AnyInvocable<void(StoreReader&) &&>;

  virtual ~ReadExecutor() = default;

  // Runs `read` on some reader thread, later or never: not once the executor is stopping. Reads of
  // one caller may overtake each other. Thread-safe, never waits.
  virtual void Run(Read read) = 0;
};

}  // namespace postrider
