#include "gateway/deliver/socket.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// With the executor's type known nothing is erased or allocated for it.
using StreamSocket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

tcp::endpoint ToEndpoint(const IpAddress& address, uint16_t port) {
  if (!address.v6) {
    asio::ip::address_v4::bytes_type bytes;
    std::memcpy(bytes.data(), address.bytes.data(), bytes.size());
    return {asio::ip::address_v4(bytes), port};
  }
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), address.bytes.data(), bytes.size());
  return {asio::ip::address_v6(bytes), port};
}

}  // namespace

struct Socket::State {
  State(asio::io_context& context, SocketEvents its_events)
      : socket(context.get_executor()), events(std::move(its_events)) {}

  void OnRead(const error_code& error, size_t bytes) {
    const bool end = error == asio::error::eof;
    events.read(error && !end ? error.value() : 0, end ? 0 : bytes);
  }

  StreamSocket socket;
  SocketEvents events;
  bool closed = false;
};

Socket::Socket(AsioLoop* loop, SocketEvents events)
    : state_(std::make_shared<State>(loop->context(), std::move(events))) {}

Socket::~Socket() { Close(); }

int Socket::Connect(const IpAddress& address, uint16_t port) {
  const tcp::endpoint endpoint = ToEndpoint(address, port);
  error_code error;
  state_->socket.open(endpoint.protocol(), error);
  if (!error) {
    state_->socket.non_blocking(true, error);
  }
  if (!error) {
    state_->socket.set_option(tcp::no_delay(true), error);
  }
  if (error) {
    return error.value();
  }
  state_->socket.async_connect(endpoint, [state = state_](const error_code& failure) {
    if (!state->closed) {
      state->events.connected(failure.value());
    }
  });
  return 0;
}

bool Socket::IsConnectedTo(const IpAddress& address, uint16_t port) const {
  error_code error;
  const tcp::endpoint remote = state_->socket.remote_endpoint(error);
  if (error || remote != ToEndpoint(address, port)) {
    return false;
  }
  const tcp::endpoint local = state_->socket.local_endpoint(error);
  return !error && local != remote;
}

Socket::Written Socket::Write(absl::Span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // Only read, says POSIX.
  message.msg_iovlen = parts.size();
  while (true) {
    const ssize_t bytes = sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes >= 0) {
      return {.bytes = static_cast<size_t>(bytes)};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {.would_block = true};
    }
    if (errno != EINTR) {
      return {.error = errno};
    }
  }
}

void Socket::StartRead(absl::Span<char> space) {
  state_->socket.async_read_some(asio::mutable_buffer(space.data(), space.size()),
                                 [state = state_](const error_code& error, size_t bytes) {
                                   if (!state->closed) {
                                     state->OnRead(error, bytes);
                                   }
                                 });
}

void Socket::WaitReadable() {
  state_->socket.async_wait(tcp::socket::wait_read, [state = state_](const error_code& error) {
    if (!state->closed) {
      state->events.readable(error.value());
    }
  });
}

void Socket::WaitWritable() {
  state_->socket.async_wait(tcp::socket::wait_write, [state = state_](const error_code& error) {
    if (!state->closed) {
      state->events.writable(error.value());
    }
  });
}

void Socket::TellReadable() {
  asio::post(state_->socket.get_executor(), [state = state_] {
    if (!state->closed) {
      state->events.readable(0);
    }
  });
}

int Socket::descriptor() const { return state_->socket.native_handle(); }

void Socket::Close() {
  if (!state_->closed) {
    state_->closed = true;
    error_code ignored;
    state_->socket.close(ignored);
  }
}

}  // namespace postrider
