#include "gateway/deliver/response_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr size_t kBufferBytes = 4096;  // Enough for most responses.
constexpr size_t kInterimResponsesMax = 16;
constexpr size_t kHeaderValueKeptMax = 256;

// What of a response we look at.
struct Response {
  int status = 0;
  uint64_t content_length = 0;  // As the header says, if it does.
  std::string retry_after;
  std::string date;
  std::string keep_alive;
  std::string body;
  size_t body_bytes = 0;
  bool header_done = false;

  // Keeps the strings' memory.
  void Clear() {
    status = 0;
    content_length = 0;
    retry_after.clear();
    date.clear();
    keep_alive.clear();
    body.clear();
    body_bytes = 0;
    header_done = false;
  }
};

class Parser final : public http::basic_parser<false> {
 public:
  Parser(Response* response, size_t kept_bytes_max)
      : response_(response), kept_bytes_max_(kept_bytes_max) {
    header_limit(kResponseHeaderBytesMax);
    body_limit(boost::none);  // Counted by whoever reads, who knows when it has seen enough.
    eager(true);
  }

 private:
  using string_view = boost::beast::string_view;

  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}

  void on_response_impl(int code, string_view, int, error_code&) override {
    response_->status = code;
  }

  void on_field_impl(http::field field, string_view, string_view value, error_code&) override {
    if (response_->header_done) {
      return;  // A trailer.
    }
    value = value.substr(0, kHeaderValueKeptMax);
    if (field == http::field::retry_after) {
      response_->retry_after.assign(value.data(), value.size());
    } else if (field == http::field::date) {
      response_->date.assign(value.data(), value.size());
    } else if (field == http::field::keep_alive) {
      response_->keep_alive.assign(value.data(), value.size());
    } else if (field == http::field::content_length &&
               !absl::SimpleAtoi(absl::string_view(value.data(), value.size()),
                                 &response_->content_length)) {
      response_->content_length = 0;  // The parser refuses it by itself.
    }
  }

  void on_header_impl(error_code&) override { response_->header_done = true; }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(string_view body, error_code&) override { return Keep(body); }

  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return Keep(body);
  }

  void on_finish_impl(error_code&) override {}

  size_t Keep(string_view body) {
    response_->body_bytes += body.size();
    const size_t room = kept_bytes_max_ - std::min(kept_bytes_max_, response_->body.size());
    response_->body.append(body.data(), std::min(room, body.size()));
    return body.size();
  }

  Response* const response_;
  const size_t kept_bytes_max_;
};

}  // namespace

class ResponseReader::Impl {
 public:
  void Begin(size_t kept_bytes_max) {
    kept_bytes_max_ = kept_bytes_max;
    interim_responses_ = 0;
    at_start_ = true;
    begun_ = false;
    has_status_ = false;
    came_bytes_ = filled_;
    state_ = State::kHeader;
    response_.Clear();
    error_.clear();
    parser_.emplace(&response_, kept_bytes_max);
  }

  absl::Span<char> Space() {
    if (filled_ == buffer_.size()) {
      buffer_.resize(std::max(kBufferBytes, buffer_.size() * 2));
    }
    return absl::MakeSpan(buffer_).subspan(filled_);
  }

