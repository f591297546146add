#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postrider {

// What a small HTTP server answers with.
struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// A small HTTP server for operators: GET and HEAD without a body, at most 64 connections at a time,
// 8 KiB of header, 10 s for each exchange. Not for the public. Has a thread of its own, on which
// the handler runs.
class HttpListener {
 public:
  // Answers for a path, without its query. Must not block for long: others wait.
  using Handler = std::function<HttpAnswer(absl::string_view path)>;

  // Listens on `host`, an IP address, and `port`, 0 for any free one. UNAVAILABLE, with the reason,
  // if that can't be had.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Start(const std::string& host, uint16_t port,
                                                             Handler handler);

  // Closes the connections and ends the thread.
  ~HttpListener();

  uint16_t port() const;

 private:
  class Impl;
  explicit HttpListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postrider
