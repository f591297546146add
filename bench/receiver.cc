// A receiver of webhooks that is quick enough not to be what is measured: one thread, one epoll,
// several ports.
//
//     receiver [ports=1]
//
// It prints "receiver 127.0.0.1:PORT …" and ends when its standard input does. The path of a POST
// is /GROUP/NUMBER; how a group answers is changed, and what came is asked for, by requests to
//
//     /control/behave/GROUP/ok         200, as every group does at first
//     /control/behave/GROUP/status/503 always 503
//     /control/behave/GROUP/flaky/3    500 to each third request
//     /control/behave/GROUP/slow/20    200 after 20 ms
//     /control/behave/GROUP/hang       nothing, ever
//     /control/count/GROUP             "requests unanswered most-unanswered-at-a-time"
//     /control/records                 what came since the last time: see Record
//
// Times are of CLOCK_MONOTONIC, as Python's time.monotonic_ns().

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/receiver_protocol.h"
#include "gateway/base/clock.h"
#include "gateway/base/uuid.h"

namespace postrider {
namespace {

constexpr size_t kRequestBytesMax = 8 * 1024 * 1024;
constexpr size_t kRecordsMax = 4'000'000;  // More are not kept, and asking for them fails.

int64_t Nanoseconds() { return absl::ToInt64Nanoseconds(SystemClock()->Monotonic()); }

struct Connection {
  explicit Connection(int socket) : descriptor(socket) {}
  ~Connection() { close(descriptor); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const int descriptor;
  uint64_t serial = 0;  // Descriptors are given again, these are not.
  std::string input;
  Group* waiting = nullptr;  // Of the request that has no answer yet.
};

// The answer of a group that is slow, when its time comes.
struct Later {
  int64_t time = 0;
  int descriptor = 0;
  uint64_t serial = 0;
  bool operator>(const Later& other) const { return time > other.time; }
};

// Sends all of it, waiting for who reads slowly: only answers to /control are long.
bool Send(int descriptor, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN) {
      return false;
    }
    pollfd writable{.fd = descriptor, .events = POLLOUT, .revents = 0};
    poll(&writable, 1, -1);
  }
  return true;
}

class Receiver {
 public:
  // Listens and says where.
  bool Start(int ports);
  // Serves until the standard input ends.
  void Run();

 private:
  void Watch(int descriptor) const;
  int TimeoutMilliseconds() const;
  void AnswerWhatIsDue();
  void Accept(int listener);
  void Read(Connection* connection);
  // True if it is still there.
  bool Serve(Connection* connection, const Request& request);
  bool ServeEvent(Connection* connection, const std::vector<std::string>& words,
                  const Request& request);
  void Keep(const Group& group, const std::vector<std::string>& words, const Request& request,
            int status, int64_t now);
  std::string Control(const std::vector<std::string>& words);
  Group* GroupOf(const std::string& name);
  void Close(int descriptor);

  int epoll_ = epoll_create1(0);
  std::vector<int> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;  // By descriptor.
  uint64_t serial_ = 0;
  std::map<std::string, Group> groups_;
  std::vector<Record> records_;
  std::priority_queue<Later, std::vector<Later>, std::greater<>> later_;
};

bool Receiver::Start(int ports) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Watch(STDIN_FILENO);
  std::string line = "receiver";
  for (int i = 0; i < ports; ++i) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, any, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, any, &size) != 0) {
      return false;
    }
    Watch(listener);
    listeners_.push_back(listener);
    absl::StrAppend(&line, " 127.0.0.1:", ntohs(address.sin_port));
  }
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  return true;
}

void Receiver::Watch(int descriptor) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

int Receiver::TimeoutMilliseconds() const {
  if (later_.empty()) {
    return -1;
  }
  const int64_t left = later_.top().time - Nanoseconds();
  return left <= 0 ? 0 : static_cast<int>(left / 1'000'000 + 1);
}

void Receiver::Run() {
  std::array<epoll_event, 256> events{};
  while (true) {
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), TimeoutMilliseconds());
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<size_t>(i)].data.fd;
      if (descriptor == STDIN_FILENO) {
        std::array<char, 64> ignored{};
        if (read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) return;
      } else if (std::ranges::find(listeners_, descriptor) != listeners_.end()) {
        Accept(descriptor);
      } else if (Connection* const it = connections_[static_cast<size_t>(descriptor)].get()) {
        Read(it);
      }
    }
    AnswerWhatIsDue();
  }
}

void Receiver::AnswerWhatIsDue() {
  while (!later_.empty() && later_.top().time <= Nanoseconds()) {
    const Later due = later_.top();
    later_.pop();
    Connection* const connection = connections_[static_cast<size_t>(due.descriptor)].get();
    if (connection == nullptr || connection->serial != due.serial ||
        connection->waiting == nullptr) {
      continue;
    }
    --connection->waiting->unanswered;
    connection->waiting = nullptr;
    if (!Send(due.descriptor, Answer(200, ""))) {
      Close(due.descriptor);
    }
  }
}

