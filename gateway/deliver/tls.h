#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/model/url.h"

namespace postrider {

// The newest session of one origin, to shorten the next handshake.
class TlsResumption {
 public:
  TlsResumption() = default;
  TlsResumption(const TlsResumption&) = delete;
  TlsResumption& operator=(const TlsResumption&) = delete;

  void Keep(SSL_SESSION* session) { session_.reset(session); }  // Takes it over.
  SSL_SESSION* session() const { return session_.get(); }

 private:
  struct Free {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  std::unique_ptr<SSL_SESSION, Free> session_;
};

// What all TLS connections of a poster share: TLS 1.2 or newer, peers verified against the roots.
class TlsContext {
 public:
  // `ca_file`: PEM roots; empty: the system's. INVALID_ARGUMENT if it cannot be read, or if the
  // system has none: every subscriber would be blamed for that.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Create(const std::string& ca_file);

 private:
  friend class TlsSession;
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  explicit TlsContext(SSL_CTX* context) : context_(context) {}

  const std::unique_ptr<SSL_CTX, Free> context_;
};

// TLS over one connected socket, as the client. Never waits, never raises SIGPIPE.
class TlsSession {
 public:
  enum class Result { kOk, kWantRead, kWantWrite, kEnd, kError };

  // Verifies that the peer is `url`'s host. `context`, `resumption` and the descriptor outlive it.
  TlsSession(TlsContext* context, int descriptor, const Url& url, TlsResumption* resumption);
  // Says farewell if that can be done without waiting; nobody waits for the peer's.
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Result Handshake();

  // Reads at least one byte into `space`, or says what it waits for.
  Result Read(absl::Span<char> space, size_t* bytes);

  // Writes at least one byte of `data`; to be called again with the same bytes after kWantRead or
  // kWantWrite.
  Result Write(absl::string_view data, size_t* bytes);

  // Why the last call failed, for the owner of the subscription.
  std::string error_text() const;

  // Whether the handshake was shortened.
  bool resumed() const { return SSL_session_reused(session_.get()) == 1; }

 private:
  friend class TlsContext;
  struct Free {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  static int OnNewSession(SSL* session, SSL_SESSION* ticket);

  Result ToResult(int returned);

  const std::unique_ptr<SSL, Free> session_;
  TlsResumption* const resumption_;
  std::string error_;
};

}  // namespace postrider
