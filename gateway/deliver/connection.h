#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/base/asio_loop.h"
#include "gateway/base/clock.h"
#include "gateway/base/work_item.h"
#include "gateway/deliver/origin.h"
#include "gateway/deliver/response_reader.h"
#include "gateway/deliver/socket.h"
#include "gateway/deliver/timer_wheel.h"
#include "gateway/deliver/tls.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"

namespace postrider {

class ConnectionPool;

// What connections share. All of it outlives them.
struct ConnectionContext {
  AsioLoop* loop = nullptr;
  const Clock* clock = nullptr;
  TimerWheel* wheel = nullptr;
  TlsContext* tls = nullptr;
  absl::Duration connect_timeout;
  absl::Duration idle_timeout;
  absl::Duration age_max;
  absl::Duration drain_timeout;
};

// What came of connecting.
struct ConnectResult {
  Outcome outcome = Outcome::kSuccess;
  std::string error_text;
  bool other_address_may_do = false;
};

// What came of sending one request.
struct Reply {
  Outcome outcome = Outcome::kSuccess;  // By the status, if there is one.
  int http_status = 0;
  std::optional<absl::Duration> retry_after;
  std::string error_text;
  std::string body;            // Its first bytes, if they were wanted.
  bool body_complete = false;  // Whether `body` is all of it.
  bool begun = false;          // Whether any byte of a response came.
  absl::Duration time;         // When it was decided, on the monotonic clock.
};

// One connection to an origin, over which requests are made one after the other.
//
// Lives on a loop, owned by its ConnectionPool. Closed, it is destroyed in a later turn of the
// loop, so that it may be closed from within what it calls.
class Connection final : private TimerWheel::Entry {
 public:
  struct Request {
    std::shared_ptr<const Event> event;  // Whose body is sent; null: no body.
    size_t success_bytes_kept = 0;       // Of a 2xx's body; 0: nobody waits for it.
  };

  // `context` and `pool` outlive it.
  Connection(const ConnectionContext* context, ConnectionPool* pool,
             std::shared_ptr<Origin> origin);
  ~Connection() override = default;

  // What all that happens here is blamed on from now on, until the exchange is over (E8).
  void WorkOn(const WorkItem& item) { item_ = item; }

  // Connects to `address`, with TLS if the origin has it, until `deadline` (for TLS the connect
  // timeout is granted again). Calls `done` once, maybe before returning; after a failure the
  // connection is closed.
  void Connect(const IpAddress& address, absl::Duration deadline,
               absl::AnyInvocable<void(ConnectResult) &&> done);

  // The next request's line and header are to be put here, before Send().
  std::string* head() { return &head_; }

  // Sends head() and the body and reads the response. Calls `done` once, never from within this
  // call: when the status is known if the body is not wanted, else when enough of the body has
  // come or the drain timeout is over. By then the connection has gone back to the pool, is about
  // to, or is closed.
  void Send(Request request, absl::AnyInvocable<void(Reply) &&> done);

  // The time is up. If the status is known, calls Send()'s `done` with it and returns true;
  // otherwise nothing more is called. Closes the connection.
  bool Expire();

  // Ends everything without a call.
  void Close();

 private:
  friend class ConnectionPool;

  enum class Phase {
    kNew,
    kConnecting,
    kHandshaking,
    kReady,         // Connected; nobody sends.
    kExchanging,    // The response's header has not come yet.
    kAwaitingBody,  // The status is known, `done` waits for the body's beginning.
    kDraining,      // `done` has been called, the rest is read for the connection's sake.
    kClosed,
  };

  // A callback of the socket, in which the item of the time is worked on.
  template <typename... Args>
  absl::AnyInvocable<void(Args...)> InScope(void (Connection::*callback)(Args...));

  void OnDeadline() override;
  void OnConnected(int error);
  void OnRead(int error, size_t bytes);
  void OnReadable(int error);
  void OnWritable(int error);

  void ContinueHandshake();
  void Ready();
  void FailConnect(ConnectResult result);

  void Write();
  void WritePlain();
  absl::string_view UnwrittenHead() const;
  absl::string_view UnwrittenBody() const;
  void WriteTls();
  void Listen();
  void ReadTls();
  void ReadOnLater();
  void Progress();
  void OnHeader();
  void OnEnd(int error);
  void Answer();
  void Fail(Outcome outcome, std::string text);
  void Recycle();
  Reply MakeReply() const;
  bool BodySuffices() const;
  absl::Duration IdleTimeout() const;
  bool AllWritten() const;

  const ConnectionContext* const context_;
  ConnectionPool* const pool_;
  const std::shared_ptr<Origin> origin_;
  std::list<Connection>::iterator place_;  // In one of the pool's lists.
  bool idle_ = false;                      // Whether that is the list of idle ones.

  Phase phase_ = Phase::kNew;
  absl::Duration open_time_;
  IpAddress address_;
  WorkItem item_;
  Socket socket_;
  std::optional<TlsSession> tls_;
  absl::AnyInvocable<void(ConnectResult) &&> connect_done_;

  bool listening_ = false;  // A read, or a wait for one, is under way.
  bool waiting_to_write_ = false;
  bool write_failed_ = false;
  std::string head_;
  absl::string_view body_;  // What is sent after head_: of request_'s event.
  size_t written_ = 0;      // Of head_ and body_ together.
  Request request_;
  ResponseReader reader_;
  absl::Duration header_time_;
  absl::AnyInvocable<void(Reply) &&> done_;
};

}  // namespace postrider
