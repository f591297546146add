#include "gateway/accept/organization_directory.h"

namespace postrider {

std::vector<std::string> OrganizationDirectory::Resolve(absl::string_view organization) const {
  const MutexLock lock(&mutex_);
  const auto found = entries_.find(organization);
  if (found == entries_.end()) {
    return {std::string(organization)};
  }
  return found->second.path;
}

bool OrganizationDirectory::Learn(absl::string_view organization,
                                  const std::vector<std::string>& path) {
  const MutexLock lock(&mutex_);
  Entry& entry = entries_[organization];
  if (entry.path != path) {
    entry = Entry{.path = path, .stored = false};
  }
  return !entry.stored;
}

void OrganizationDirectory::MarkStored(absl::string_view organization,
                                       const std::vector<std::string>& path) {
  const MutexLock lock(&mutex_);
  Entry& entry = entries_[organization];
  if (entry.path.empty() || entry.path == path) {
    entry = Entry{.path = path, .stored = true};
  }
}

}  // namespace postrider
