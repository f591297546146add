#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace postrider {

// Reads the response to one request after the other from a connection's bytes, within limits.
//
// Interim responses (1xx) are skipped. Of a body the first bytes are kept and the others counted.
// Fails when no header has ended within kResponseHeaderBytesMax, interim responses included, and
// when the body has not within kResponseBytesMax, however it is framed.
class ResponseReader {
 public:
  enum class State {
    kHeader,  // The header has not ended yet.
    kBody,
    kDone,
    kFailed,  // No response in our sense, or beyond a limit: error() says why.
  };

  ResponseReader();
  ~ResponseReader();

  // Makes ready for the response to the next request, of whose body `kept_bytes_max` are to be
  // kept. Bytes that are left over stay: see has_leftover().
  void Begin(size_t kept_bytes_max);

  // Where the connection's next bytes are to be put: never empty. Valid until Commit() or Begin().
  absl::Span<char> Space();

  // Says that the first `bytes` of Space() have been filled, and reads them.
  State Commit(size_t bytes);

  // Says that the connection has ended: a body without a length is then done, what else was going
  // on has failed.
  State End();

  State state() const;
  const std::string& error() const;

  // Whether any byte has come since Begin().
  bool begun() const;

  // Whether the header of a final response has been read, whatever became of its body.
  bool has_status() const;

  // From here on: once has_status().
  int status() const;
  bool keep_alive() const;                  // As the peer has it.
  bool length_is_over(size_t bytes) const;  // Whether the body is known to be longer.
  absl::string_view retry_after() const;
  absl::string_view date() const;
  absl::string_view keep_alive_header() const;
  const std::string& kept_body() const;
  size_t body_bytes() const;  // That have come.

  // Whether there are bytes after the response's end: what they answer nobody asked.
  bool has_leftover() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace postrider
