#include "server/grpc_server.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/limits.h"
#include "google/rpc/error_details.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/service_type.h"
#include "server/live_streams.h"
#include "server/services.h"

namespace postrider {
namespace {

// Above our own limit, whose error says more than the transport's.
constexpr int kReceiveBytesMax = 2 * static_cast<int>(kBatchBytesMax);

constexpr absl::Duration kKeepaliveTime = absl::Seconds(60);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
constexpr absl::Duration kClientPingIntervalMin = absl::Seconds(10);
constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

constexpr const char* kServiceNames[] = {
    "postrider.v1.PublisherService", "postrider.v1.EventService",
    "postrider.v1.SubscriptionService", "postrider.v1.DeliveryService"};

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kKeepaliveTime));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              Milliseconds(kClientPingIntervalMin));
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                              Milliseconds(kHandshakeTimeout));
  grpc::ResourceQuota quota("postrider");
  quota.Resize(static_cast<size_t>(options.memory_bytes_max));
  builder->SetResourceQuota(quota);
}

// Health and reflection are chosen for all servers of a process, before the first is built.
void EnablePlugins() {
  static const bool enabled = [] {
    grpc::EnableDefaultHealthCheckService(true);
    // gRPC brings no description of its own service: this links ours in, for reflection to find.
    CHECK(grpc::health::v1::HealthCheckRequest::descriptor() != nullptr);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  CHECK(enabled);
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(Gateway* gateway, const Clock* clock, const GrpcServerOptions& options) : clock_(clock) {
    services_.push_back(MakePublisherService(gateway, clock, &streams_));
    services_.push_back(MakeEventService(gateway));
    services_.push_back(MakeSubscriptionService(gateway, clock, options.default_verification));
    services_.push_back(MakeDeliveryService(gateway));
  }

  ~Impl() { CHECK(server_ == nullptr || shut_down_); }

  absl::Status Listen(const GrpcServerOptions& options) {
    EnablePlugins();
    grpc::ServerBuilder builder;
    SetLimits(options, &builder);
    builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port_);
    for (const auto& service : services_) {
      builder.RegisterService(service.get());
    }
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("can't listen for gRPC on ", options.address,
                       ": the port is in use, by another gateway perhaps, or not allowed"));
    }
    SetServing(true);
    return absl::OkStatus();
  }

  int port() const { return port_; }

  void Tick() { streams_.EndStalled(clock_->Monotonic()); }

  void Drain() {
    SetServing(false);
    streams_.DrainAll();
  }

  void Shutdown(absl::Duration budget) {
    server_->Shutdown(absl::ToChronoTime(clock_->Now() + budget));
    shut_down_ = true;
  }

 private:
  void SetServing(bool serving) {
    grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
    CHECK(health != nullptr);
    health->SetServingStatus(serving);
    for (const char* name : kServiceNames) {
      health->SetServingStatus(name, serving);
    }
  }

  const Clock* const clock_;
  LiveStreams streams_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool shut_down_ = false;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(Gateway* gateway, const Clock* clock,
                                                              const GrpcServerOptions& options) {
  auto impl = std::make_unique<Impl>(gateway, clock, options);
  const absl::Status status = impl->Listen(options);
  if (!status.ok()) {
    return status;
  }
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

int GrpcServer::port() const { return impl_->port(); }
void GrpcServer::Tick() { impl_->Tick(); }
void GrpcServer::Drain() { impl_->Drain(); }
void GrpcServer::Shutdown(absl::Duration budget) { impl_->Shutdown(budget); }

}  // namespace postrider
