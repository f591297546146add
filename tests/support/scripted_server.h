#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/base/mutex.h"

namespace postrider {

// A request as a ScriptedServer got it.
struct ReceivedRequest {
  std::string method;
  std::string target;
  std::multimap<std::string, std::string> headers;  // Names in lower case.
  std::string raw_header;                           // As it came.
  std::string body;
  int connection = 0;  // Counted from 0.

  // The only header of this name; empty if there is none or more than one.
  std::string header(const std::string& name) const;
};

// A receiver that answers anything, however wrong: a script talks to each connection in bytes, on a
// thread of its own. Listens on a free port of 127.0.0.1.
class ScriptedServer {
 public:
  // One connection, for its script.
  class Peer {
   public:
    // Its number, from 0, in the order of acceptance.
    int number() const { return number_; }

    // The next request with its body by Content-Length; nothing if the client has gone.
    std::optional<ReceivedRequest> ReadRequest();

    // False if the client has gone.
    bool Send(absl::string_view bytes);

    // A whole response; `header` are lines, each with its end.
    bool Respond(int status, absl::string_view body = "", absl::string_view header = "");

    // Waits until the client has gone or, at most, for `span`; true if the client is still there.
    bool Pause(absl::Duration span);

    // Waits until the client has gone or the server stops.
    void AwaitClose() { Pause(absl::InfiniteDuration()); }

    // Ends the connection by a reset instead of in an orderly way.
    void Reset();

   private:
    friend class ScriptedServer;

    size_t Read(char* space, size_t bytes);

    ScriptedServer* server_ = nullptr;
    int socket_ = -1;
    int number_ = 0;
    SSL* tls_ = nullptr;
    std::string unread_;
  };
  using Script = std::function<void(Peer*)>;

  // With `certificate_file`, a PEM file of key and certificates, it speaks TLS.
  explicit ScriptedServer(Script script, const std::string& certificate_file = "");

  // Ends all connections and waits for the scripts.
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  uint16_t port() const { return port_; }

  // `http://127.0.0.1:<port><path>`, or https.
  std::string Url(absl::string_view path = "/hook", absl::string_view host = "127.0.0.1") const;

  // How many connections have been accepted, and of them, how many shortened TLS handshakes.
  int connections() const { return accepted_; }
  int resumed() const { return resumed_; }

  // All requests read so far.
  std::vector<ReceivedRequest> requests() const;

 private:
  void Accept();
  void Talk(int socket, int number);

  const Script script_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};  // Readable once the server stops.
  uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<int> resumed_{0};
  mutable Mutex mutex_;
  std::vector<ReceivedRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);  // The connections' sockets.
  std::list<std::thread> talks_;                // Only on the accepting thread until it has ended.
  std::thread acceptor_;
};

// Answers every request with 200, for ever.
void AnswerOk(ScriptedServer::Peer* peer);

}  // namespace postrider
