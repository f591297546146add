// What a connection makes of a response: when the answer is told, and what becomes of the rest.

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/crash_point.h"
#include "gateway/base/limits.h"
#include "gateway/deliver/connection.h"
#include "gateway/deliver/connection_pool.h"
#include "gateway/deliver/http_date.h"

namespace postrider {
namespace {

constexpr size_t kHeadBytesKept = 16 * 1024;

bool IsSuccess(int status) { return status >= 200 && status <= 299; }

std::string StatusText(int status) {
  const bool redirect = status >= 300 && status <= 399 && status != 304;
  return absl::StrCat("the response's status is ", status,
                      redirect ? "; redirects are not followed" : "");
}

}  // namespace

void Connection::Progress() {
  if (phase_ == Phase::kExchanging) {
    if (reader_.has_status()) {
      OnHeader();
    } else if (reader_.state() == ResponseReader::State::kFailed) {
      Fail(Outcome::kProtocolError, reader_.error());
    }
    return;
  }
  if (phase_ == Phase::kAwaitingBody && BodySuffices()) {
    Answer();
  } else if (phase_ == Phase::kDraining && (reader_.state() != ResponseReader::State::kBody ||
                                            reader_.body_bytes() > kResponseBodyBytesMax)) {
    Recycle();
  }
}

void Connection::OnHeader() {
  CrashPoint("after_answer");
  if (request_.event != nullptr) {
    FaultPoint("after_header", request_.event->type);
  }
  header_time_ = context_->clock->Monotonic();
  const bool wanted = !IsSuccess(reader_.status()) || request_.success_bytes_kept > 0;
  if (!wanted || BodySuffices()) {
    Answer();
    return;
  }
  phase_ = Phase::kAwaitingBody;
  context_->wheel->Set(this, header_time_ + context_->drain_timeout);
}

// Whether no more of the body is waited for.
bool Connection::BodySuffices() const {
  const size_t wanted =
      IsSuccess(reader_.status()) ? request_.success_bytes_kept : kResponseKeptBytes;
  return reader_.state() != ResponseReader::State::kBody || reader_.body_bytes() > wanted;
}

void Connection::OnEnd(int error) {
  switch (phase_) {
    case Phase::kExchanging:
      if (reader_.begun()) {
        Fail(Outcome::kConnectionClosed, "the connection was closed within the response's header");
      } else {
        Fail(Outcome::kConnectionClosed, error == ECONNRESET
                                             ? "the connection was reset before a response came"
                                             : "the connection was closed before a response came");
      }
      return;
    case Phase::kAwaitingBody:
      reader_.End();
      Answer();
      Close();
      return;
    case Phase::kNew:
    case Phase::kConnecting:
    case Phase::kHandshaking:
    case Phase::kReady:
    case Phase::kDraining:
    case Phase::kClosed: Close(); return;
  }
}

void Connection::Answer() {
  Reply reply = MakeReply();
  auto done = std::move(done_);
  const bool more = reader_.state() == ResponseReader::State::kBody;
  if (more && !reader_.length_is_over(kResponseBodyBytesMax) &&
      reader_.body_bytes() <= kResponseBodyBytesMax) {
    phase_ = Phase::kDraining;
    context_->wheel->Set(this, header_time_ + context_->drain_timeout);
  } else {
    Recycle();
  }
  // Last: whoever is told may use this connection at once.
  std::move(done)(std::move(reply));
}

Reply Connection::MakeReply() const {
  const int status = reader_.status();
  Reply reply;
  reply.http_status = status;
  reply.begun = true;
  reply.time = header_time_;
  reply.retry_after =
      ParseRetryAfter(reader_.retry_after(), reader_.date(), context_->clock->Now());
  reply.body_complete = reader_.state() == ResponseReader::State::kDone &&
                        reader_.body_bytes() == reader_.kept_body().size();
  if (IsSuccess(status)) {
    reply.body = request_.success_bytes_kept > 0 ? reader_.kept_body() : "";
  } else {
    reply.outcome = Outcome::kHttpStatus;
    reply.error_text = StatusText(status);
    reply.body = reader_.kept_body().substr(0, kResponseKeptBytes);
  }
  return reply;
}

// What is left of an exchange when its response has been read or given up: a connection that can
// be used again, or none.
void Connection::Recycle() {
  const absl::Duration now = context_->clock->Monotonic();
  const bool reusable = reader_.state() == ResponseReader::State::kDone && reader_.keep_alive() &&
                        !reader_.has_leftover() && AllWritten() && !write_failed_ &&
                        now - open_time_ < context_->age_max &&
                        IdleTimeout() > absl::ZeroDuration();
  body_ = "";
  request_ = Request();
  item_ = WorkItem();
  if (!reusable) {
    Close();
    return;
  }
  if (head_.capacity() > kHeadBytesKept) {
    head_ = std::string();  // With a subscription's headers it may be far longer than most.
    written_ = 0;
  }
  phase_ = Phase::kReady;
  context_->wheel->Set(this, now + IdleTimeout());
  pool_->PutIdle(this);
}

absl::Duration Connection::IdleTimeout() const {
  const auto said = ParseKeepAliveTimeout(reader_.keep_alive_header());
  if (!said.has_value()) {
    return context_->idle_timeout;
  }
  // A second less than the peer waits, so that it does not hang up just when we send.
  return std::min(*said - absl::Seconds(1), kIdleConnectionTimeoutMax);
}

void Connection::Fail(Outcome outcome, std::string text) {
  Reply reply;
  reply.outcome = outcome;
  reply.error_text = std::move(text);
  reply.begun = reader_.begun();
  reply.time = context_->clock->Monotonic();
  auto done = std::move(done_);
  Close();
  std::move(done)(std::move(reply));
}

}  // namespace postrider
