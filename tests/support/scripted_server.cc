#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/check.h"
#include "gateway/base/clock.h"

namespace postrider {
namespace {

int Listen(uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(listener >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(bind(listener, generic, size) == 0);
  CHECK(listen(listener, 512) == 0);
  CHECK(getsockname(listener, generic, &size) == 0);
  *port = ntohs(address.sin_port);
  return listener;
}

SSL_CTX* ServerContext(const std::string& certificate_file) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  CHECK(SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) == 1);
  CHECK(SSL_CTX_use_PrivateKey_file(context, certificate_file.c_str(), SSL_FILETYPE_PEM) == 1);
  const unsigned char id[] = "postrider";
  SSL_CTX_set_session_id_context(context, id, sizeof(id));
  return context;
}

ReceivedRequest ParseHeader(absl::string_view header) {
  ReceivedRequest request;
  request.raw_header = std::string(header);
  const std::vector<absl::string_view> lines = absl::StrSplit(header, "\r\n", absl::SkipEmpty());
  const std::vector<std::string> words = absl::StrSplit(lines.at(0), ' ');
  request.method = words.at(0);
  request.target = words.at(1);
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    request.headers.emplace(absl::AsciiStrToLower(parts.first), parts.second);
  }
  return request;
}

}  // namespace

std::string ReceivedRequest::header(const std::string& name) const {
  return headers.count(name) == 1 ? headers.find(name)->second : "";
}

size_t ScriptedServer::Peer::Read(char* space, size_t bytes) {
  const ssize_t got = tls_ != nullptr ? SSL_read(tls_, space, static_cast<int>(bytes))
                                      : recv(socket_, space, bytes, 0);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

std::optional<ReceivedRequest> ScriptedServer::Peer::ReadRequest() {
  char space[65536];
  size_t end = 0;
  size_t missing = 0;  // Of the body.
  std::optional<ReceivedRequest> request;
  while (!request.has_value() || missing > 0) {
    if (!request.has_value() && (end = unread_.find("\r\n\r\n")) != std::string::npos) {
      request = ParseHeader(unread_.substr(0, end + 4));
      request->connection = number_;
      unread_.erase(0, end + 4);
      CHECK(request->method == "GET" ||
            absl::SimpleAtoi(request->header("content-length"), &missing));
    }
    if (request.has_value() && missing <= unread_.size()) {
      request->body = unread_.substr(0, missing);
      unread_.erase(0, missing);
      break;
    }
    const size_t got = Read(space, sizeof(space));
    if (got == 0) {
      return std::nullopt;
    }
    unread_.append(space, got);
  }
  MutexLock lock(&server_->mutex_);
  server_->requests_.push_back(*request);
  return request;
}

bool ScriptedServer::Peer::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = tls_ != nullptr
                             ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                             : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool ScriptedServer::Peer::Respond(int status, absl::string_view body, absl::string_view header) {
  return Send(absl::StrCat("HTTP/1.1 ", status, " Said\r\n", header,
                           "Content-Length: ", body.size(), "\r\n\r\n", body));
}

bool ScriptedServer::Peer::Pause(absl::Duration span) {
  const absl::Duration end = SystemClock()->Monotonic() + span;
  while (true) {
    const absl::Duration left = end - SystemClock()->Monotonic();
    if (left <= absl::ZeroDuration()) {
      return true;
    }
    pollfd waits[2] = {{.fd = socket_, .events = POLLIN, .revents = 0},
                       {.fd = server_->stop_pipe_[0], .events = POLLIN, .revents = 0}};
    const int64_t most = absl::ToInt64Milliseconds(std::min(left, absl::Seconds(60))) + 1;
    poll(waits, 2, static_cast<int>(most));
    if (waits[1].revents != 0) {
      return false;
    }
    if (waits[0].revents != 0) {
      char space[4096];
      const size_t got = Read(space, sizeof(space));
      if (got == 0) {
        return false;
      }
      unread_.append(space, got);
    }
  }
}

void ScriptedServer::Peer::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

ScriptedServer::ScriptedServer(Script script, const std::string& certificate_file)
    : script_(std::move(script)) {
  if (!certificate_file.empty()) {
    tls_ = ServerContext(certificate_file);
  }
  CHECK(pipe(stop_pipe_) == 0);
  listener_ = Listen(&port_);
  acceptor_ = std::thread([this]() { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  close(stop_pipe_[1]);
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    MutexLock lock(&mutex_);
    for (const int socket : open_) {
      shutdown(socket, SHUT_RDWR);
    }
  }
  for (std::thread& talk : talks_) {
    talk.join();
  }
  close(listener_);
  close(stop_pipe_[0]);
  SSL_CTX_free(tls_);
}

std::string ScriptedServer::Url(absl::string_view path, absl::string_view host) const {
  return absl::StrCat(tls_ != nullptr ? "https://" : "http://", host, ":", port_, path);
}

std::vector<ReceivedRequest> ScriptedServer::requests() const {
  MutexLock lock(&mutex_);
  return requests_;
}

void ScriptedServer::Accept() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
      return;
    }
    {
      MutexLock lock(&mutex_);
      open_.insert(socket);
    }
    talks_.emplace_back([this, socket, number = accepted_++]() { Talk(socket, number); });
  }
}

void ScriptedServer::Talk(int socket, int number) {
  const int no_delay = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
  Peer peer;
  peer.server_ = this;
  peer.socket_ = socket;
  peer.number_ = number;
  // OpenSSL's own sockets do not ask for less; in this thread only, so that others are tested.
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  if (tls_ != nullptr) {
    peer.tls_ = SSL_new(tls_);
    SSL_set_fd(peer.tls_, socket);
  }
  if (peer.tls_ == nullptr || SSL_accept(peer.tls_) == 1) {
    if (peer.tls_ != nullptr && SSL_session_reused(peer.tls_) == 1) {
      ++resumed_;
    }
    script_(&peer);
  }
  SSL_free(peer.tls_);
  ERR_clear_error();
  MutexLock lock(&mutex_);
  open_.erase(socket);
  close(socket);
}

void AnswerOk(ScriptedServer::Peer* peer) {
  while (peer->ReadRequest().has_value()) {
    if (!peer->Respond(200)) {
      return;
    }
  }
}

}  // namespace postrider
