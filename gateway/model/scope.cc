#include "gateway/model/scope.h"

#include <algorithm>
#include <string>
#include <vector>

namespace postrider {

bool InScope(const Subscription& subscription, const Event& event) {
  const std::vector<std::string>& path = event.organization_path;
  return event.organization == subscription.organization ||
         (subscription.scope == Scope::kSubtree &&
          std::find(path.begin(), path.end(), subscription.organization) != path.end());
}

bool IsTarget(const Subscription& subscription, const Event& event) {
  const std::vector<std::string>& targets = event.targets;
  return targets.empty() ||
         std::find(targets.begin(), targets.end(), subscription.id) != targets.end();
}

}  // namespace postrider
