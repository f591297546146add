#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/deliver/connection.h"
#include "gateway/deliver/connection_pool.h"
#include "gateway/deliver/prepared_endpoint.h"
#include "gateway/deliver/resolver.h"
#include "gateway/deliver/timer_wheel.h"
#include "gateway/model/poster.h"

namespace postrider {

class HttpExchange;

// What exchanges share. All of it outlives them.
struct ExchangeContext {
  Loop* loop = nullptr;
  const Clock* clock = nullptr;
  TimerWheel* wheel = nullptr;
  ConnectionPool* pool = nullptr;
  Resolver* resolver = nullptr;
  AddressGuard guard;
  absl::Duration connect_timeout;
  absl::AnyInvocable<void(HttpExchange*)> recycle;  // The exchange is over and can be used again.
  std::shared_ptr<char> alive = std::make_shared<char>();  // Asked by tasks that outlive us.
};

// What is to be sent: an event, or else a challenge.
struct ExchangeJob {
  std::shared_ptr<const PreparedEndpoint> endpoint;
  std::shared_ptr<const Event> event;
  int attempt_number = 1;
  bool keep_response = false;
  std::string challenge;
  WorkItem item;  // As in PostRequest.
};

// One exchange with a subscriber, from the name to the outcome, within the endpoint's timeout: an
// idle connection or else look up, check, connect; send; judge. A reused connection that ends
// before any byte of a response is replaced once by a fresh one.
//
// Lives on a loop. Used again for the next exchange when it is over.
class HttpExchange final : private TimerWheel::Entry {
 public:
  explicit HttpExchange(ExchangeContext* context);
  ~HttpExchange() override = default;

  // Begins. Calls `done` exactly once, in a later turn of the loop, having recycled itself.
  void Start(ExchangeJob job, Poster::Done done);

  // Its place in the list of its owner.
  std::list<HttpExchange>::iterator place;

 private:
  void OnDeadline() override;
  void Locate();
  void OnResolved(const Resolution& resolution);
  void Dial();
  void OnConnected(ConnectResult result);
  void Send();
  void OnReply(Reply reply);
  void JudgeChallenge(const Reply& reply, PostResult* result) const;
  void Fail(Outcome outcome, std::string text);
  void Finish(PostResult result);
  void Tell(PostResult result);

  ExchangeContext* const context_;
  ExchangeJob job_;
  Poster::Done done_;
  absl::Duration start_time_;
  bool starting_ = false;  // Within Start(), where `done` may not be called.
  bool reused_ = false;    // Whether connection_ has served before.
  bool retried_ = false;   // Whether a reused one has failed already.

  Connection* connection_ = nullptr;  // Null: none, or it is not ours any more.
  std::shared_ptr<Resolver::Question> question_;
  std::vector<IpAddress> addresses_;
  size_t next_address_ = 0;
  absl::Duration dial_deadline_;
};

}  // namespace postrider
