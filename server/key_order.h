#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gateway/base/mutex.h"

namespace postrider {

// Keeps the order of what one batch or stream publishes: once an event with an ordering key was
// refused for a reason that may pass, later ones of the same organization and key are not let past
// it. Events without a key promise no order and are not held. Thread-safe.
class KeyOrder {
 public:
  // ABORTED if an earlier event of this organization and key was refused, and for any key once no
  // more of them can be remembered.
  absl::Status Check(const std::string& organization, const std::string& ordering_key) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Check() as a function to be asked later, while `owner` keeps this object; null without a key.
  std::function<absl::Status()> GateOf(std::shared_ptr<const void> owner, std::string organization,
                                       std::string ordering_key) const;

  // Remembers what became of an event.
  void Note(const std::string& organization, const std::string& ordering_key,
            const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether kRefusedKeysMax keys are remembered: what is published from now on with a key is
  // refused, so it is time to end the call.
  bool Full() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::set<std::pair<std::string, std::string>> refused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
