#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/types/span.h"
#include "gateway/base/asio_loop.h"
#include "gateway/deliver/address_guard.h"

namespace postrider {

// What a socket tells its owner, on the loop and never from within a call. Errors are errno's, 0 is
// none. The owner may destroy the socket.
struct SocketEvents {
  absl::AnyInvocable<void(int error)> connected;
  absl::AnyInvocable<void(int error, size_t bytes)> read;  // No error and no bytes: the end.
  absl::AnyInvocable<void(int error)> readable;
  absl::AnyInvocable<void(int error)> writable;
};

// One TCP connection that never waits. Closing or destroying it ends all that is under way; nothing
// is told after that.
class Socket {
 public:
  // `loop` outlives it.
  Socket(AsioLoop* loop, SocketEvents events);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Begins to connect; told by `connected`. Once. An error if that is not even begun.
  [[nodiscard]] int Connect(const IpAddress& address, uint16_t port);

  // Whether the other end is the one that was asked for, and not ourselves: a connection to a free
  // local port may meet itself.
  bool IsConnectedTo(const IpAddress& address, uint16_t port) const;

  struct Written {
    size_t bytes = 0;
    int error = 0;
    bool would_block = false;
  };

  // Sends what fits now.
  Written Write(absl::Span<const iovec> parts);

  // Waits for bytes and puts them into `space`, which stays until `read` or Close(). One at a time.
  void StartRead(absl::Span<char> space);

  // Waits until something can be read, or written. One of each at a time, none with StartRead().
  void WaitReadable();
  void WaitWritable();

  // Tells `readable` in a later turn of the loop, for an owner who has more to read than he reads
  // in one: what others have taken from the socket already makes it readable no more.
  void TellReadable();

  // For reading and writing by others, without waiting.
  int descriptor() const;

  void Close();

 private:
  struct State;

  std::shared_ptr<State> state_;  // Shared with what is under way.
};

}  // namespace postrider