  State Commit(size_t bytes) {
    filled_ += bytes;
    came_bytes_ += bytes;
    begun_ = begun_ || bytes > 0;
    size_t used = 0;
    while (used < filled_ && (state_ == State::kHeader || state_ == State::kBody)) {
      if (!StartsLikeHttp(absl::string_view(buffer_.data() + used, filled_ - used))) {
        FailWith("the response is not HTTP/1.1");
        break;
      }
      error_code error;
      const size_t taken =
          parser_->put(boost::asio::const_buffer(buffer_.data() + used, filled_ - used), error);
      used += taken;
      Proceed();
      if (error && error != http::error::need_more && state_ != State::kFailed) {
        Fail(error);
      }
      if (error || taken == 0) {
        break;
      }
    }
    std::copy(buffer_.begin() + static_cast<ptrdiff_t>(used),
              buffer_.begin() + static_cast<ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= used;
    CheckLength();
    return state_;
  }

  State End() {
    if (state_ == State::kHeader || state_ == State::kBody) {
      error_code error = http::error::partial_message;
      if (parser_->got_some()) {
        parser_->put_eof(error);
      }
      if (error) {
        Fail(error);
      } else {
        state_ = State::kDone;
      }
    }
    return state_;
  }

  // Whether the body is known to be longer than `bytes`.
  bool LengthIsOver(size_t bytes) const {
    return !parser_->chunked() && response_.content_length > bytes;
  }

  State state_ = State::kDone;
  std::string error_;
  bool begun_ = false;
  bool has_status_ = false;
  size_t filled_ = 0;  // Of buffer_; not read yet.
  Response response_;
  std::optional<Parser> parser_;

 private:
  // Whether `bytes` may go on as a response: a peer that speaks something else may never end a
  // line.
  bool StartsLikeHttp(absl::string_view bytes) {
    constexpr absl::string_view kStart = "HTTP/1.";
    if (!at_start_) {
      return true;
    }
    at_start_ = bytes.size() < kStart.size();
    return bytes.substr(0, kStart.size()) == kStart.substr(0, bytes.size());
  }

  // The parser's own limit is on what it has not used yet, and it uses up field by field. A body
  // that comes in chunks of one byte may have any length of framing.
  void CheckLength() {
    // No line of a chunked body is as long as a header may be either.
    const bool line_too_long = filled_ >= kResponseHeaderBytesMax && state_ != State::kDone;
    if (state_ == State::kBody && came_bytes_ > kResponseBytesMax) {
      FailWith(absl::StrCat("the response is longer than ", kResponseBytesMax, " bytes"));
    } else if (line_too_long ||
               (state_ == State::kHeader && came_bytes_ > kResponseHeaderBytesMax)) {
      Fail(http::error::header_limit);
    }
  }

  // Follows the parser to the next state.
  void Proceed() {
    if (!parser_->is_header_done()) {
      return;
    }
    if (response_.status >= 200) {
      has_status_ = true;
      state_ = parser_->is_done() ? State::kDone : State::kBody;
      return;
    }
    if (response_.status < 100 || response_.status == 101) {
      FailWith(absl::StrCat("the response has the status ", response_.status));
    } else if (++interim_responses_ > kInterimResponsesMax) {
      FailWith("too many interim responses");
    } else {
      response_.Clear();
      at_start_ = true;
      parser_.emplace(&response_, kept_bytes_max_);
    }
  }

  void Fail(error_code error) {
    if (error == http::error::header_limit) {
      FailWith(
          absl::StrCat("the response's header is longer than ", kResponseHeaderBytesMax, " bytes"));
    } else if (error == http::error::partial_message) {
      FailWith("the connection ended within the response");
    } else {
      FailWith(absl::StrCat("the response is not HTTP/1.1: ", error.message()));
    }
  }

  void FailWith(std::string text) {
    state_ = State::kFailed;
    error_ = std::move(text);
  }

  size_t kept_bytes_max_ = 0;
  size_t came_bytes_ = 0;  // Since Begin(), used up or not.
  size_t interim_responses_ = 0;
  bool at_start_ = true;  // Of a response: its first bytes have not come yet.
  std::vector<char> buffer_;
};

ResponseReader::ResponseReader() : impl_(std::make_unique<Impl>()) {}
ResponseReader::~ResponseReader() = default;

void ResponseReader::Begin(size_t kept_bytes_max) { impl_->Begin(kept_bytes_max); }
absl::Span<char> ResponseReader::Space() { return impl_->Space(); }
ResponseReader::State ResponseReader::Commit(size_t bytes) { return impl_->Commit(bytes); }
ResponseReader::State ResponseReader::End() { return impl_->End(); }
ResponseReader::State ResponseReader::state() const { return impl_->state_; }
const std::string& ResponseReader::error() const { return impl_->error_; }
bool ResponseReader::begun() const { return impl_->begun_; }
bool ResponseReader::has_status() const { return impl_->has_status_; }
int ResponseReader::status() const { return impl_->response_.status; }
bool ResponseReader::keep_alive() const { return impl_->parser_->keep_alive(); }
bool ResponseReader::length_is_over(size_t bytes) const { return impl_->LengthIsOver(bytes); }
absl::string_view ResponseReader::retry_after() const { return impl_->response_.retry_after; }
absl::string_view ResponseReader::date() const { return impl_->response_.date; }
absl::string_view ResponseReader::keep_alive_header() const { return impl_->response_.keep_alive; }
const std::string& ResponseReader::kept_body() const { return impl_->response_.body; }
size_t ResponseReader::body_bytes() const { return impl_->response_.body_bytes; }
bool ResponseReader::has_leftover() const { return impl_->filled_ > 0; }

}  // namespace postrider
