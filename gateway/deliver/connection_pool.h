#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "gateway/deliver/connection.h"
#include "gateway/deliver/origin.h"

namespace postrider {

// Owns all connections of a loop and keeps those that can be used again, for a short while.
//
// At most kIdleConnectionsPerOriginMax and kIdleConnectionsMax are kept: beyond, the one that has
// been idle longest is closed.
class ConnectionPool {
 public:
  // `context` and what it names outlive it.
  explicit ConnectionPool(const ConnectionContext* context);

  // Closes all connections. Must not be called from within what one of them calls.
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A connection that is ready for Send(), the one used last; null if there is none. The caller
  // sends at once.
  Connection* Take(Origin* origin);

  // A new connection, to be connected at once.
  Connection* Open(std::shared_ptr<Origin> origin);

  size_t idle_count() const { return idle_.size(); }

 private:
  friend class Connection;

  // `connection` is ready and not used; it closes itself when its time is over.
  void PutIdle(Connection* connection);

  // `connection` is closed: forgets it, and destroys it in the loop's next turn.
  void Discard(Connection* connection);

  void ForgetIdle(Connection* connection);

  const ConnectionContext* const context_;
  std::list<Connection> busy_;
  std::list<Connection> idle_;  // The one idle longest is the first.
  std::list<Connection> dead_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace postrider
