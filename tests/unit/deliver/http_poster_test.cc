// What is sent, byte by byte, and how connections are used again.

#include "gateway/deliver/http_poster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/version.h"
#include "gateway/deliver/tls.h"
#include "tests/support/scripted_server.h"
#include "tests/unit/deliver/poster_fixture.h"

namespace postrider {
namespace {

std::string TestData(const std::string& name) {
  std::ifstream file("tests/unit/deliver/testdata/" + name);
  CHECK(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(HttpPoster, SendsTheVectorsHeadersAndBody) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  Subscription subscription = SubscriptionTo(server.Url("/hook?a=1"));
  auto event = std::make_shared<Event>(*EventWithBody(TestData("webhook.json")));
  event->traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const PostResult result =
      poster.Start({.endpoint = poster.Prepare(subscription), .event = event, .attempt_number = 3})
          .get();
  EXPECT_EQ(result.outcome, Outcome::kSuccess);
  EXPECT_EQ(result.http_status, 200);
  EXPECT_GT(result.latency, absl::ZeroDuration());
  EXPECT_EQ(result.error_text, "");

  ASSERT_EQ(server.requests().size(), 1U);
  const ReceivedRequest request = server.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook?a=1");
  EXPECT_EQ(request.body, event->body);
  EXPECT_EQ(request.header("host"), absl::StrCat("127.0.0.1:", server.port()));
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("content-length"), "1176");
  EXPECT_EQ(request.header("user-agent"), absl::StrCat("Postrider/", kVersion));
  EXPECT_EQ(request.header("accept"), "*/*");
  EXPECT_EQ(request.header("accept-encoding"), "identity");
  EXPECT_EQ(request.header("webhook-id"), "774ae370-02cc-11e7-ac41-c38ce8763025");
  EXPECT_EQ(request.header("webhook-timestamp"), "1545246541");
  EXPECT_EQ(request.header("webhook-signature"), "v1,cVdlTR5NGpac0hGrlNyzPs4VGLs1DfKfLEVyNatYfes=");
  EXPECT_EQ(request.header("x-postrider-attempt"), "3");
  EXPECT_EQ(request.header("x-postrider-event"), "message.create.contact.chat");
  EXPECT_EQ(request.header("traceparent"), event->traceparent);
  EXPECT_EQ(request.headers.count("authorization"), 0U);
}

TEST(HttpPoster, WhatAnAnswerBringsAboutIsBlamedOnItsOwnItem) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  const auto event = EventWithBody("{}");
  for (const uint64_t seq : {8U, 9U}) {  // The second over the connection of the first.
    const WorkItem item = {.shard = 1, .subscription = 5, .seq = seq};
    EXPECT_EQ(poster.WorkAtEnd({.endpoint = endpoint, .event = event, .item = item}), item);
  }
  EXPECT_EQ(poster.WorkAtEnd({.endpoint = endpoint, .event = event}), WorkItem());

  const WorkItem item = {.shard = 1, .subscription = 5, .seq = 9};
  const auto nowhere = poster.Prepare(SubscriptionTo("http://127.0.0.1:1"));
  EXPECT_EQ(poster.WorkAtEnd({.endpoint = nowhere, .event = event, .item = item}), item);
}

TEST(HttpPoster, SendsThePlatformsSignatures) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  Subscription subscription = SubscriptionTo(server.Url());
  subscription.secrets = {{.text = "zICWczLmAOEDvh1DiPGSHw=="}};
  EXPECT_TRUE(poster.Post(subscription, EventWithBody(TestData("webhook.json"))).success());
  const ReceivedRequest request = server.requests().at(0);
  EXPECT_EQ(request.header("x-hub-signature"), "sha1=84e0f0eb9c74878d4390041fbf9facec2293dfb1");
  EXPECT_EQ(request.header("x-hub-signature-256"),
            "sha256=2f5a4c2f28917eb9685525f153c30dee1938238b552a76046ec1d63a8404b56e");
}

TEST(HttpPoster, SendsOwnHeadersAndCredentials) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  Subscription subscription =
      SubscriptionTo(absl::StrCat("http://us%65r:p%40ss@127.0.0.1:", server.port(), "/hook"));
  subscription.headers = {{"X-Tenant", "blue"},
                          {"user-agent", "Shop/1"},
                          {"X-Evil", "a\r\nX-Injected: 1"},
                          {"Bad Name", "1"}};
  EXPECT_TRUE(poster.Post(subscription).success());
  const ReceivedRequest request = server.requests().at(0);
  EXPECT_EQ(request.header("authorization"),
            absl::StrCat("Basic ", absl::Base64Escape("user:p@ss")));
  EXPECT_EQ(request.header("x-tenant"), "blue");
  EXPECT_EQ(request.header("user-agent"), "Shop/1");
  EXPECT_EQ(request.headers.count("x-injected"), 0U);
  EXPECT_FALSE(absl::StrContains(request.raw_header, "Bad Name"));

  subscription.headers = {{"Authorization", "Bearer token"}};
  EXPECT_TRUE(poster.Post(subscription).success());
  EXPECT_EQ(server.requests().at(1).header("authorization"), "Bearer token");
}

