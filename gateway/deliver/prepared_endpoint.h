#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/deliver/origin.h"
#include "gateway/deliver/signature.h"
#include "gateway/model/event.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"
#include "gateway/model/url.h"

namespace postrider {

// One version of a subscription as the HTTP poster has made it ready. Immutable.
class PreparedEndpoint final : public Endpoint {
 public:
  // `url` is `subscription`'s.
  PreparedEndpoint(const Subscription& subscription, const Url& url,
                   std::shared_ptr<Origin> origin);

  // Stands for a subscription that nothing can be sent to, because of `status`: one that was
  // stored by a version with other rules.
  explicit PreparedEndpoint(absl::Status status) : status_(std::move(status)) {}

  const absl::Status& status() const { return status_; }
  const std::shared_ptr<Origin>& origin() const { return origin_; }  // Null if not OK.
  absl::Duration timeout() const { return timeout_; }

  // Replaces `out` by the request line and the header of a POST of `event`, signed at `now`.
  void WritePost(const Event& event, int attempt_number, absl::Time now, std::string* out) const;

  // Replaces `out` by the GET that asks for the echo of `challenge`.
  void WriteChallenge(absl::string_view challenge, std::string* out) const;

 private:
  absl::Status status_;
  std::shared_ptr<Origin> origin_;
  absl::Duration timeout_;
  std::string target_;
  std::string fields_;  // The lines that are the same in each request.
  std::optional<Signer> signer_;
};

}  // namespace postrider
