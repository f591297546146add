#include "gateway/model/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace postrider {
namespace {

using testing::HasSubstr;

Url Parsed(const std::string& text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  EXPECT_TRUE(url.ok()) << text << ": " << url.status();
  return url.ok() ? *url : Url();
}

std::string Problem(const std::string& text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(url.status().message());
}

TEST(ParseUrl, TakesItApart) {
  const Url url = Parsed("HTTPS://User:Pa%3Ass@Shop.Example.:8443/a/b;c?x=1&y=%20");
  EXPECT_TRUE(url.https);
  EXPECT_EQ(url.host, "shop.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b;c?x=1&y=%20");
  EXPECT_TRUE(url.has_credentials);
  EXPECT_EQ(url.credentials, "User:Pa:ss");
  EXPECT_EQ(url.origin(), "https://shop.example:8443");
  EXPECT_EQ(url.authority(), "shop.example:8443");
  EXPECT_EQ(url.Redacted(), "https://********@shop.example:8443/a/b;c?x=1&y=%20");
}

TEST(ParseUrl, FillsInPortAndPath) {
  EXPECT_EQ(Parsed("https://a.example").port, 443);
  EXPECT_EQ(Parsed("http://a.example").port, 80);
  EXPECT_EQ(Parsed("http://a.example").target, "/");
  EXPECT_EQ(Parsed("http://a.example?x=1").target, "/?x=1");
  EXPECT_EQ(Parsed("http://a.example:80/").authority(), "a.example");
  EXPECT_EQ(Parsed("https://a.example:80/").authority(), "a.example:80");
  EXPECT_EQ(Parsed("https://a.example/").origin(), "https://a.example:443");
  EXPECT_FALSE(Parsed("https://a.example/a@b:c").has_credentials);
  EXPECT_EQ(Parsed("https://user@a.example/").credentials, "user:");
  EXPECT_EQ(Parsed("https://@a.example/").credentials, ":");
}

TEST(ParseUrl, WritesTheTargetAnew) {
  EXPECT_EQ(Parsed("https://a.example/h\xc3\xa9?q=<\"|>^`{}").target,
            "/h%C3%A9?q=%3C%22%7C%3E%5E%60%7B%7D");
  EXPECT_EQ(Parsed("https://a.example/%0d%0a?[]'()*!$,~").target, "/%0d%0a?[]'()*!$,~");
}

TEST(ParseUrl, ReadsAddresses) {
  const Url v4 = Parsed("http://192.0.2.255/");
  EXPECT_EQ(v4.host_kind, Url::HostKind::kIpv4);
  EXPECT_EQ(v4.address[3], 255);
  const Url v6 = Parsed("http://[2001:DB8::0:1]:9000/");
  EXPECT_EQ(v6.host_kind, Url::HostKind::kIpv6);
  EXPECT_EQ(v6.host, "2001:db8::1");
  EXPECT_EQ(v6.address[15], 1);
  EXPECT_EQ(v6.port, 9000);
  EXPECT_EQ(v6.authority(), "[2001:db8::1]:9000");
  EXPECT_EQ(Parsed("http://xn--bcher-kva.example/").host_kind, Url::HostKind::kName);
  EXPECT_EQ(Parsed("http://3com.example/").host, "3com.example");
}

TEST(ParseUrl, RefusesNumbersInDisguise) {
  for (const std::string host :
       {"127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.0.0.0x1", "127.0.0.01",
        "256.0.0.1", "1.2.3.4.5", "1.2.3", "127.0.0.1.", "0x", "1.2.3.4e", "00.0.0.1"}) {
    if (host == "127.0.0.1." || host == "1.2.3.4e") {
      continue;
    }
    EXPECT_THAT(Problem("http://" + host + "/"), HasSubstr("IPv4")) << host;
  }
  // A trailing dot changes nothing, and a letter makes it a name.
  EXPECT_EQ(Parsed("http://127.0.0.1./").host_kind, Url::HostKind::kIpv4);
  EXPECT_EQ(Parsed("http://1.2.3.4e/").host_kind, Url::HostKind::kName);
}

TEST(ParseUrl, NamesWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "required"},
      {"https://a.example/x#y", "fragment"},
      {"https://a.example#", "fragment"},
      {"example.com/hook", "https://"},
      {"ftp://example.com/", "https://"},
      {"https:/example.com", "https://"},
      {"//example.com", "https://"},
      {"javascript:alert(1)", "https://"},
      {"https://", "no host"},
      {"https:///path", "no host"},
      {"https://./", "no host"},
      {"https://user@/", "no host"},
      {"https://a..b/", "empty label"},
      {"https://.a.b/", "empty label"},
      {"https://a.b../", "empty label"},
      {"https://-a.example/", "hyphen"},
      {"https://a-.example/", "hyphen"},
      {"https://a_b.example/", "letters, digits"},
      {"https://a%2eb.example/", "letters, digits"},
      {"https://b\xc3\xbc"
       "cher.example/",
       "xn--"},
      {"https://a.example:/", "port"},
      {"https://a.example:0/", "port"},
      {"https://a.example:65536/", "port"},
      {"https://a.example:080808/", "port"},
      {"https://a.example:+80/", "port"},
      {"https://a.example:80a/", "port"},
      {"https://a.example:80:80/", "port"},
      {"https://a.example/a b", "space"},
      {"https://a.example/a\tb", "control"},
      {"https://a.example/\r\nX: 1", "control"},
      {std::string("https://a.example/\0", 19), "control"},
      {"https://a.example\\@b.example/", "backslash"},
      {"https://a@b@c.example/", "more than one '@'"},
      {"https://a:%zz@c.example/", "hexadecimal"},
      {"https://a:%0a@c.example/", "control"},
      {"https://a%3ab:c@c.example/", "colon"},
      {"https://a.example/%", "hexadecimal"},
      {"https://a.example/%4", "hexadecimal"},
      {"https://a.example/?%g0", "hexadecimal"},
      {"https://[::1/", "']'"},
      {"https://[::1]x/", "port"},
      {"https://[::g]/", "IPv6"},
      {"https://[127.0.0.1]/", "IPv6"},
      {"https://[]/", "IPv6"},
      {"https://[fe80::1%25eth0]/", "zone"},
      {"https://::1/", "no host"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_THAT(Problem(text), HasSubstr(problem)) << text;
    EXPECT_THAT(Problem(text), testing::StartsWith("url: ")) << text;
  }
}

TEST(ParseUrl, DoesNotRepeatCredentials) {
  EXPECT_THAT(Problem("https://user:hunter2@a_b.example/"), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(Problem("https://user:hunter2@x@b.example/"), testing::Not(HasSubstr("hunter2")));
}

TEST(ParseUrl, HasLimits) {
  const std::string base = "https://a.example/";
  EXPECT_TRUE(ParseUrl(base + std::string(2048 - base.size(), 'x')).ok());
  EXPECT_THAT(Problem(base + std::string(2049 - base.size(), 'x')), HasSubstr("2048"));
  const std::string label(63, 'a');
  EXPECT_TRUE(ParseUrl("https://" + label + ".example/").ok());
  EXPECT_THAT(Problem("https://a" + label + ".example/"), HasSubstr("63"));
  const std::string name = absl::StrCat(label, ".", label, ".", label, ".", std::string(61, 'b'));
  EXPECT_TRUE(ParseUrl("https://" + name + "/").ok());
  EXPECT_THAT(Problem("https://" + name + "b/"), HasSubstr("253"));
}

}  // namespace
}  // namespace postrider
