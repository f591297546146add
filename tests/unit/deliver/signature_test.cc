#include "gateway/deliver/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"

namespace postrider {
namespace {

using testing::HasSubstr;

std::string TestData(const std::string& name) {
  std::ifstream file("tests/unit/deliver/testdata/" + name);
  CHECK(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Case {
  std::vector<Secret> secrets;
  std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  int64_t timestamp = 1614265330;
  std::string body = R"({"test": 2432232314})";
};

std::string Headers(const Case& input) {
  std::string out;
  Signer(input.secrets)
      .AppendHeaders(
          {.id = input.id, .now = absl::FromUnixSeconds(input.timestamp), .body = input.body},
          &out);
  return out;
}

constexpr char kWhsec[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kHub[] = "zICWczLmAOEDvh1DiPGSHw==";

TEST(Signer, WritesStandardWebhooksVector) {
  EXPECT_THAT(Headers({.secrets = {{.text = kWhsec}}}),
              testing::StartsWith(
                  "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"
                  "webhook-timestamp: 1614265330\r\n"
                  "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
}

TEST(Signer, WritesTheHubVectors) {
  EXPECT_THAT(Headers({.secrets = {{.text = kHub}}}),
              HasSubstr("\r\nX-Hub-Signature: sha1=877f99756a994890f87db7ec71cb6dec41c02410\r\n"));
  EXPECT_THAT(Headers({.secrets = {{.text = kHub}}, .body = ""}),
              HasSubstr("sha1=251f86c40dbf9bb91828b2b5e111de140f7d5a89\r\n"));
  EXPECT_THAT(Headers({.secrets = {{.text = "z3krut"}}, .body = R"({"text":"héllo 😀"})"}),
              HasSubstr("sha1=3fcc5e2cc7dbb91f53f918c6067c8bcd1d8f453c\r\n"));
  const std::string github =
      Headers({.secrets = {{.text = "It's a Secret to Everybody"}}, .body = "Hello, World!"});
  EXPECT_THAT(github, HasSubstr("sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59\r\n"));
  EXPECT_THAT(
      github,
      HasSubstr("\r\nX-Hub-Signature-256: "
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n"));
}

TEST(Signer, WritesThePayloadsVectors) {
  const std::string body = TestData("webhook.json");
  ASSERT_EQ(body.size(), 1176U);
  const std::string vectors = TestData("signatures.json");
  const std::string hub = Headers({.secrets = {{.text = kHub}}, .body = body});
  for (const std::string part :
       {"sha1=84e0f0eb9c74878d4390041fbf9facec2293dfb1",
        "sha256=2f5a4c2f28917eb9685525f153c30dee1938238b552a76046ec1d63a8404b56e"}) {
    EXPECT_THAT(hub, HasSubstr(part));
    EXPECT_THAT(vectors, HasSubstr(part));
  }
  const std::string v1 = "v1,cVdlTR5NGpac0hGrlNyzPs4VGLs1DfKfLEVyNatYfes=";
  EXPECT_THAT(vectors, HasSubstr(v1));
  EXPECT_THAT(Headers({.secrets = {{.text = kWhsec}},
                       .id = "774ae370-02cc-11e7-ac41-c38ce8763025",
                       .timestamp = 1545246541,
                       .body = body}),
              HasSubstr("webhook-signature: " + v1 + "\r\n"));
}

TEST(Signer, HashesLongKeysFirst) {
  // RFC 4231, case 7: a key longer than a block. The webhook's content has the id before it, so
  // only the hub's headers are comparable.
  EXPECT_THAT(
      Headers({.secrets = {{.text = std::string(131, '\xaa')}},
               .body = "This is a test using a larger than block-size key and a larger than "
                       "block-size data. The key needs to be hashed before being used by the HMAC "
                       "algorithm."}),
      HasSubstr("sha256=9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2\r\n"));
}

TEST(Signer, DuringARotationAllLiveSecretsSignAndTheOldestIsTheHubs) {
  const absl::Time expires = absl::FromUnixSeconds(1614265331);
  const std::vector<Secret> secrets = {{.text = kHub, .expire_time = expires}, {.text = kWhsec}};
  const std::string old_v1 = [] {
    const std::string alone = Headers({.secrets = {{.text = kHub}}});
    const size_t at = alone.find("v1,");
    return alone.substr(at, alone.find('\r', at) - at);
  }();
  const std::string both = Headers({.secrets = secrets});
  EXPECT_THAT(both, HasSubstr("webhook-signature: "
                              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= " +
                              old_v1 + "\r\n"));
  EXPECT_THAT(both, HasSubstr("sha1=877f99756a994890f87db7ec71cb6dec41c02410"));

  // At the expiry only the newer one is left, for both.
  const std::string after = Headers({.secrets = secrets, .timestamp = 1614265331});
  EXPECT_EQ(after, Headers({.secrets = {{.text = kWhsec}}, .timestamp = 1614265331}));
}

TEST(Signer, SignsByTheNewestWhenAllHaveExpired) {
  const absl::Time past = absl::FromUnixSeconds(1);
  EXPECT_EQ(Headers({.secrets = {{.text = kHub, .expire_time = past},
                                 {.text = kWhsec, .expire_time = past}}}),
            Headers({.secrets = {{.text = kWhsec}}}));
}

TEST(Signer, WritesOneLineAHeader) {
  const std::string headers = Headers({.secrets = {{.text = kWhsec}, {.text = kHub}}});
  EXPECT_EQ(std::count(headers.begin(), headers.end(), '\n'), 5);
  EXPECT_THAT(headers, testing::EndsWith("\r\n"));
}

}  // namespace
}  // namespace postrider
