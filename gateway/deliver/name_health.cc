#include "gateway/deliver/name_health.h"

#include <iterator>

#include "gateway/base/limits.h"

namespace postrider {

void NameHealth::Note(absl::Duration now, const std::string& name, bool failed) {
  if (const auto found = places_.find(name); found != places_.end()) {
    Forget(found->second);
  }
  ForgetOld(now);
  if (seen_.size() == kResolverNamesMax) {
    Forget(seen_.begin());
  }
  seen_.push_back({.time = now, .name = name, .failed = failed});
  places_[name] = std::prev(seen_.end());
  failed_ += failed ? 1 : 0;
}

bool NameHealth::MostFail(absl::Duration now) {
  ForgetOld(now);
  return seen_.size() >= kResolverWindowNames && failed_ * 2 > seen_.size();
}

void NameHealth::Forget(std::list<Seen>::iterator one) {
  failed_ -= one->failed ? 1 : 0;
  places_.erase(one->name);
  seen_.erase(one);
}

void NameHealth::ForgetOld(absl::Duration now) {
  while (!seen_.empty() && now - seen_.front().time > kResolverWindow) {
    Forget(seen_.begin());
  }
}

}  // namespace postrider
