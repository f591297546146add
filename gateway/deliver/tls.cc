#include "gateway/deliver/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gateway/base/check.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

constexpr uint8_t kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that has gone would kill us.
int DescriptorOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

int WriteBio(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t bytes =
      send(DescriptorOf(bio), data, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(bytes);
}

int ReadBio(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t bytes = recv(DescriptorOf(bio), data, static_cast<size_t>(size), MSG_DONTWAIT);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(bytes);
}

long ControlBio(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int CreateBio(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

// Never destroyed: connections may be closed at the very end.
BIO_METHOD* SocketBioMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, WriteBio);
    BIO_meth_set_read(made, ReadBio);
    BIO_meth_set_ctrl(made, ControlBio);
    BIO_meth_set_create(made, CreateBio);
    return made;
  }();
  return method;
}

// Where OpenSSL looks, unless a variable says otherwise.
std::string PlaceOf(const char* variable, const char* place) {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : place;
}

absl::Status CheckSystemRoots() {
  const std::string file = PlaceOf(X509_get_default_cert_file_env(), X509_get_default_cert_file());
  const std::string folders = PlaceOf(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return absl::OkStatus();
  }
  for (const absl::string_view folder : absl::StrSplit(folders, ':')) {
    const std::filesystem::directory_iterator entries(std::string(folder), error);
    if (entries != std::filesystem::directory_iterator()) {
      return absl::OkStatus();
    }
  }
  return InvalidField("ca_file", absl::StrCat("is not given, and there are no CA certificates in ",
                                              folders, "; install the package ca-certificates"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Create(const std::string& ca_file) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr);
  std::unique_ptr<TlsContext> owner(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof(kAlpn));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &TlsSession::OnNewSession);
  ERR_clear_error();
  if (ca_file.empty()) {
    RETURN_IF_ERROR(CheckSystemRoots());
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return InvalidField("ca_file", absl::StrCat("\"", ca_file, "\" cannot be read as PEM: ",
                                                ERR_reason_error_string(ERR_peek_last_error())));
  }
  return owner;
}

TlsSession::TlsSession(TlsContext* context, int descriptor, const Url& url,
                       TlsResumption* resumption)
    : session_(SSL_new(context->context_.get())), resumption_(resumption) {
  CHECK(session_ != nullptr);
  SSL* const session = session_.get();
  BIO* const bio = BIO_new(SocketBioMethod());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)));
  SSL_set_bio(session, bio, bio);
  SSL_set_app_data(session, this);
  SSL_set_connect_state(session);
  X509_VERIFY_PARAM* const verify = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(
      verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (url.host_kind == Url::HostKind::kName) {
    CHECK(X509_VERIFY_PARAM_set1_host(verify, url.host.data(), url.host.size()) == 1);
    SSL_set_tlsext_host_name(session, url.host.c_str());
  } else {
    const size_t bytes = url.host_kind == Url::HostKind::kIpv4 ? 4 : 16;
    CHECK(X509_VERIFY_PARAM_set1_ip(verify, url.address.data(), bytes) == 1);
  }
  if (SSL_SESSION* const known = resumption->session(); known != nullptr) {
    SSL_set_session(session, known);
  }
}

TlsSession::~TlsSession() {
  ERR_clear_error();
  if (error_.empty() && SSL_is_init_finished(session_.get()) == 1) {
    SSL_shutdown(session_.get());
  }
  // Without this OpenSSL takes the session for a broken one and never resumes it.
  SSL_set_shutdown(session_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

TlsSession::Result TlsSession::Handshake() {
  ERR_clear_error();
  return ToResult(SSL_do_handshake(session_.get()));
}

TlsSession::Result TlsSession::Read(absl::Span<char> space, size_t* bytes) {
  ERR_clear_error();
  return ToResult(SSL_read_ex(session_.get(), space.data(), space.size(), bytes));
}

TlsSession::Result TlsSession::Write(absl::string_view data, size_t* bytes) {
  ERR_clear_error();
  return ToResult(SSL_write_ex(session_.get(), data.data(), data.size(), bytes));
}

std::string TlsSession::error_text() const { return error_; }

int TlsSession::OnNewSession(SSL* session, SSL_SESSION* ticket) {
  auto* const self = static_cast<TlsSession*>(SSL_get_app_data(session));
  self->resumption_->Keep(ticket);
  return 1;  // The reference is ours now.
}

TlsSession::Result TlsSession::ToResult(int returned) {
  if (returned == 1) {
    return Result::kOk;
  }
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Result::kWantRead;
    case SSL_ERROR_WANT_WRITE: return Result::kWantWrite;
    case SSL_ERROR_ZERO_RETURN: return Result::kEnd;
    case SSL_ERROR_SYSCALL: error_ = "the connection was lost"; return Result::kError;
    default: break;
  }
  const long verified = SSL_get_verify_result(session_.get());
  const unsigned long code = ERR_peek_error();
  if (verified != X509_V_OK) {
    error_ =
        absl::StrCat("the certificate is not accepted: ", X509_verify_cert_error_string(verified));
  } else if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    error_ = "the connection was closed without TLS's farewell";
  } else {
    const char* const reason = ERR_reason_error_string(code);
    error_ = absl::StrCat("TLS: ", reason == nullptr ? "unknown error" : reason);
  }
  return Result::kError;
}

}  // namespace postrider
