#include "gateway/deliver/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/crash_point.h"
#include "gateway/base/limits.h"
#include "gateway/deliver/connection_pool.h"

namespace postrider {
namespace {

constexpr size_t kTlsRecordBytes = 16 * 1024;  // The most that one may carry.

// Whose fault it is that connect() failed, in words that show no address.
ConnectResult FromErrno(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL:
      return {.outcome = Outcome::kInternalError,
              .error_text = absl::StrCat("the gateway is out of resources: ", strerror(error))};
    case ETIMEDOUT:
      return {.outcome = Outcome::kTimeout,
              .error_text = "connecting took too long",
              .other_address_may_do = true};
    case ECONNREFUSED:
      return {.outcome = Outcome::kConnectError,
              .error_text = "the connection was refused",
              .other_address_may_do = true};
    default:
      return {.outcome = Outcome::kConnectError,
              .error_text = absl::StrCat("cannot connect: ", strerror(error)),
              .other_address_may_do = true};
  }
}

}  // namespace

Connection::Connection(const ConnectionContext* context, ConnectionPool* pool,
                       std::shared_ptr<Origin> origin)
    : context_(context),
      pool_(pool),
      origin_(std::move(origin)),
      socket_(context->loop, {.connected = InScope(&Connection::OnConnected),
                              .read = InScope(&Connection::OnRead),
                              .readable = InScope(&Connection::OnReadable),
                              .writable = InScope(&Connection::OnWritable)}) {}

template <typename... Args>
absl::AnyInvocable<void(Args...)> Connection::InScope(void (Connection::*callback)(Args...)) {
  return [this, callback](Args... args) {
    const WorkScope scope(item_);
    (this->*callback)(args...);
  };
}

void Connection::Connect(const IpAddress& address, absl::Duration deadline,
                         absl::AnyInvocable<void(ConnectResult) &&> done) {
  CHECK(phase_ == Phase::kNew);
  phase_ = Phase::kConnecting;
  address_ = address;
  open_time_ = context_->clock->Monotonic();
  connect_done_ = std::move(done);
  context_->wheel->Set(this, deadline);
  if (const int error = socket_.Connect(address, origin_->url.port); error != 0) {
    FailConnect(FromErrno(error));
  }
}

void Connection::OnConnected(int error) {
  if (error != 0) {
    FailConnect(FromErrno(error));
    return;
  }
  if (!socket_.IsConnectedTo(address_, origin_->url.port)) {
    FailConnect({.outcome = Outcome::kConnectError,
                 .error_text = "the connection was lost",
                 .other_address_may_do = true});
    return;
  }
  if (!origin_->url.https) {
    Ready();
    return;
  }
  phase_ = Phase::kHandshaking;
  context_->wheel->Set(this, context_->clock->Monotonic() + context_->connect_timeout);
  tls_.emplace(context_->tls, socket_.descriptor(), origin_->url, &origin_->resumption);
  ContinueHandshake();
}

void Connection::ContinueHandshake() {
  switch (tls_->Handshake()) {
    case TlsSession::Result::kOk: Ready(); return;
    case TlsSession::Result::kWantRead: Listen(); return;
    case TlsSession::Result::kWantWrite: socket_.WaitWritable(); return;
    case TlsSession::Result::kEnd:
      FailConnect({.outcome = Outcome::kTlsError,
                   .error_text = "the connection was closed within the TLS handshake"});
      return;
    case TlsSession::Result::kError:
      FailConnect({.outcome = Outcome::kTlsError, .error_text = tls_->error_text()});
      return;
  }
}

void Connection::Ready() {
  phase_ = Phase::kReady;
  context_->wheel->Set(this, absl::InfiniteDuration());
  origin_->working = address_;
  auto done = std::move(connect_done_);
  std::move(done)(ConnectResult());
}

void Connection::FailConnect(ConnectResult result) {
  auto done = std::move(connect_done_);
  Close();
  std::move(done)(std::move(result));
}

void Connection::Send(Request request, absl::AnyInvocable<void(Reply) &&> done) {
  CHECK(phase_ == Phase::kReady);
  phase_ = Phase::kExchanging;
  request_ = std::move(request);
  done_ = std::move(done);
  context_->wheel->Set(this, absl::InfiniteDuration());  // The caller's own is in force.
  reader_.Begin(std::max(kResponseKeptBytes, request_.success_bytes_kept));
  written_ = 0;
  body_ = request_.event != nullptr ? absl::string_view(request_.event->body) : "";
  if (tls_.has_value() && head_.size() + body_.size() <= kTlsRecordBytes) {
    head_.append(body_.data(), body_.size());  // One record instead of two.
    body_ = "";
  }
  Write();
  Listen();
}

void Connection::Write() {
  if (AllWritten()) {
    return;
  }
  if (tls_.has_value()) {
    WriteTls();
  } else {
    WritePlain();
  }
  if (AllWritten()) {
    CrashPoint("during_post");
  }
}

