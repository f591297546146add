#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/accept/organization_directory.h"
#include "gateway/announcer.h"
#include "gateway/answers.h"
#include "gateway/base/asio_loop.h"
#include "gateway/base/loop_watch.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/delivery_admin.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/health_board.h"
#include "gateway/replay_admin.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/open_store.h"
#include "gateway/store/read_pool.h"
#include "gateway/subscriber_watch.h"
#include "gateway/subscription_admin.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// The stages of a gateway, their wiring and their threads (gateway.cc); the calls that lead to them
// are in gateway_calls.cc.
//
// Members stand in the order in which they need each other; threads come last.
class Gateway::Impl {
 public:
  explicit Impl(GatewayOptions options) : options_(std::move(options)) {}

  absl::Status Start();
  void Stop(absl::Duration budget);

  void Publish(EventInput input, Done<PublishReceipt> done, PublishGate gate);
  // Runs `query` on a reader thread; its result goes to `done`.
  template <typename T, typename Query>
  void Read(Query query, Done<T> done);

  SubscriptionAdmin& admin() { return *admin_; }
  DeliveryAdmin& deliveries() { return *deliveries_; }
  ReplayAdmin& replays() { return *replays_; }
  const SubscriptionRegistry& registry() const { return registry_; }
  const HealthBoard& health() const { return health_; }
  LoopWatch& loop_watch() { return *loop_watch_; }
  std::string MetricsText() const;

 private:
  absl::Status MakeLoops();
  void MakeWatch();
  void MakeAdmins();
  absl::Status Recover();
  void StartThreads();
  void VerifyUnverified();
  std::vector<Engine::LoopParts> LoopParts() const;
  void OnCommitted(const CommittedGroup& group);

  const GatewayOptions options_;
  std::atomic<bool> stopping_{false};
  AddressGuard guard_;
  OrganizationDirectory organizations_;
  SubscriptionRegistry registry_;
  HealthBoard health_;
  StoreHandle store_;
  std::vector<std::unique_ptr<AsioLoop>> loops_;
  std::unique_ptr<LoopWatch> loop_watch_;
  std::unique_ptr<GroupCommit> commits_;
  std::unique_ptr<ReadPool> reads_;
  std::unique_ptr<Announcer> announcer_;
  std::unique_ptr<SubscriberWatch> watch_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<Poster>> posters_;
  std::unique_ptr<SubscriptionAdmin> admin_;
  std::unique_ptr<DeliveryAdmin> deliveries_;
  std::unique_ptr<ReplayAdmin> replays_;
  std::vector<std::thread> loop_threads_;
  std::thread store_thread_;
  std::thread checkpoint_thread_;
};

template <typename T, typename Query>
void Gateway::Impl::Read(Query query, Done<T> done) {
  ReadFor<T>(*reads_, std::move(query), std::move(done));
}

}  // namespace postrider
