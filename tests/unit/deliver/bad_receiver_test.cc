// Receivers that misbehave: each costs bounded time and memory, and has its own outcome.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/scripted_server.h"
#include "tests/unit/deliver/poster_fixture.h"

namespace postrider {
namespace {

using Peer = ScriptedServer::Peer;
using testing::HasSubstr;

// Sends `bytes` after the request and then stays, or closes.
ScriptedServer::Script Says(std::string bytes, bool stays = false) {
  return [bytes = std::move(bytes), stays](Peer* peer) {
    peer->ReadRequest();
    peer->Send(bytes);
    if (stays) {
      peer->AwaitClose();
    }
  };
}

PostResult PostTo(const ScriptedServer& server, absl::Duration timeout = absl::Seconds(20)) {
  HttpPosterOptions options = LoopbackOptions();
  options.drain_timeout = absl::Milliseconds(50);
  PosterFixture poster(std::move(options));
  Subscription subscription = SubscriptionTo(server.Url());
  subscription.policy.timeout = timeout;
  return poster.Post(subscription);
}

TEST(BadReceiver, OnlyTwoHundredsAreSuccess) {
  for (const int status : {200, 201, 202, 204, 299}) {
    ScriptedServer server([&](Peer* peer) {
      peer->ReadRequest();
      peer->Respond(status, "");
    });
    EXPECT_EQ(PostTo(server).outcome, Outcome::kSuccess) << status;
  }
  for (const int status :
       {300, 301, 302, 304, 307, 400, 401, 404, 410, 429, 500, 503, 599, 600, 999}) {
    ScriptedServer server([&](Peer* peer) {
      peer->ReadRequest();
      peer->Respond(status, "", "Location: http://127.0.0.1:1/\r\n");
    });
    const PostResult result = PostTo(server);
    EXPECT_EQ(result.outcome, Outcome::kHttpStatus) << status;
    EXPECT_EQ(result.http_status, status);
    EXPECT_THAT(result.error_text, HasSubstr(absl::StrCat(status)));
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(BadReceiver, KeepsTheFirstKilobyteOfAFailure) {
  for (const size_t size : {0, 3, 1024, 1025, 5000, 100'000}) {
    const std::string body(size, 'x');
    ScriptedServer server([&](Peer* peer) {
      peer->ReadRequest();
      peer->Respond(500, body);
      peer->AwaitClose();
    });
    EXPECT_EQ(PostTo(server).response, body.substr(0, 1024)) << size;
  }
}

TEST(BadReceiver, SuccessIsToldBeforeTheBodyHasCome) {
  std::promise<void> told;
  ScriptedServer server([&told](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    told.get_future().wait();
  });
  PosterFixture poster;
  EXPECT_TRUE(poster.PostTo(server.Url()).success());
  told.set_value();
}

TEST(BadReceiver, ReadsNoHundredMegabytes) {
  for (const std::string framing :
       {"Content-Length: 100000000\r\n\r\n", "\r\n" /* Until the connection ends. */}) {
    std::atomic<size_t> sent{0};
    ScriptedServer server([&](Peer* peer) {
      peer->ReadRequest();
      peer->Send("HTTP/1.1 200 OK\r\n" + framing);
      const std::string block(1 << 16, 'x');
      while (sent < 100'000'000 && peer->Send(block)) {
        sent += block.size();
      }
    });
    HttpPosterOptions options = LoopbackOptions();
    PosterFixture poster(std::move(options));
    const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
    EXPECT_TRUE(poster.Post(endpoint).success());
    EXPECT_TRUE(poster.Post(endpoint).success());
    EXPECT_EQ(server.connections(), 2);  // The first one was given up, not drained.
    EXPECT_LT(sent, 50'000'000U);
  }
}

TEST(BadReceiver, ReadsNoHundredMegabytesInChunks) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = absl::StrCat("10000\r\n", std::string(1 << 16, 'y'), "\r\n");
    for (int i = 0; i < 1600 && peer->Send(chunk); ++i) {
    }
  });
  const PostResult result = PostTo(server);
  EXPECT_EQ(result.http_status, 500);
  EXPECT_EQ(result.response, std::string(1024, 'y'));
}

TEST(BadReceiver, ADripOfHeaderBytesEndsAtTheTimeout) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    for (const char c : std::string("HTTP/1.1 200 OK\r\nX: ") + std::string(100'000, 'x')) {
      if (!peer->Send(std::string(1, c)) || !peer->Pause(absl::Milliseconds(10))) {
        return;
      }
    }
  });
  const PostResult result = PostTo(server, absl::Milliseconds(200));
  EXPECT_EQ(result.outcome, Outcome::kTimeout);
  EXPECT_GE(result.latency, absl::Milliseconds(200));
  EXPECT_LT(result.latency, absl::Seconds(5));
  EXPECT_EQ(result.error_text, "no response within 200ms");
}