TEST(HttpPoster, KeepsTheConnectionForManyExchanges) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(poster.Post(endpoint).success());
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpPoster, SharesConnectionsBetweenSubscriptionsOfOneOrigin) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  EXPECT_TRUE(poster.PostTo(server.Url("/a")).success());
  EXPECT_TRUE(poster.PostTo(server.Url("/b")).success());
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpPoster, OpensAsManyConnectionsAsExchangesAreUnderWay) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  std::vector<std::future<PostResult>> results;
  for (int i = 0; i < 100; ++i) {
    results.push_back(poster.Start({.endpoint = endpoint, .event = EventWithBody("{}")}));
  }
  for (std::future<PostResult>& result : results) {
    EXPECT_TRUE(result.get().success());
  }
  EXPECT_EQ(server.requests().size(), 100U);
  EXPECT_LE(server.connections(), 100);
}

TEST(HttpPoster, SendsALargeBodyWhole) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  std::string body;
  for (int i = 0; body.size() < (1 << 20); ++i) {
    absl::StrAppend(&body, i, ",");
  }
  EXPECT_TRUE(poster.Post(SubscriptionTo(server.Url()), EventWithBody(body)).success());
  EXPECT_EQ(server.requests().at(0).body, body);
}

TEST(HttpPoster, RetriesOnceWhenAKeptConnectionHasDied) {
  // The first connection answers once and then closes when the next request has come.
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    if (peer->number() > 0) {
      AnswerOk(peer);
      return;
    }
    peer->ReadRequest();
    peer->Respond(200);
    peer->ReadRequest();
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(HttpPoster, DoesNotRetryAfterTheFirstByteOfAResponse) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Respond(200);
    peer->ReadRequest();
    peer->Send("H");
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(poster.Post(endpoint).outcome, Outcome::kConnectionClosed);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpPoster, DoesNotRetryAFreshConnection) {
  ScriptedServer server([](ScriptedServer::Peer* peer) { peer->ReadRequest(); });
  PosterFixture poster;
  const PostResult result = poster.PostTo(server.Url());
  EXPECT_EQ(result.outcome, Outcome::kConnectionClosed);
  EXPECT_EQ(result.http_status, 0);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpPoster, RetriesNoMoreThanOnce) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    if (peer->number() == 0) {
      peer->Respond(200);
      peer->ReadRequest();
    }
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(poster.Post(endpoint).outcome, Outcome::kConnectionClosed);
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpPoster, ForgetsAnIdleConnectionThatThePeerCloses) {
  std::promise<void> closed;
  ScriptedServer server([&closed](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Respond(200);
    if (peer->number() > 0) {
      peer->AwaitClose();
    }
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpPoster, HonoursConnectionCloseAndAShortKeepAlive) {
  for (const std::string header : {"Connection: close\r\n", "Keep-Alive: timeout=1\r\n"}) {
    ScriptedServer server([&header](ScriptedServer::Peer* peer) {
      peer->ReadRequest();
      peer->Respond(200, "", header);
      peer->AwaitClose();
    });
    PosterFixture poster;
    const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
    EXPECT_TRUE(poster.Post(endpoint).success()) << header;
    EXPECT_TRUE(poster.Post(endpoint).success()) << header;
    EXPECT_EQ(server.connections(), 2) << header;
  }
}

TEST(HttpPoster, ClosesIdleConnectionsAndOldOnes) {
  HttpPosterOptions options = LoopbackOptions();
  options.idle_timeout = absl::Milliseconds(30);
  std::atomic<bool> closed{false};
  ScriptedServer server([&closed](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Respond(200);
    peer->AwaitClose();
    closed = true;
  });
  PosterFixture poster(std::move(options));
  EXPECT_TRUE(poster.PostTo(server.Url()).success());
  EXPECT_TRUE(Eventually([&]() { return closed.load(); }));

  HttpPosterOptions young = LoopbackOptions();
  young.connection_age_max = absl::ZeroDuration();
  ScriptedServer other(AnswerOk);
  PosterFixture second(std::move(young));
  EXPECT_TRUE(second.PostTo(other.Url()).success());
  EXPECT_TRUE(second.PostTo(other.Url()).success());
  EXPECT_EQ(other.connections(), 2);
}

TEST(HttpPoster, DestroysUnfinishedExchangesWithoutCallingThem) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->AwaitClose();
  });
  std::future<PostResult> unfinished;
  {
    PosterFixture poster;
    unfinished = poster.Start(
        {.endpoint = poster.Prepare(SubscriptionTo(server.Url())), .event = EventWithBody("{}")});
    EXPECT_TRUE(Eventually([&]() { return server.requests().size() == 1; }));
  }
  EXPECT_THROW(unfinished.get(), std::future_error);
}

