#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/asio_loop.h"
#include "gateway/base/clock.h"
#include "gateway/base/limits.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/deliver/resolver.h"
#include "gateway/model/poster.h"

namespace postrider {

struct HttpPosterOptions {
  // --- Behaviour ---
  AddressGuard guard;   // Asked for every address that is connected to.
  std::string ca_file;  // PEM roots for subscribers' certificates; empty: the system's.

  // --- Performance ---
  absl::Duration connect_timeout = kConnectTimeout;  // TCP, all addresses together; then TLS again.
  absl::Duration idle_timeout = kIdleConnectionTimeout;  // Unless the peer's Keep-Alive says.
  absl::Duration connection_age_max = kConnectionAgeMax;
  absl::Duration drain_timeout = kDrainTimeout;  // For what follows a response's header.

  // How names are looked up; empty: by c-ares on the loop.
  Lookup lookup;
};

// A Poster that speaks HTTP/1.1, plain or over TLS, over connections that it keeps alive.
//
// Lives on `loop` and is used on its thread only; it may be created before the loop runs and
// destroyed after it has stopped. `loop` and `clock` outlive it. Destroying it closes all
// connections and destroys the `done` of unfinished exchanges without calling them. Endpoints may
// outlive it. INVALID_ARGUMENT if `ca_file` cannot be read.
absl::StatusOr<std::unique_ptr<Poster>> NewHttpPoster(AsioLoop* loop, HttpPosterOptions options,
                                                      const Clock* clock);

}  // namespace postrider
