// From a URL to a connection: names, addresses that are not allowed, TLS, whose fault it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/scripted_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/deliver/poster_fixture.h"

namespace postrider {
namespace {

using testing::HasSubstr;

Resolution Found(std::vector<IpAddress> addresses) {
  Resolution resolution;
  resolution.status = Resolution::Status::kOk;
  resolution.addresses = std::move(addresses);
  return resolution;
}

Resolution Not(Resolution::Status status) {
  Resolution resolution;
  resolution.status = status;
  return resolution;
}

// A poster for which every name stands for what `answers` says in turn, the last one for ever.
HttpPosterOptions WithAnswers(HttpPosterOptions options, std::vector<Resolution> answers,
                              std::atomic<int>* asked = nullptr) {
  options.lookup = [answers, asked, next = size_t{0}](const std::string&, auto done) mutable {
    if (asked != nullptr) {
      ++*asked;
    }
    std::move(done)(answers[std::min(next++, answers.size() - 1)]);
  };
  return options;
}

const IpAddress kLoopback = IpAddress::V4(127, 0, 0, 1);
const IpAddress kPublic = IpAddress::V4(93, 184, 216, 34);

TEST(Connect, LooksANameUpOnceForManyExchanges) {
  ScriptedServer server(AnswerOk);
  std::atomic<int> asked{0};
  PosterFixture poster(WithAnswers(LoopbackOptions(), {Found({kLoopback})}, &asked));
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "shop.example")));
  std::vector<std::future<PostResult>> results;
  for (int i = 0; i < 20; ++i) {
    results.push_back(poster.Start({.endpoint = endpoint, .event = EventWithBody("{}")}));
  }
  for (auto& result : results) {
    EXPECT_TRUE(result.get().success());
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(server.requests().at(0).header("host"), absl::StrCat("shop.example:", server.port()));
}

TEST(Connect, FindsLocalhostWithoutAnInjectedLookup) {
  ScriptedServer server(AnswerOk);
  HttpPosterOptions options;
  auto guard = AddressGuard::Create({"127.0.0.0/8", "::1/128"}, true);
  ASSERT_TRUE(guard.ok());
  options.guard = *guard;
  PosterFixture poster(std::move(options));
  const PostResult result = poster.PostTo(server.Url("/", "localhost"));
  EXPECT_TRUE(result.success()) << result.error_text;
}