TEST(BadReceiver, ADripOfABodyIsWaitedForBriefly) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 503 No\r\nContent-Length: 1000\r\n\r\n");
    while (peer->Send("z") && peer->Pause(absl::Milliseconds(10))) {
    }
  });
  const PostResult result = PostTo(server);
  EXPECT_EQ(result.http_status, 503);
  EXPECT_EQ(result.response.substr(0, 1), "z");
  EXPECT_LT(result.response.size(), 1000U);
}

TEST(BadReceiver, TheTimeoutEndsTheWaitForABodyToo) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 503 No\r\nContent-Length: 1000\r\n\r\nabc");
    peer->AwaitClose();
  });
  HttpPosterOptions options = LoopbackOptions();
  options.drain_timeout = absl::Hours(1);
  PosterFixture poster(std::move(options));
  Subscription subscription = SubscriptionTo(server.Url());
  subscription.policy.timeout = absl::Milliseconds(100);
  const PostResult result = poster.Post(subscription);
  EXPECT_EQ(result.outcome, Outcome::kHttpStatus);
  EXPECT_EQ(result.http_status, 503);
  EXPECT_EQ(result.response, "abc");
}

TEST(BadReceiver, SilenceEndsAtTheDefaultTimeout) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    peer->AwaitClose();
  });
  PosterFixture poster;
  auto result = poster.Start(
      {.endpoint = poster.Prepare(SubscriptionTo(server.Url())), .event = EventWithBody("{}")});
  EXPECT_TRUE(Eventually([&]() { return server.requests().size() == 1; }));
  poster.SkipSeconds(19);
  EXPECT_EQ(result.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  poster.SkipSeconds(1);
  EXPECT_EQ(result.get().outcome, Outcome::kTimeout);
}

TEST(BadReceiver, ClosesOrResetsAtOnce) {
  ScriptedServer closing([](Peer*) {});
  EXPECT_EQ(PostTo(closing).outcome, Outcome::kConnectionClosed);
  // Whether the connection has been made by then is chance.
  ScriptedServer resetting([](Peer* peer) { peer->Reset(); });
  const Outcome outcome = PostTo(resetting).outcome;
  EXPECT_TRUE(outcome == Outcome::kConnectionClosed || outcome == Outcome::kConnectError);
  ScriptedServer later([](Peer* peer) {
    peer->ReadRequest();
    peer->Reset();
  });
  EXPECT_EQ(PostTo(later).outcome, Outcome::kConnectionClosed);
}

TEST(BadReceiver, ClosesWithinTheHeader) {
  ScriptedServer server(Says("HTTP/1.1 200 OK\r\nContent-Le"));
  const PostResult result = PostTo(server);
  EXPECT_EQ(result.outcome, Outcome::kConnectionClosed);
  EXPECT_THAT(result.error_text, HasSubstr("within the response's header"));
}

TEST(BadReceiver, SpeaksHttpOneDotZero) {
  ScriptedServer server(Says("HTTP/1.0 200 OK\r\n\r\nfine"));
  EXPECT_EQ(PostTo(server).outcome, Outcome::kSuccess);
  ScriptedServer failing(Says("HTTP/1.0 500 No\r\n\r\nbroken"));
  const PostResult result = PostTo(failing);
  EXPECT_EQ(result.http_status, 500);
  EXPECT_EQ(result.response, "broken");
}

