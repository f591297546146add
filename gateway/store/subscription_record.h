#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/model/subscription.h"

namespace postrider {

// What of a subscription has no column of its own, as bytes that begin with a version.
std::string EncodeSubscription(const Subscription& subscription);

// Fills in what EncodeSubscription() keeps; leaves id, number, version, organization and start_seqs
// alone. False: the bytes are no record of a version that this program knows.
bool DecodeSubscription(absl::string_view record, Subscription* subscription);

std::string EncodeSeqs(const std::vector<Seq>& seqs);
std::optional<std::vector<Seq>> DecodeSeqs(absl::string_view bytes);

}  // namespace postrider
