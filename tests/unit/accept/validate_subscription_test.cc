#include "gateway/accept/validate_subscription.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

Subscription Valid() {
  Subscription subscription;
  subscription.id = "my-hook";
  subscription.organization = "acme";
  subscription.url = "https://bot.example.com/hook";
  subscription.event_types = {"message.create.*"};
  subscription.secrets = {{.text = "zICWczLmAOEDvh1DiPGSHw=="}};
  return subscription;
}

std::string Problem(const Subscription& subscription) {
  const absl::Status status = ValidateSubscription(subscription, /*allow_http=*/false);
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(status.GetPayload(kFieldPayload).has_value());
  return std::string(status.message());
}

template <typename Change>
std::string ProblemAfter(Change change) {
  Subscription subscription = Valid();
  change(subscription);
  return Problem(subscription);
}

std::string HeaderProblem(const std::string& name, const std::string& value) {
  return ProblemAfter([&](Subscription& s) { s.headers = {{name, value}}; });
}

TEST(ValidateSubscription, AcceptsAnOrdinaryOne) {
  EXPECT_EQ(Problem(Valid()), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.event_types.clear(); }), "");
}

TEST(ValidateSubscription, NamesTheFieldOfEachIdentity) {
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.id = ""; }), "id: required");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.organization = ""; }), "organization: required");
}

TEST(ValidateSubscription, HttpOnlyWhereAllowed) {
  Subscription subscription = Valid();
  subscription.url = "http://127.0.0.1:9000/hook";
  EXPECT_TRUE(ValidateSubscription(subscription, /*allow_http=*/true).ok());
  EXPECT_TRUE(absl::StartsWith(Problem(subscription), "url: must be https"));
  subscription.url = "not a url";
  EXPECT_TRUE(absl::StartsWith(Problem(subscription), "url: "));
}

TEST(ValidateSubscription, BoundsPatterns) {
  Subscription subscription = Valid();
  subscription.event_types.clear();
  for (int i = 0; i < 100; ++i) subscription.event_types.push_back(absl::StrCat("a", i, ".*"));
  EXPECT_EQ(Problem(subscription), "");
  subscription.event_types.push_back("b");
  EXPECT_EQ(Problem(subscription), "event_types: 101 patterns; the limit is 100");
  subscription.event_types.resize(10000, "c");
  EXPECT_EQ(Problem(subscription), "event_types: 10000 patterns; the limit is 100");
  subscription.event_types = {"a", "b.mess*"};
  EXPECT_TRUE(absl::StartsWith(Problem(subscription), "event_types[1]: "));
  subscription.event_types = {"a", "b", "a"};
  EXPECT_EQ(Problem(subscription), "event_types[2]: given twice");
}

TEST(ValidateSubscription, SecretsStaySecret) {
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.secrets.clear(); }),
            "secrets: at least one is required");
  const std::string problem =
      ProblemAfter([](Subscription& s) { s.secrets.push_back({.text = "whsec_tooshort"}); });
  EXPECT_TRUE(absl::StartsWith(problem, "secrets[1]: ")) << problem;
  EXPECT_FALSE(absl::StrContains(problem, "tooshort")) << problem;
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.secrets.push_back(s.secrets[0]); }),
            "secrets[1]: given twice");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.secrets[0].expire_time = absl::UnixEpoch(); }),
            "secrets: the newest one must not expire");
  EXPECT_EQ(ProblemAfter([](Subscription& s) {
              for (int i = 0; i < 10; ++i) s.secrets.push_back({.text = absl::StrCat("secret", i)});
            }),
            "secrets: 11 secrets; the limit is 10");
}

TEST(ValidateSubscription, HeadersAreTokensAndPrintable) {
  EXPECT_EQ(HeaderProblem("Authorization", "Bearer abc"), "");
  EXPECT_EQ(HeaderProblem("X-Api-Key", "a\tb c~"), "");
  EXPECT_EQ(HeaderProblem("X-Empty", ""), "");
  for (const char* name : {"", "a b", "a:", "é", "a\r\nb", "(x)"}) {
    EXPECT_NE(HeaderProblem(name, "v"), "") << name;
  }
  for (const char* value : {"a\r\nHost: b", "a\nb", "é", "\x7F", " a", "a\t"}) {
    EXPECT_NE(HeaderProblem("X-A", value), "") << value;
  }
  EXPECT_NE(HeaderProblem("X-A", std::string("a\0b", 3)), "");
  EXPECT_EQ(HeaderProblem("X-A", std::string(4096, 'v')), "");
  EXPECT_EQ(HeaderProblem("X-A", std::string(4097, 'v')),
            "headers[\"X-A\"]: 4097 bytes; the limit is 4096");
}

