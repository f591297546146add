// Goal: the admin port answers operators, and clients that misbehave do not matter to it.
#include "server/admin.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>

#include "gateway/base/http_listener.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/server/fake_engine.h"

namespace postrider {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class AdminTest : public testing::Test {
 protected:
  AdminTest() : gateway_(engine_.MakeGateway()) {
    auto listener = HttpListener::Start("127.0.0.1", 0, [this](absl::string_view path) {
      return AdminAnswer(path, *gateway_, ready_);
    });
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }

  int Connect() const {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return descriptor;
  }

  // What comes back for these bytes until the connection is closed.
  std::string Exchange(const std::string& request) const {
    const int descriptor = Connect();
    EXPECT_EQ(send(descriptor, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(descriptor, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(count));
    }
    close(descriptor);
    return answer;
  }

  std::string Get(const std::string& path) const {
    return Exchange("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  FakeEngine engine_;
  std::unique_ptr<Gateway> gateway_;
  std::atomic<bool> ready_ = true;
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(AdminTest, AnswersWhatOperatorsAsk) {
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/metrics?x=1"), HasSubstr("\r\n\r\npostrider_up 1\n"));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200"));
  engine_.silence_seconds = 14;
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200"));
  engine_.silence_seconds = 15;
  EXPECT_THAT(Get("/readyz"), testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("15 s")));
  engine_.silence_seconds = 0;
  ready_ = false;
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404"));
}

TEST_F(AdminTest, KeepsConnectionsAndAnswersHead) {
  const std::string answer = Exchange(
      "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const size_t second = answer.find("HTTP/1.1 200", 1);
  ASSERT_NE(second, std::string::npos) << answer;
  EXPECT_THAT(answer.substr(0, second), HasSubstr("Content-Length: 3"));
  EXPECT_THAT(answer.substr(0, second), testing::Not(HasSubstr("ok")));
}

TEST_F(AdminTest, OtherMethodsAndGarbageAreRefused) {
  EXPECT_THAT(Exchange("DELETE /metrics HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
  EXPECT_EQ(Exchange("\x16\x03\x01 not http\r\n\r\n"), "");
  EXPECT_EQ(Exchange("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), "");
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminTest, SilentClientsDoNotKeepItFromStopping) {
  const int silent = Connect();
  listener_.reset();
  close(silent);
}

TEST_F(AdminTest, APortIsNotShared) {
  const auto second = HttpListener::Start("127.0.0.1", listener_->port(), nullptr);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace postrider
