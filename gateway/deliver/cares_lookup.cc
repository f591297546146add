#include "gateway/deliver/cares_lookup.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace postrider {
namespace {

namespace asio = boost::asio;

constexpr int kTryMilliseconds = 1500;
constexpr int kTries = 2;
constexpr absl::Duration kTick = absl::Milliseconds(100);  // Of c-ares's own timeouts.
constexpr absl::Duration kChannelAgeMax = absl::Seconds(30);

using LookupDone = absl::AnyInvocable<void(Resolution) &&>;

Resolution::Status ToStatus(int status) {
  switch (status) {
    case ARES_SUCCESS: return Resolution::Status::kOk;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
    case ARES_ENONAME: return Resolution::Status::kNotFound;
    case ARES_ECONNREFUSED:  // No server could be reached at all.
    case ARES_ENOMEM:
    case ARES_EFILE: return Resolution::Status::kServerFault;
    default: return Resolution::Status::kFailed;
  }
}

Resolution ToResolution(int status, const ares_addrinfo* found) {
  Resolution resolution;
  resolution.status = ToStatus(status);
  if (status != ARES_SUCCESS || found == nullptr) {
    return resolution;
  }
  resolution.time_to_live = absl::InfiniteDuration();
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
    IpAddress address;
    if (node->ai_family == AF_INET) {
      sockaddr_in socket_address;
      std::memcpy(&socket_address, node->ai_addr, sizeof(socket_address));
      std::memcpy(address.bytes.data(), &socket_address.sin_addr, 4);
    } else if (node->ai_family == AF_INET6) {
      sockaddr_in6 socket_address;
      std::memcpy(&socket_address, node->ai_addr, sizeof(socket_address));
      address.v6 = true;
      std::memcpy(address.bytes.data(), &socket_address.sin6_addr, 16);
    } else {
      continue;
    }
    resolution.addresses.push_back(address);
    resolution.time_to_live = std::min(resolution.time_to_live, absl::Seconds(node->ai_ttl));
  }
  return resolution;
}

// One of c-ares's sockets, which c-ares opens and closes.
struct Watch {
  Watch(asio::io_context& context, int socket) : descriptor(context, socket) {}

  asio::posix::stream_descriptor descriptor;
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;  // A wait is under way.
  bool writing = false;
  bool gone = false;
};

class CaresLookup {
 public:
  CaresLookup(AsioLoop* loop, const Clock* clock) : loop_(loop), clock_(clock) {
    static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);  // Never undone.
    static_cast<void>(initialized);
  }

  ~CaresLookup() { CloseChannel(); }
  CaresLookup(const CaresLookup&) = delete;
  CaresLookup& operator=(const CaresLookup&) = delete;

  void Start(const std::string& name, LookupDone done) {
    if (pending_ == 0 && clock_->Monotonic() - opened_ > kChannelAgeMax) {
      CloseChannel();  // The next one reads the machine's configuration anew.
    }
    if (channel_ == nullptr && !OpenChannel()) {
      Resolution resolution;
      resolution.status = Resolution::Status::kServerFault;
      std::move(done)(std::move(resolution));
      return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ++pending_;
    auto* const query = new Query{this, std::move(done)};
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &CaresLookup::OnAnswer, query);
    StartTicking();
  }

 private:
  struct Query {
    CaresLookup* lookup;
    LookupDone done;
  };

  static void OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
    const std::unique_ptr<Query> query(static_cast<Query*>(argument));
    Resolution resolution = ToResolution(status, found);
    if (found != nullptr) {
      ares_freeaddrinfo(found);
    }
    --query->lookup->pending_;
    std::move(query->done)(std::move(resolution));
  }

  static void OnSocketState(void* argument, ares_socket_t socket, int readable, int writable) {
    static_cast<CaresLookup*>(argument)->SetWatch(socket, readable != 0, writable != 0);
  }

  bool OpenChannel() {
    ares_options options{};
    options.timeout = kTryMilliseconds;
    options.tries = kTries;
    options.sock_state_cb = &CaresLookup::OnSocketState;
    options.sock_state_cb_data = this;
    opened_ = clock_->Monotonic();
    return ares_init_options(&channel_, &options,
                             ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) ==
           ARES_SUCCESS;
  }

  void CloseChannel() {
    if (channel_ != nullptr) {
      ares_destroy(std::exchange(channel_, nullptr));
    }
    while (!watches_.empty()) {
      SetWatch(watches_.begin()->first, false, false);
    }
  }

  void SetWatch(int socket, bool wants_read, bool wants_write) {
    const auto found = watches_.find(socket);
    if (!wants_read && !wants_write) {
      if (found != watches_.end()) {
        found->second->gone = true;
        found->second->descriptor.release();  // c-ares closes it.
        watches_.erase(found);
      }
      return;
    }
    std::shared_ptr<Watch>& watch = watches_[socket];
    if (watch == nullptr) {
      watch = std::make_shared<Watch>(loop_->context(), socket);
    }
    watch->wants_read = wants_read;
    watch->wants_write = wants_write;
    Await(watch);
  }

  void Await(const std::shared_ptr<Watch>& watch) {
    if (watch->wants_read && !watch->reading) {
      watch->reading = true;
      watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                   [this, watch](const boost::system::error_code&) {
                                     watch->reading = false;
                                     OnReady(watch, true);
                                   });
    }
    if (watch->wants_write && !watch->writing) {
      watch->writing = true;
      watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                   [this, watch](const boost::system::error_code&) {
                                     watch->writing = false;
                                     OnReady(watch, false);
                                   });
    }
  }

  void OnReady(const std::shared_ptr<Watch>& watch, bool to_read) {
    if (watch->gone) {
      return;  // And maybe so are we.
    }
    const ares_socket_t socket = watch->descriptor.native_handle();
    ares_process_fd(channel_, to_read ? socket : ARES_SOCKET_BAD,
                    to_read ? ARES_SOCKET_BAD : socket);
    if (!watch->gone) {
      Await(watch);
    }
  }

  void StartTicking() {
    if (ticking_ || pending_ == 0) {
      return;
    }
    ticking_ = true;
    loop_->After(kTick, [this, alive = std::weak_ptr<char>(alive_)]() {
      if (!alive.expired()) {
        Tick();
      }
    });
  }

  void Tick() {
    ticking_ = false;
    if (channel_ != nullptr) {
      ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    StartTicking();
  }

  AsioLoop* const loop_;
  const Clock* const clock_;
  ares_channel channel_ = nullptr;  // Null: not open.
  absl::Duration opened_;
  size_t pending_ = 0;
  bool ticking_ = false;
  absl::flat_hash_map<int, std::shared_ptr<Watch>> watches_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace

Lookup NewCaresLookup(AsioLoop* loop, const Clock* clock) {
  return [lookup = std::make_unique<CaresLookup>(loop, clock)](
             const std::string& name, LookupDone done) { lookup->Start(name, std::move(done)); };
}

}  // namespace postrider
