#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/base/mutex.h"

namespace postrider {

// Which organizations stand above which (L6): the path that an event without one gets. Thread-safe;
// one lock, held for a look-up. Keeps every organization that ever came with a path.
class OrganizationDirectory {
 public:
  // The path of `organization`, root first and itself last; itself alone if none is known.
  std::vector<std::string> Resolve(absl::string_view organization) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // `path` is the organization's from now on. True if it has yet to be stored: say so with the next
  // event, and MarkStored() once that is committed.
  bool Learn(absl::string_view organization, const std::vector<std::string>& path)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void MarkStored(absl::string_view organization, const std::vector<std::string>& path)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    std::vector<std::string> path;
    bool stored = false;
  };

  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
