#pragma once

#include <atomic>

#include "absl/strings/string_view.h"
#include "gateway/base/http_listener.h"
#include "gateway/gateway.h"

namespace postrider {

// What the admin port answers: `/healthz` (the process lives), `/readyz` (503 unless `ready`: it
// takes events, and its threads run) and `/metrics` (Prometheus text). 404 otherwise.
HttpAnswer AdminAnswer(absl::string_view path, const Gateway& gateway,
                       const std::atomic<bool>& ready);

}  // namespace postrider
