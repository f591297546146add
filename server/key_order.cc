#include "server/key_order.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

absl::Status TooManyKeys() {
  return WithReason(absl::AbortedError(absl::StrCat(
                        "events of ", kRefusedKeysMax,
                        " ordering keys were refused, and no more keys can be held; publish again, "
                        "in order, in a new call")),
                    "TOO_MANY_KEYS_REFUSED");
}

}  // namespace

absl::Status KeyOrder::Check(const std::string& organization,
                             const std::string& ordering_key) const {
  if (ordering_key.empty()) {
    return absl::OkStatus();
  }
  const MutexLock lock(&mutex_);
  if (refused_.count({organization, ordering_key}) == 0) {
    return refused_.size() < kRefusedKeysMax ? absl::OkStatus() : TooManyKeys();
  }
  return WithReason(
      absl::AbortedError(absl::StrCat("an earlier event of the ordering key `", ordering_key,
                                      "` was refused; publish it again first, in a new call")),
      "EARLIER_EVENT_REFUSED");
}

std::function<absl::Status()> KeyOrder::GateOf(std::shared_ptr<const void> owner,
                                               std::string organization,
                                               std::string ordering_key) const {
  if (ordering_key.empty()) {
    return nullptr;
  }
  return [this, owner = std::move(owner), organization = std::move(organization),
          ordering_key = std::move(ordering_key)] { return Check(organization, ordering_key); };
}

void KeyOrder::Note(const std::string& organization, const std::string& ordering_key,
                    const absl::Status& status) {
  const bool may_pass = status.code() == absl::StatusCode::kUnavailable ||
                        status.code() == absl::StatusCode::kResourceExhausted;
  if (!may_pass || ordering_key.empty()) {
    return;
  }
  const MutexLock lock(&mutex_);
  if (refused_.size() < kRefusedKeysMax) {
    refused_.emplace(organization, ordering_key);
  }
}

bool KeyOrder::Full() const {
  const MutexLock lock(&mutex_);
  return refused_.size() >= kRefusedKeysMax;
}

}  // namespace postrider