TEST(HttpPoster, AnswersForASubscriptionThatCannotBeSentTo) {
  PosterFixture poster;
  EXPECT_EQ(poster.PostTo("ftp://example.com/").outcome, Outcome::kConnectError);
  Subscription without = SubscriptionTo("http://127.0.0.1:1/");
  without.secrets.clear();
  EXPECT_EQ(poster.Post(without).outcome, Outcome::kConnectError);
}

TEST(HttpPoster, KeepsTheResponseOfASuccessWhereItIsAskedFor) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    while (peer->ReadRequest()) peer->Respond(200, "thanks, " + std::string(2000, 'x'));
  });
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_EQ(poster.Post(endpoint).response, "");
  const PostResult kept =
      poster.Start({.endpoint = endpoint, .event = EventWithBody("{}"), .keep_response = true})
          .get();
  EXPECT_EQ(kept.outcome, Outcome::kSuccess);
  EXPECT_EQ(kept.response, "thanks, " + std::string(kResponseKeptBytes - 8, 'x'));
  EXPECT_EQ(poster.Post(endpoint).response, "") << "the next one is not asked for it";
}

TEST(HttpPoster, NamesTheCaFileThatCannotBeRead) {
  AsioLoop loop;
  HttpPosterOptions options;
  options.ca_file = "/nonexistent/ca.pem";
  const auto poster = NewHttpPoster(&loop, std::move(options), SystemClock());
  EXPECT_EQ(poster.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(poster.status().message()), testing::HasSubstr("ca_file"));
}

// Otherwise every subscriber would be blamed for what this machine lacks.
TEST(HttpPoster, DoesNotStartWithoutAnyRoots) {
  setenv("SSL_CERT_FILE", "/nonexistent/cert.pem", 1);
  setenv("SSL_CERT_DIR", "/nonexistent/a:/nonexistent/b", 1);
  const absl::Status none = TlsContext::Create("").status();
  setenv("SSL_CERT_DIR", "/nonexistent/a:/etc", 1);
  const absl::Status some = TlsContext::Create("").status();
  unsetenv("SSL_CERT_FILE");
  unsetenv("SSL_CERT_DIR");
  EXPECT_THAT(std::string(none.message()), testing::HasSubstr("ca_file"));
  EXPECT_TRUE(some.ok()) << some;
}

TEST(Challenge, IsAskedByGetAndMustBeEchoedExactly) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    while (const auto request = peer->ReadRequest()) {
      peer->Respond(200, "hmsmYGrwPFrWYbN", "Content-Type: text/html\r\n");
    }
  });
  PosterFixture poster;
  const PostResult result = poster.Challenge(server.Url("/hook"), "hmsmYGrwPFrWYbN");
  EXPECT_TRUE(result.success()) << result.error_text;
  EXPECT_EQ(server.requests().at(0).method, "GET");
  EXPECT_EQ(server.requests().at(0).target, "/hook?type=subscribe&challenge=hmsmYGrwPFrWYbN");
  EXPECT_EQ(server.requests().at(0).headers.count("webhook-signature"), 0U);

  EXPECT_TRUE(poster.Challenge(server.Url("/hook?a=b"), "hmsmYGrwPFrWYbN").success());
  EXPECT_EQ(server.requests().at(1).target, "/hook?a=b&type=subscribe&challenge=hmsmYGrwPFrWYbN");
}

TEST(Challenge, AnythingElseFails) {
  std::string answer;
  int status = 200;
  ScriptedServer server([&](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Respond(status, answer, "Connection: close\r\n");
  });
  PosterFixture poster;
  for (const std::string wrong : {"", "hmsmYGrwPFrWYb", "hmsmYGrwPFrWYbN\n", " hmsmYGrwPFrWYbN",
                                  "HMSMYGRWPFRWYBN", "<p>hmsmYGrwPFrWYbN</p>"}) {
    answer = wrong;
    const PostResult result = poster.Challenge(server.Url(), "hmsmYGrwPFrWYbN");
    EXPECT_EQ(result.outcome, Outcome::kProtocolError) << wrong;
    EXPECT_NE(result.error_text, "");
    EXPECT_EQ(result.response, wrong);
  }
  const std::string challenge = "hmsmYGrwPFrWYbN";
  answer = challenge + std::string(100'000, 'x');
  EXPECT_EQ(poster.Challenge(server.Url(), "hmsmYGrwPFrWYbN").outcome, Outcome::kProtocolError);
  answer = challenge;
  status = 403;
  const PostResult refused = poster.Challenge(server.Url(), "hmsmYGrwPFrWYbN");
  EXPECT_EQ(refused.outcome, Outcome::kHttpStatus);
  EXPECT_EQ(refused.http_status, 403);
}

TEST(Challenge, AHalfEchoIsNone) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhmsmYGrwPFrWYbN");
  });
  PosterFixture poster;
  EXPECT_EQ(poster.Challenge(server.Url(), "hmsmYGrwPFrWYbN").outcome, Outcome::kProtocolError);
}

}  // namespace
}  // namespace postrider
