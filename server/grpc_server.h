#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/gateway.h"
#include "gateway/model/subscription.h"

namespace postrider {

struct GrpcServerOptions {
  std::string address = "127.0.0.1:0";  // As ListenAddress::ToString() writes it.
  Verification default_verification = Verification::kNone;
  int max_concurrent_streams = 256;  // Per connection.
  int64_t memory_bytes_max = 256LL * 1024 * 1024;
};

// The gRPC door: the API's services, health (`grpc.health.v1`) and reflection on one port, without
// encryption.
//
// Stopping is in this order: Drain(), Gateway::Stop(), Shutdown(). All from one thread.
class GrpcServer {
 public:
  // `gateway` and `clock` outlive the server. UNAVAILABLE if the address can't be had: the port is
  // never shared with another server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(Gateway* gateway, const Clock* clock,
                                                           const GrpcServerOptions& options);

  // Shutdown() must have been called.
  ~GrpcServer();

  // The port that is listened on.
  int port() const;

  // Ends the streams whose clients do not read. To be called every second or so.
  void Tick();

  // Says NOT_SERVING to health checks and ends the streams once what they have read is answered.
  void Drain();

  // Takes no more calls; gives those under way `budget`, then cancels them. Returns once every call
  // is finished, which needs the gateway to have answered all of them.
  void Shutdown(absl::Duration budget);

 private:
  class Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postrider
