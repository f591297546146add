#include "gateway/base/http_listener.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kConnectionsMax = 64;
constexpr uint32_t kHeaderBytesMax = 8 * 1024;
constexpr std::chrono::seconds kExchangeMax{10};
constexpr std::chrono::milliseconds kPauseAfterError{100};  // Out of file descriptors, as a rule.

// One connection. Kept alive by the operation that is under way on it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const HttpListener::Handler* handler, int* connections)
      : stream_(std::move(socket)), handler_(handler), connections_(connections) {
    ++*connections_;
  }
  ~Session() { --*connections_; }

  void Read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(0);
    stream_.expires_after(kExchangeMax);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (!error) self->Answer();
                     });
  }

 private:
  void Answer() {
    const http::request<http::empty_body>& request = parser_->get();
    const bool head = request.method() == http::verb::head;
    HttpAnswer answer;
    if (head || request.method() == http::verb::get) {
      const absl::string_view target(request.target().data(), request.target().size());
      answer = (*handler_)(target.substr(0, target.find('?')));
    } else {
      answer = {405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
    }
    response_ = {};
    response_.version(request.version());
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(http::field::content_type, answer.content_type);
    response_.keep_alive(request.keep_alive());
    const size_t bytes = answer.body.size();
    if (!head) response_.body() = std::move(answer.body);
    response_.content_length(bytes);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (!error && self->response_.keep_alive()) self->Read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  const HttpListener::Handler* const handler_;
  int* const connections_;
};

}  // namespace

class HttpListener::Impl {
 public:
  explicit Impl(Handler handler)
      : handler_(std::move(handler)), acceptor_(context_), pause_(context_) {}

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const std::string& host, uint16_t port) {
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    const tcp::endpoint endpoint(address, port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kConnectionsMax, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("can't listen on ", host, " port ", port, ": ", error.message()));
    }
    Accept();
    thread_ = std::thread([this] { context_.run(); });
    return absl::OkStatus();
  }

  uint16_t port() const {
    error_code error;
    return acceptor_.local_endpoint(error).port();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error && connections_ < kConnectionsMax) {
        std::make_shared<Session>(std::move(socket), &handler_, &connections_)->Read();
      }
      if (!error) return Accept();
      pause_.expires_after(kPauseAfterError);
      pause_.async_wait([this](error_code) { Accept(); });
    });
  }

  const Handler handler_;
  int connections_ = 0;  // The thread's; outlives the sessions, which end with context_.
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::thread thread_;
};

HttpListener::HttpListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpListener::~HttpListener() = default;

uint16_t HttpListener::port() const { return impl_->port(); }

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Start(const std::string& host,
                                                                  uint16_t port, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(handler));
  const absl::Status status = impl->Listen(host, port);
  if (!status.ok()) {
    return status;
  }
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(impl)));
}

}  // namespace postrider