TEST(BadReceiver, SpeaksInChunks) {
  ScriptedServer server([](Peer* peer) {
    while (peer->ReadRequest().has_value()) {
      peer->Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      peer->Send("3;name=value\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n");
    }
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
}

TEST(BadReceiver, InterimResponsesAreSkipped) {
  ScriptedServer server(
      Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
           "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno"));
  const PostResult result = PostTo(server);
  EXPECT_EQ(result.http_status, 503);
  EXPECT_EQ(result.response, "no");
}

TEST(BadReceiver, SwitchingProtocolsIsRefused) {
  ScriptedServer server(Says("HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", true));
  EXPECT_EQ(PostTo(server).outcome, Outcome::kProtocolError);
}

TEST(BadReceiver, EndlessInterimResponsesAreRefused) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    while (peer->Send("HTTP/1.1 100 Continue\r\n\r\n")) {
    }
  });
  EXPECT_EQ(PostTo(server).outcome, Outcome::kProtocolError);
}

TEST(BadReceiver, SpeaksGarbage) {
  for (const std::string garbage :
       {"hello\r\n\r\n", "\r\n", "h", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "HTTP/1.1 500 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 500 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    ScriptedServer server(Says(garbage, true));
    EXPECT_EQ(PostTo(server).outcome, Outcome::kProtocolError) << garbage;
  }
}

TEST(BadReceiver, AHeaderBeyondTheLimitIsRefused) {
  const std::string fits(30 * 1024, 'a');
  ScriptedServer fitting(
      Says(absl::StrCat("HTTP/1.1 200 OK\r\nX: ", fits, "\r\nContent-Length: 0\r\n\r\n"), true));
  EXPECT_EQ(PostTo(fitting).outcome, Outcome::kSuccess);

  ScriptedServer one_line([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 200 OK\r\nX: ");
    while (peer->Send(std::string(4096, 'a'))) {
    }
  });
  const PostResult result = PostTo(one_line);
  EXPECT_EQ(result.outcome, Outcome::kProtocolError);
  EXPECT_THAT(result.error_text, HasSubstr("32768"));

  ScriptedServer many_lines([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 200 OK\r\n");
    while (peer->Send("X-Cookie: abcdefghijklmnopqrstuvwxyz\r\n")) {
    }
  });
  EXPECT_EQ(PostTo(many_lines).outcome, Outcome::kProtocolError);
}

TEST(BadReceiver, AnEndlessChunkLineIsBounded) {
  ScriptedServer server([](Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    while (peer->Send(std::string(4096, 'a'))) {
    }
  });
  EXPECT_EQ(PostTo(server).http_status, 500);
}

TEST(BadReceiver, MoreThanWasAskedForEndsTheConnection) {
  ScriptedServer server([](Peer* peer) {
    while (peer->ReadRequest().has_value()) {
      peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Smuggled\r\n\r\n");
    }
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(server.connections(), 2);
}

TEST(BadReceiver, UnaskedBytesOnAnIdleConnectionEndIt) {
  std::atomic<bool> closed{false};
  ScriptedServer server([&closed](Peer* peer) {
    peer->ReadRequest();
    peer->Respond(200);
    peer->Pause(absl::Milliseconds(20));
    peer->Send("HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n");
    peer->AwaitClose();
    closed = true;
  });
  PosterFixture poster;
  EXPECT_TRUE(poster.PostTo(server.Url()).success());
  EXPECT_TRUE(Eventually([&]() { return closed.load(); }));
}

TEST(BadReceiver, AnAnswerBeforeTheWholeRequestCounts) {
  ScriptedServer server([](Peer* peer) {
    peer->Send("HTTP/1.1 413 Too large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer->Pause(absl::Milliseconds(50));  // Never reads the body.
  });
  PosterFixture poster;
  const PostResult result =
      poster.Post(SubscriptionTo(server.Url()), EventWithBody(std::string(8 << 20, 'x')));
  EXPECT_EQ(result.http_status, 413);
  EXPECT_EQ(result.response, "big");
}

TEST(BadReceiver, RetryAfterIsRead) {
  const auto retry_after = [](const std::string& header) {
    ScriptedServer server([&](Peer* peer) {
      peer->ReadRequest();
      peer->Respond(503, "", header);
    });
    return PostTo(server).retry_after;
  };
  EXPECT_EQ(retry_after("Retry-After: 120\r\n"), absl::Seconds(120));
  EXPECT_EQ(retry_after("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"),
            absl::Seconds(60));
  EXPECT_EQ(retry_after("Retry-After: soon\r\n"), std::nullopt);
  EXPECT_EQ(retry_after(""), std::nullopt);
}

}  // namespace
}  // namespace postrider
