#include "gateway/deliver/connection_pool.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"

namespace postrider {

ConnectionPool::ConnectionPool(const ConnectionContext* context) : context_(context) {}

ConnectionPool::~ConnectionPool() {
  for (Connection& connection : idle_) {
    connection.origin_->idle.clear();  // Endpoints keep origins longer than this.
  }
}

Connection* ConnectionPool::Take(Origin* origin) {
  if (origin->idle.empty()) {
    return nullptr;
  }
  Connection* const connection = origin->idle.back();
  origin->idle.pop_back();
  connection->idle_ = false;
  busy_.splice(busy_.end(), idle_, connection->place_);
  return connection;
}

Connection* ConnectionPool::Open(std::shared_ptr<Origin> origin) {
  busy_.emplace_back(context_, this, std::move(origin));
  Connection* const connection = &busy_.back();
  connection->place_ = std::prev(busy_.end());
  return connection;
}

void ConnectionPool::PutIdle(Connection* connection) {
  Origin* const origin = connection->origin_.get();
  connection->idle_ = true;
  origin->idle.push_back(connection);
  idle_.splice(idle_.end(), busy_, connection->place_);
  if (origin->idle.size() > kIdleConnectionsPerOriginMax) {
    origin->idle.front()->Close();
  }
  if (idle_.size() > kIdleConnectionsMax) {
    idle_.front().Close();
  }
}

void ConnectionPool::ForgetIdle(Connection* connection) {
  auto& idle = connection->origin_->idle;
  idle.erase(std::find(idle.begin(), idle.end(), connection));
  connection->idle_ = false;
}

void ConnectionPool::Discard(Connection* connection) {
  if (dead_.empty()) {
    context_->loop->Post([this, alive = std::weak_ptr<char>(alive_)]() {
      if (!alive.expired()) {
        dead_.clear();
      }
    });
  }
  const bool was_idle = connection->idle_;
  if (was_idle) {
    ForgetIdle(connection);
  }
  dead_.splice(dead_.end(), was_idle ? idle_ : busy_, connection->place_);
}

}  // namespace postrider