bool Connection::AllWritten() const { return written_ == head_.size() + body_.size(); }

absl::string_view Connection::UnwrittenHead() const {
  return absl::string_view(head_).substr(std::min(written_, head_.size()));
}

absl::string_view Connection::UnwrittenBody() const {
  return body_.substr(written_ > head_.size() ? written_ - head_.size() : 0);
}

void Connection::WritePlain() {
  while (!AllWritten()) {
    const absl::string_view first = UnwrittenHead();
    const absl::string_view second = UnwrittenBody();
    const std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()},
                                        iovec{const_cast<char*>(second.data()), second.size()}};
    const Socket::Written result = socket_.Write(parts);
    written_ += result.bytes;
    if (result.error != 0) {
      // A response may have come before the peer hung up: reading will tell.
      write_failed_ = true;
      return;
    }
    if (result.would_block) {
      waiting_to_write_ = true;
      socket_.WaitWritable();
      return;
    }
  }
}

void Connection::WriteTls() {
  while (!AllWritten()) {
    size_t bytes = 0;
    const absl::string_view rest = written_ < head_.size() ? UnwrittenHead() : UnwrittenBody();
    switch (tls_->Write(rest, &bytes)) {
      case TlsSession::Result::kOk: written_ += bytes; continue;
      case TlsSession::Result::kWantRead: return;  // Whatever is read is followed by a write.
      case TlsSession::Result::kEnd:
      case TlsSession::Result::kError: write_failed_ = true; [[fallthrough]];
      case TlsSession::Result::kWantWrite:
        // A broken socket is writable: the failure is told from there, not from within Send().
        waiting_to_write_ = true;
        socket_.WaitWritable();
        return;
    }
  }
}

void Connection::OnWritable(int /*error*/) {
  if (phase_ == Phase::kHandshaking) {
    ContinueHandshake();
    return;
  }
  waiting_to_write_ = false;
  if (write_failed_) {
    OnEnd(0);
  } else if (phase_ != Phase::kReady) {
    Write();
  }
}

void Connection::Listen() {
  if (listening_ || phase_ == Phase::kClosed) {
    return;
  }
  listening_ = true;
  if (tls_.has_value()) {
    socket_.WaitReadable();
  } else {
    socket_.StartRead(reader_.Space());
  }
}

void Connection::OnRead(int error, size_t bytes) {
  listening_ = false;
  if (error != 0 || bytes == 0) {
    OnEnd(error);
    return;
  }
  if (phase_ == Phase::kReady) {
    Close();  // Nobody asked for anything.
    return;
  }
  reader_.Commit(bytes);
  Progress();
  Listen();
}

void Connection::OnReadable(int /*error*/) {
  listening_ = false;
  if (phase_ == Phase::kHandshaking) {
    ContinueHandshake();
  } else {
    ReadTls();
  }
}

void Connection::ReadTls() {
  for (int reads = 0; phase_ != Phase::kClosed; ++reads) {
    if (reads == kTlsReadsPerTurn) {
      ReadOnLater();
      return;
    }
    size_t bytes = 0;
    switch (tls_->Read(reader_.Space(), &bytes)) {
      case TlsSession::Result::kOk:
        if (phase_ == Phase::kReady) {
          Close();
          return;
        }
        reader_.Commit(bytes);
        Progress();
        continue;
      case TlsSession::Result::kWantRead:
      case TlsSession::Result::kWantWrite:  // Cannot be without renegotiation.
        Listen();
        if (phase_ != Phase::kReady && !waiting_to_write_ && !write_failed_) {
          Write();
        }
        return;
      case TlsSession::Result::kEnd:
      case TlsSession::Result::kError: OnEnd(0); return;
    }
  }
}

// A peer may send as fast as we read: the others on the loop, and its timers, are not to wait. Not
// Listen(), for what is left may be within TLS already.
void Connection::ReadOnLater() {
  if (!listening_) {
    listening_ = true;
    socket_.TellReadable();
  }
}

void Connection::OnDeadline() {
  const WorkScope scope(item_);
  switch (phase_) {
    case Phase::kConnecting: FailConnect(FromErrno(ETIMEDOUT)); return;
    case Phase::kHandshaking:
      FailConnect({.outcome = Outcome::kTimeout, .error_text = "the TLS handshake took too long"});
      return;
    case Phase::kAwaitingBody: Expire(); return;
    case Phase::kNew:
    case Phase::kReady:
    case Phase::kExchanging:
    case Phase::kDraining:
    case Phase::kClosed: Close(); return;
  }
}

bool Connection::Expire() {
  if (phase_ != Phase::kAwaitingBody) {
    Close();
    return false;
  }
  Reply reply = MakeReply();
  auto done = std::move(done_);
  Close();
  std::move(done)(std::move(reply));
  return true;
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) {
    return;
  }
  phase_ = Phase::kClosed;
  tls_.reset();
  socket_.Close();
  pool_->Discard(this);
}

}  // namespace postrider
