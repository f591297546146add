#include "gateway/deliver/http_exchange.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/crash_point.h"
#include "gateway/base/limits.h"

namespace postrider {

HttpExchange::HttpExchange(ExchangeContext* context) : context_(context) {}

void HttpExchange::Start(ExchangeJob job, Poster::Done done) {
  job_ = std::move(job);
  done_ = std::move(done);
  start_time_ = context_->clock->Monotonic();
  retried_ = false;
  starting_ = true;
  context_->wheel->Set(this, start_time_ + job_.endpoint->timeout());
  connection_ = context_->pool->Take(job_.endpoint->origin().get());
  reused_ = connection_ != nullptr;
  if (reused_) {
    Send();
  } else {
    Locate();
  }
  starting_ = false;
}

// Finds the addresses for a fresh connection.
void HttpExchange::Locate() {
  reused_ = false;
  const Url& url = job_.endpoint->origin()->url;
  if (const std::optional<IpAddress> literal = IpAddress::OfHost(url); literal.has_value()) {
    Resolution resolution;
    resolution.status = Resolution::Status::kOk;
    resolution.addresses = {*literal};
    OnResolved(resolution);
  } else if (const Resolution* known = context_->resolver->Cached(url.host); known != nullptr) {
    OnResolved(*known);
  } else {
    question_ = context_->resolver->Resolve(url.host, [this](const Resolution& resolution) {
      const WorkScope scope(job_.item);
      OnResolved(resolution);
    });
  }
}

void HttpExchange::OnResolved(const Resolution& resolution) {
  switch (resolution.status) {
    case Resolution::Status::kOk: break;
    case Resolution::Status::kNotFound:
      Fail(Outcome::kDnsError, "the host's name does not exist or has no address");
      return;
    case Resolution::Status::kFailed:
      Fail(Outcome::kDnsError, "the host's name could not be looked up");
      return;
    case Resolution::Status::kServerFault:
      Fail(Outcome::kInternalError, "the gateway's name server does not answer");
      return;
  }
  if (!context_->guard.AllowsAll(resolution.addresses)) {
    Fail(Outcome::kAddressDenied, "the host has an address that is not a public one");
    return;
  }
  addresses_ = resolution.addresses;
  const std::optional<IpAddress>& working = job_.endpoint->origin()->working;
  if (working.has_value()) {
    std::stable_partition(addresses_.begin(), addresses_.end(),
                          [&](const IpAddress& address) { return address == *working; });
  }
  next_address_ = 0;
  dial_deadline_ = context_->clock->Monotonic() + context_->connect_timeout;
  Dial();
}

void HttpExchange::Dial() {
  const IpAddress address = addresses_[next_address_++];
  absl::Duration deadline = dial_deadline_;
  if (next_address_ < addresses_.size()) {
    deadline = std::min(deadline, context_->clock->Monotonic() + kAddressTimeout);
  }
  connection_ = context_->pool->Open(job_.endpoint->origin());
  connection_->WorkOn(job_.item);
  connection_->Connect(address, deadline,
                       [this](ConnectResult result) { OnConnected(std::move(result)); });
}

void HttpExchange::OnConnected(ConnectResult result) {
  if (result.outcome == Outcome::kSuccess) {
    Send();
    return;
  }
  connection_ = nullptr;
  if (result.other_address_may_do && next_address_ < addresses_.size() &&
      context_->clock->Monotonic() < dial_deadline_) {
    Dial();
    return;
  }
  Fail(result.outcome, std::move(result.error_text));
}

void HttpExchange::Send() {
  connection_->WorkOn(job_.item);
  Connection::Request request;
  if (job_.event != nullptr) {
    CrashPoint("before_post");
    FaultPoint("before_send", job_.event->type);
    job_.endpoint->WritePost(*job_.event, job_.attempt_number, context_->clock->Now(),
                             connection_->head());
    request.event = job_.event;
    request.success_bytes_kept = job_.keep_response ? kResponseKeptBytes : 0;
  } else {
    job_.endpoint->WriteChallenge(job_.challenge, connection_->head());
    request.success_bytes_kept = kChallengeBodyBytesMax;
  }
  connection_->Send(std::move(request), [this](Reply reply) { OnReply(std::move(reply)); });
}

void HttpExchange::OnReply(Reply reply) {
  connection_ = nullptr;
  // The peer closed while we sent: it cannot have seen the whole request and answered, and should
  // it have, the event's id tells.
  if (reply.outcome == Outcome::kConnectionClosed && reused_ && !reply.begun && !retried_) {
    retried_ = true;
    Locate();
    return;
  }
  PostResult result;
  result.outcome = reply.outcome;
  result.http_status = reply.http_status;
  result.retry_after = reply.retry_after;
  result.latency = reply.time - start_time_;
  result.error_text = std::move(reply.error_text);
  if (job_.event == nullptr && reply.outcome == Outcome::kSuccess) {
    JudgeChallenge(reply, &result);
  }
  if (!result.success() || job_.keep_response) {
    result.response = reply.body.substr(0, kResponseKeptBytes);
  }
  Finish(std::move(result));
}

void HttpExchange::JudgeChallenge(const Reply& reply, PostResult* result) const {
  if (!reply.body_complete || reply.body != job_.challenge) {
    result->outcome = Outcome::kProtocolError;
    result->error_text = "the response's body is not exactly the challenge";
  }
}

void HttpExchange::OnDeadline() {
  const WorkScope scope(job_.item);
  question_.reset();
  if (connection_ != nullptr && connection_->Expire()) {
    return;  // The status was known: OnReply() has been called.
  }
  connection_ = nullptr;
  Fail(Outcome::kTimeout,
       absl::StrCat("no response within ", absl::FormatDuration(job_.endpoint->timeout())));
}

void HttpExchange::Fail(Outcome outcome, std::string text) {
  PostResult result;
  result.outcome = outcome;
  result.error_text = std::move(text);
  result.latency = context_->clock->Monotonic() - start_time_;
  Finish(std::move(result));
}

void HttpExchange::Finish(PostResult result) {
  context_->wheel->Set(this, absl::InfiniteDuration());
  question_.reset();
  if (!starting_) {
    Tell(std::move(result));
    return;
  }
  context_->loop->Post(
      [this, alive = std::weak_ptr<char>(context_->alive), kept = std::move(result)]() mutable {
        if (!alive.expired()) {
          Tell(std::move(kept));
        }
      });
}

void HttpExchange::Tell(PostResult result) {
  Poster::Done done = std::move(done_);
  job_ = ExchangeJob();
  addresses_.clear();
  context_->recycle(this);
  std::move(done)(std::move(result));  // Last: whoever is told may start this exchange anew.
}

}  // namespace postrider