void Receiver::Accept(int listener) {
  while (true) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      return;
    }
    const auto place = static_cast<size_t>(descriptor);
    if (connections_.size() <= place) {
      connections_.resize(place + 1);
    }
    connections_[place] = std::make_unique<Connection>(descriptor);
    connections_[place]->serial = ++serial_;
    Watch(descriptor);
  }
}

void Receiver::Close(int descriptor) {
  std::unique_ptr<Connection>& connection = connections_[static_cast<size_t>(descriptor)];
  if (connection->waiting != nullptr) {
    --connection->waiting->unanswered;
  }
  connection.reset();
}

void Receiver::Read(Connection* connection) {
  std::array<char, 64 * 1024> buffer;
  const ssize_t size = recv(connection->descriptor, buffer.data(), buffer.size(), 0);
  if (size < 0 && errno == EAGAIN) {
    return;
  }
  if (size <= 0 || connection->input.size() > kRequestBytesMax) {
    Close(connection->descriptor);
    return;
  }
  connection->input.append(buffer.data(), static_cast<size_t>(size));
  Request request;
  while (ReadHeader(connection->input, &request) &&
         connection->input.size() >= request.header_bytes + request.body_bytes) {
    connection->input.erase(0, request.header_bytes + request.body_bytes);
    if (!Serve(connection, request)) {
      return;
    }
    request = Request();
  }
}

bool Receiver::Serve(Connection* connection, const Request& request) {
  const std::vector<std::string> words = absl::StrSplit(request.path, '/');
  if (words.size() < 3) {
    Close(connection->descriptor);
    return false;
  }
  if (words[1] != "control") {
    return ServeEvent(connection, words, request);
  }
  const std::string text = Control(words);
  if (!Send(connection->descriptor, text)) {
    Close(connection->descriptor);
    return false;
  }
  return true;
}

bool Receiver::ServeEvent(Connection* connection, const std::vector<std::string>& words,
                          const Request& request) {
  Group* const group = GroupOf(words[1]);
  ++group->requests;
  const int status = StatusOf(*group);
  const int64_t now = Nanoseconds();
  Keep(*group, words, request, status, now);
  const bool slow = group->behaviour == Behaviour::kSlow;
  if (status != 0 && !slow) {
    if (Send(connection->descriptor, Answer(status, ""))) return true;
    Close(connection->descriptor);
    return false;
  }
  if (connection->waiting == nullptr) {
    connection->waiting = group;
    group->unanswered_most = std::max(group->unanswered_most, ++group->unanswered);
  }
  if (slow) {
    later_.push({.time = now + int64_t{group->argument} * 1'000'000,
                 .descriptor = connection->descriptor,
                 .serial = connection->serial});
  }
  return true;
}

void Receiver::Keep(const Group& group, const std::vector<std::string>& words,
                    const Request& request, int status, int64_t now) {
  if (records_.size() == kRecordsMax) {
    return;
  }
  Record record{.time = now, .group = group.name};
  record.status = static_cast<uint16_t>(status);
  record.attempt = static_cast<uint16_t>(request.attempt);
  if (const auto event = Uuid::Parse(request.event); event.has_value()) {
    std::copy(event->bytes().begin(), event->bytes().end(), record.event.begin());
  }
  if (words.size() > 2) {
    (void)absl::SimpleAtoi(words[2], &record.number);
  }
  records_.push_back(record);
}

Group* Receiver::GroupOf(const std::string& name) {
  const auto [it, added] = groups_.try_emplace(name);
  if (added) {
    std::copy_n(name.begin(), std::min(name.size(), it->second.name.size()),
                it->second.name.begin());
  }
  return &it->second;
}

// The whole response to /control/WORD/…
std::string Receiver::Control(const std::vector<std::string>& words) {
  if (words[2] == "records" && records_.size() < kRecordsMax) {
    const std::vector<Record> records = std::exchange(records_, {});
    return Answer(200, absl::string_view(reinterpret_cast<const char*>(records.data()),
                                         records.size() * sizeof(Record)));
  }
  if (words[2] == "count" && words.size() == 4) {
    const Group& group = *GroupOf(words[3]);
    return Answer(200,
                  absl::StrCat(group.requests, " ", group.unanswered, " ", group.unanswered_most));
  }
  const bool done = words[2] == "behave" && words.size() >= 5 &&
                    SetBehaviour(words[4], words.size() > 5 ? words[5] : "", GroupOf(words[3]));
  return Answer(done ? 200 : 400, "");
}

int Main(int count, char** arguments) {
  Receiver receiver;
  if (!receiver.Start(count > 1 ? std::atoi(arguments[1]) : 1)) {
    std::perror("receiver");
    return 1;
  }
  receiver.Run();
  return 0;
}

}  // namespace
}  // namespace postrider

int main(int count, char** arguments) { return postrider::Main(count, arguments); }