TEST(Connect, LoopbackIsDeniedUnlessAllowed) {
  ScriptedServer server(AnswerOk);
  for (const std::string host : {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"}) {
    PosterFixture poster{HttpPosterOptions()};
    const PostResult result = poster.PostTo(server.Url("/", host));
    EXPECT_EQ(result.outcome, Outcome::kAddressDenied) << host;
    EXPECT_FALSE(absl::StrContains(result.error_text, "127.0.0.1"));
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(Connect, ANameThatMeansLoopbackIsDenied) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster(WithAnswers({}, {Found({kLoopback})}));
  EXPECT_EQ(poster.PostTo(server.Url("/", "shop.example")).outcome, Outcome::kAddressDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(Connect, OneDeniedAddressAmongManyDeniesTheName) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster(WithAnswers({}, {Found({kPublic, kLoopback})}));
  EXPECT_EQ(poster.PostTo(server.Url("/", "shop.example")).outcome, Outcome::kAddressDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(Connect, ARebindingNameDoesNotLeadInside) {
  // An allowed address when the subscription was made, the machine's own at the next look-up.
  ScriptedServer server(AnswerOk);
  HttpPosterOptions options;
  auto guard = AddressGuard::Create({"127.0.0.2/32"}, true);
  ASSERT_TRUE(guard.ok());
  options.guard = *guard;
  PosterFixture poster(
      WithAnswers(std::move(options), {Found({IpAddress::V4(127, 0, 0, 2)}), Found({kLoopback})}));
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "rebinding.example")));
  EXPECT_EQ(poster.Post(endpoint).outcome, Outcome::kConnectError);
  poster.SkipSeconds(61);  // What is known of names is older now.
  EXPECT_EQ(poster.Post(endpoint).outcome, Outcome::kAddressDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(Connect, TriesTheNextAddressAndRemembersTheOneThatWorked) {
  ScriptedServer server([](ScriptedServer::Peer* peer) {
    peer->ReadRequest();
    peer->Respond(200, "", "Connection: close\r\n");
  });
  // Nobody listens on the port at 127.0.0.2, nor at 127.0.0.3.
  PosterFixture poster(
      WithAnswers(LoopbackOptions(),
                  {Found({IpAddress::V4(127, 0, 0, 2), IpAddress::V4(127, 0, 0, 3), kLoopback})}));
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "shop.example")));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(server.connections(), 2);
}

TEST(Connect, ARefusedConnectionIsToldAsSuch) {
  uint16_t port = 0;
  {
    ScriptedServer server(AnswerOk);
    port = server.port();
  }
  PosterFixture poster;
  const PostResult result = poster.PostTo(absl::StrCat("http://127.0.0.1:", port, "/"));
  EXPECT_EQ(result.outcome, Outcome::kConnectError);
  EXPECT_THAT(result.error_text, HasSubstr("refused"));
}

TEST(Connect, AConnectionThatIsNotMadeTimesOut) {
  // 192.0.2.0/24 is for documentation: nobody answers, or the network refuses at once.
  HttpPosterOptions options;
  auto guard = AddressGuard::Create({"192.0.2.0/24"}, true);
  ASSERT_TRUE(guard.ok());
  options.guard = *guard;
  options.connect_timeout = absl::Milliseconds(50);
  PosterFixture poster(std::move(options));
  const PostResult result = poster.PostTo("http://192.0.2.1/");
  EXPECT_TRUE(result.outcome == Outcome::kTimeout || result.outcome == Outcome::kConnectError);
  EXPECT_LT(result.latency, absl::Seconds(5));
}

TEST(Connect, NamesThatFailAndWhoseFaultThatIs) {
  const auto outcome = [](Resolution::Status status) {
    PosterFixture poster(WithAnswers(LoopbackOptions(), {Not(status)}));
    return poster.PostTo("http://shop.example/").outcome;
  };
  EXPECT_EQ(outcome(Resolution::Status::kNotFound), Outcome::kDnsError);
  EXPECT_EQ(outcome(Resolution::Status::kFailed), Outcome::kDnsError);
  EXPECT_EQ(outcome(Resolution::Status::kServerFault), Outcome::kInternalError);
}

TEST(Connect, TheTimeoutCoversTheLookup) {
  HttpPosterOptions options = LoopbackOptions();
  auto unanswered = std::make_shared<std::vector<absl::AnyInvocable<void(Resolution) &&>>>();
  options.lookup = [unanswered](const std::string&, auto done) {
    unanswered->push_back(std::move(done));
  };
  PosterFixture poster(std::move(options));
  Subscription subscription = SubscriptionTo("http://slow.example/");
  subscription.policy.timeout = absl::Milliseconds(60);
  EXPECT_EQ(poster.Post(subscription).outcome, Outcome::kTimeout);
}

TEST(Connect, RunningOutOfDescriptorsIsOurOwnFault) {
  ScriptedServer server(AnswerOk);
  PosterFixture poster;
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  setrlimit(RLIMIT_NOFILE, &none);
  const PostResult result = poster.Post(endpoint);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(result.outcome, Outcome::kInternalError) << result.error_text;
  EXPECT_TRUE(poster.Post(endpoint).success());
}

class Tls : public testing::Test {
 protected:
  HttpPosterOptions Options() {
    HttpPosterOptions options = LoopbackOptions();
    options.ca_file = certificates_.ca_file();
    return WithAnswers(std::move(options), {Found({kLoopback})});
  }

  PostResult PostTo(const TestCertificates::Wish& wish, const std::string& host) {
    ScriptedServer server(AnswerOk, certificates_.Make(wish));
    PosterFixture poster(Options());
    return poster.PostTo(server.Url("/", host));
  }

  TestCertificates certificates_;
};

TEST_F(Tls, AcceptsAGoodCertificate) {
  EXPECT_TRUE(PostTo({.dns_name = "shop.example"}, "shop.example").success());
  EXPECT_TRUE(PostTo({.dns_name = "*.shop.example"}, "eu.shop.example").success());
  EXPECT_TRUE(PostTo({.ip_address = "127.0.0.1"}, "127.0.0.1").success());
}

TEST_F(Tls, RefusesOthers) {
  const auto expect_refused = [this](const TestCertificates::Wish& wish, const std::string& host,
                                     const std::string& why) {
    const PostResult result = PostTo(wish, host);
    EXPECT_EQ(result.outcome, Outcome::kTlsError) << why;
    EXPECT_THAT(result.error_text, HasSubstr(why));
  };
  expect_refused({.dns_name = "shop.example", .expired = true}, "shop.example", "expired");
  expect_refused({.dns_name = "other.example"}, "shop.example", "hostname mismatch");
  expect_refused({.dns_name = "*.example"}, "eu.shop.example", "hostname mismatch");
  expect_refused({.common_name = "shop.example"}, "shop.example", "hostname mismatch");
  expect_refused({.dns_name = "127.0.0.1"}, "127.0.0.1", "IP address mismatch");
  expect_refused({.dns_name = "shop.example", .self_signed = true}, "shop.example", "self");
}

TEST_F(Tls, RefusesRootsThatAreNotConfigured) {
  ScriptedServer server(AnswerOk, certificates_.Make({.ip_address = "127.0.0.1"}));
  PosterFixture poster;
  EXPECT_EQ(poster.PostTo(server.Url()).outcome, Outcome::kTlsError);
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(Tls, KeepsConnectionsAndResumesSessions) {
  ScriptedServer server(
      [](ScriptedServer::Peer* peer) {
        for (int i = 0; i < 3; ++i) {
          peer->ReadRequest();
          peer->Respond(200, "", i == 2 ? "Connection: close\r\n" : "");
        }
      },
      certificates_.Make({.dns_name = "shop.example"}));
  PosterFixture poster(Options());
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "shop.example")));
  for (int i = 0; i < 6; ++i) {
    const PostResult result = poster.Post(endpoint);
    EXPECT_TRUE(result.success()) << result.error_text;
  }
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.resumed(), 1);
}