TEST(ValidateSubscription, ReservedHeadersAreRefused) {
  for (const char* name : {"Host",
                           "content-LENGTH",
                           "Content-Type",
                           "Transfer-Encoding",
                           "Connection",
                           "Keep-Alive",
                           "Proxy-Authorization",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Expect",
                           "Date",
                           "Via",
                           "Forwarded",
                           "X-Forwarded-For",
                           "Cookie",
                           "Set-Cookie",
                           "Webhook-Id",
                           "webhook-signature",
                           "ce-id",
                           "X-Hub-Signature",
                           "X-Hub-Signature-256",
                           "WebHook-Request-Origin",
                           "Sec-Fetch-Mode",
                           "X-Postrider-Event",
                           "traceparent",
                           "User-Agent",
                           "Content-Encoding",
                           ":path"}) {
    EXPECT_TRUE(absl::EndsWith(HeaderProblem(name, "v"), "this header is the gateway's own to set"))
        << name;
  }
}

TEST(ValidateSubscription, HeadersStandOnce) {
  EXPECT_EQ(ProblemAfter([](Subscription& s) {
              s.headers = {{"X-A", "1"}, {"x-a", "2"}};
            }),
            "headers[\"x-a\"]: given twice; upper and lower case are the same");
  EXPECT_EQ(ProblemAfter([](Subscription& s) {
              s.headers.assign(21, {"X-A", "1"});
            }),
            "headers: 21 headers; the limit is 20");
  EXPECT_NE(ProblemAfter([](Subscription& s) {
              s.url = "https://user:pass@bot.example.com/hook";
              s.headers = {{"authorization", "Bearer x"}};
            }),
            "");
}

TEST(ValidateSubscription, BoundsThePolicy) {
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.schedule.assign(65, absl::Seconds(1)); }),
            "policy.schedule: 65 steps; the limit is 64");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.schedule = {-absl::Seconds(1)}; }),
            "policy.schedule[0]: -1s; the limits are 0 and 168h");
  EXPECT_EQ(ProblemAfter([](Subscription& s) {
              s.policy.schedule = {absl::ZeroDuration(), absl::InfiniteDuration()};
            }),
            "policy.schedule[1]: inf; the limits are 0 and 168h");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.schedule.assign(13, absl::Hours(24)); }),
            "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.schedule.assign(14, absl::Hours(24)); }),
            "policy.schedule: 336h in all; the limit is 312h");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.timeout = absl::Seconds(61); }),
            "policy.timeout: 1m1s; the limits are 1s and 1m");
  EXPECT_NE(ProblemAfter([](Subscription& s) { s.policy.timeout = absl::Milliseconds(999); }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_in_flight = 1000; }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_in_flight = 1001; }),
            "policy.max_in_flight: 1001; the limits are 1 and 1000");
  EXPECT_NE(ProblemAfter([](Subscription& s) { s.policy.max_in_flight = -1; }), "");
}

TEST(ValidateSubscription, BoundsTheLimitsOfAPolicy) {
  for (const double rate : {0.01, 3.5, 10'000.0}) {
    EXPECT_EQ(ProblemAfter([rate](Subscription& s) { s.policy.rate = rate; }), "");
  }
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.rate = 0.001; }),
            "policy.rate: 0.001; the limits are 0.01 and 10000");
  for (const double rate : {-1.0, 10'001.0, std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_NE(ProblemAfter([rate](Subscription& s) { s.policy.rate = rate; }), "") << rate;
  }
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_age = absl::Minutes(1); }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_age = absl::Hours(13 * 24); }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_age = absl::Seconds(59); }),
            "policy.max_age: 59s; the limits are 1m and 312h");
  EXPECT_NE(ProblemAfter([](Subscription& s) { s.policy.max_age = absl::InfiniteDuration(); }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_body_bytes = 256; }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_body_bytes = 1 << 20; }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.policy.max_body_bytes = 255; }),
            "policy.max_body_bytes: 255; the limits are 256 and 1048576");
}

TEST(ValidateSubscription, NothingIsSentForLongerThanEventsAreKept) {
  const auto refusal = [](const DeliveryPolicy& policy) {
    return std::string(ValidateForRetention(policy, absl::Hours(48)).message());
  };
  DeliveryPolicy policy;
  policy.schedule = {absl::ZeroDuration(), absl::Hours(24)};
  policy.max_age = absl::Hours(24);
  EXPECT_EQ(refusal(policy), "");
  policy.max_age += absl::Seconds(1);
  EXPECT_TRUE(absl::StrContains(refusal(policy), "policy.max_age: 24h1s; the limit is 24h"));
  policy.schedule.push_back(absl::Seconds(2));
  EXPECT_TRUE(absl::StrContains(refusal(policy), "policy.schedule: 24h2s; the limit is 24h"));
}

TEST(ValidateSubscription, BoundsTheDescription) {
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.description = "two\nlines"; }), "");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.description = std::string(1025, 'd'); }),
            "description: 1025 bytes; the limit is 1024");
  EXPECT_EQ(ProblemAfter([](Subscription& s) { s.description = "\xFF"; }),
            "description: invalid UTF-8 at byte 0");
}

}  // namespace
}  // namespace postrider
