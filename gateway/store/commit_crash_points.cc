#include "gateway/store/commit_crash_points.h"

#include <variant>

#include "gateway/base/crash_point.h"

namespace postrider {

CommitCrashPoints::CommitCrashPoints(absl::Span<const Batch> batches) {
  for (const Batch& batch : batches) {
    for (const Write& write : batch.writes) {
      if (!batch.shard.has_value()) {
        configuration_ = true;
      } else if (std::holds_alternative<AppendEvent>(write)) {
        append_ = true;
      } else if (!std::holds_alternative<PutOrganizationPath>(write)) {
        outcome_ = true;
      }
    }
  }
}

void CommitCrashPoints::PassBefore() const {
  if (append_) CrashPoint("before_commit_append");
  if (outcome_) CrashPoint("before_commit_outcome");
  if (configuration_) CrashPoint("before_commit_config");
}

void CommitCrashPoints::PassAfter() const {
  if (append_) CrashPoint("after_commit_append");
  if (outcome_) CrashPoint("after_commit_outcome");
  if (configuration_) CrashPoint("after_commit_config");
}

}  // namespace postrider