TEST_F(Tls, SendsALargeBodyWhole) {
  ScriptedServer server(AnswerOk, certificates_.Make({.dns_name = "shop.example"}));
  PosterFixture poster(Options());
  const std::string body(1 << 20, 'b');
  const PostResult result =
      poster.Post(SubscriptionTo(server.Url("/", "shop.example")), EventWithBody(body));
  EXPECT_TRUE(result.success()) << result.error_text;
  EXPECT_EQ(server.requests().at(0).body, body);
}

TEST_F(Tls, RetriesAKeptConnectionThatHasDied) {
  ScriptedServer server(
      [](ScriptedServer::Peer* peer) {
        peer->ReadRequest();
        peer->Respond(200);
        if (peer->ReadRequest().has_value() && peer->number() > 0) {
          peer->Respond(200);
        }
      },
      certificates_.Make({.dns_name = "shop.example"}));
  PosterFixture poster(Options());
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "shop.example")));
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_TRUE(poster.Post(endpoint).success());
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Tls, APeerThatIsNoTlsServerIsToldAsSuch) {
  ScriptedServer plain([](ScriptedServer::Peer* peer) { peer->Send("HTTP/1.1 400 Bad\r\n\r\n"); });
  PosterFixture poster(Options());
  const std::string url = absl::StrCat("https://shop.example:", plain.port(), "/");
  EXPECT_EQ(poster.PostTo(url).outcome, Outcome::kTlsError);
}

TEST_F(Tls, AHandshakeThatHangsTimesOut) {
  ScriptedServer silent([](ScriptedServer::Peer* peer) {
    while (peer->Pause(absl::Seconds(60))) {
    }
  });
  HttpPosterOptions options = Options();
  options.connect_timeout = absl::Milliseconds(50);
  PosterFixture poster(std::move(options));
  const std::string url = absl::StrCat("https://shop.example:", silent.port(), "/");
  const PostResult result = poster.PostTo(url);
  EXPECT_EQ(result.outcome, Outcome::kTimeout);
  EXPECT_THAT(result.error_text, HasSubstr("TLS"));
}

TEST_F(Tls, ReadsAFailuresBodyAndSurvivesGarbage) {
  ScriptedServer server(
      [](ScriptedServer::Peer* peer) {
        peer->ReadRequest();
        if (peer->number() == 0) {
          peer->Respond(500, std::string(40'000, 'x'));
        } else {
          peer->Send("garbage");
        }
      },
      certificates_.Make({.dns_name = "shop.example"}));
  PosterFixture poster(Options());
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url("/", "shop.example")));
  const PostResult failed = poster.Post(endpoint);
  EXPECT_EQ(failed.http_status, 500);
  EXPECT_EQ(failed.response, std::string(1024, 'x'));
  EXPECT_EQ(poster.Post(endpoint).outcome, Outcome::kProtocolError);
}

}  // namespace
}  // namespace postrider
