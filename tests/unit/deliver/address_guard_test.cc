#include "gateway/deliver/address_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

using testing::HasSubstr;

IpAddress Address(const std::string& text) {
  const std::optional<IpAddress> address = IpAddress::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress());
}

AddressGuard Allowing(const std::vector<std::string>& cidrs, bool http = false) {
  auto guard = AddressGuard::Create(cidrs, http);
  EXPECT_TRUE(guard.ok()) << guard.status();
  return guard.ok() ? *guard : AddressGuard();
}

std::string UrlProblem(const AddressGuard& guard, const std::string& text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  return std::string(url.ok() ? guard.CheckUrl(*url).message() : url.status().message());
}

constexpr const char* kNotPublic[] = {"0.0.0.0",
                                      "0.255.255.255",
                                      "10.0.0.0",
                                      "10.255.255.255",
                                      "100.64.0.0",
                                      "100.100.100.200",
                                      "100.127.255.255",
                                      "127.0.0.1",
                                      "127.255.255.255",
                                      "169.254.0.23",
                                      "169.254.169.254",
                                      "169.254.170.2",
                                      "172.16.0.0",
                                      "172.31.255.255",
                                      "192.0.0.0",
                                      "192.0.0.170",
                                      "192.0.0.192",
                                      "192.0.2.1",
                                      "192.31.196.1",
                                      "192.52.193.1",
                                      "192.88.99.1",
                                      "192.168.0.0",
                                      "192.168.255.255",
                                      "192.175.48.1",
                                      "198.18.0.0",
                                      "198.19.255.255",
                                      "198.51.100.1",
                                      "203.0.113.255",
                                      "224.0.0.1",
                                      "239.255.255.255",
                                      "240.0.0.1",
                                      "255.255.255.255",
                                      "168.63.129.16",
                                      "::",
                                      "::1",
                                      "::127.0.0.1",
                                      "::8.8.8.8",
                                      "::ffff:127.0.0.1",
                                      "::ffff:10.0.0.1",
                                      "::ffff:169.254.169.254",
                                      "::ffff:0:8.8.8.8",
                                      "64:ff9b::8.8.8.8",
                                      "64:ff9b::7f00:1",
                                      "64:ff9b:1::1",
                                      "100::1",
                                      "100:0:0:1::1",
                                      "5f00::1",
                                      "fc00::1",
                                      "fd00:ec2::254",
                                      "fd20:ce::254",
                                      "fe80::1",
                                      "febf::1",
                                      "fec0::1",
                                      "ff02::1",
                                      "1fff:ffff::1",
                                      "4000::1",
                                      "2001::1",
                                      "2001:0:7f00:1::",
                                      "2001:1::1",
                                      "2001:2::1",
                                      "2001:10::1",
                                      "2001:20::1",
                                      "2001:1ff:ffff::1",
                                      "2001:db8::1",
                                      "2002:7f00:1::",
                                      "2002:808:808::1",
                                      "2620:4f:8000::1",
                                      "3ffe::1",
                                      "3fff::1",
                                      "3fff:fff::1",
                                      "2a00::5efe:127.0.0.1",
                                      "2a00::200:5efe:10.0.0.1"};

TEST(AddressGuard, DeniesWhatIsNotPublic) {
  const AddressGuard guard;
  for (const std::string text : kNotPublic) {
    EXPECT_FALSE(guard.Allows(Address(text))) << text;
  }
}

TEST(AddressGuard, AllowsWhatIsPublic) {
  const AddressGuard guard;
  for (const std::string text : {"1.1.1.1",           "8.8.8.8",
                                 "9.255.255.255",     "11.0.0.0",
                                 "100.63.255.255",    "100.128.0.0",
                                 "126.255.255.255",   "128.0.0.0",
                                 "168.63.129.15",     "168.63.129.17",
                                 "169.253.255.255",   "169.255.0.0",
                                 "172.15.255.255",    "172.32.0.0",
                                 "192.0.1.0",         "192.0.3.0",
                                 "192.167.255.255",   "192.169.0.0",
                                 "198.17.255.255",    "198.20.0.0",
                                 "203.0.112.255",     "223.255.255.255",
                                 "::ffff:8.8.8.8",    "2000::1",
                                 "2001:200::1",       "2001:4860:4860::8888",
                                 "2003::1",           "2606:4700::1",
                                 "2620:4f:8001::1",   "2a00:1450::1",
                                 "3ffd::1",           "3fff:1000::1",
                                 "2a00::5efe:8.8.8.8"}) {
    EXPECT_TRUE(guard.Allows(Address(text))) << text;
  }
}

TEST(AddressGuard, TheOperatorsRangesComeFirst) {
  const AddressGuard guard = Allowing({"10.1.0.0/16", "fd00::/8", "127.0.0.1"});
  EXPECT_TRUE(guard.Allows(Address("10.1.255.255")));
  EXPECT_FALSE(guard.Allows(Address("10.2.0.0")));
  EXPECT_TRUE(guard.Allows(Address("::ffff:10.1.0.1")));
  EXPECT_TRUE(guard.Allows(Address("fd12::1")));
  EXPECT_FALSE(guard.Allows(Address("fc12::1")));
  EXPECT_TRUE(guard.Allows(Address("127.0.0.1")));
  EXPECT_FALSE(guard.Allows(Address("127.0.0.2")));
  EXPECT_TRUE(guard.Allows(Address("8.8.8.8")));
}

TEST(AddressGuard, OneDeniedAddressDeniesAll) {
  const AddressGuard guard;
  EXPECT_TRUE(guard.AllowsAll({Address("8.8.8.8"), Address("2606:4700::1")}));
  EXPECT_FALSE(guard.AllowsAll({Address("8.8.8.8"), Address("127.0.0.1")}));
  EXPECT_FALSE(guard.AllowsAll({Address("::1"), Address("8.8.8.8")}));
}

TEST(AddressGuard, RefusesRangesThatAreNone) {
  for (const std::string text :
       {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8",
        "localhost", "fe80::1%eth0", "10.0.0.0/ 8x"}) {
    const auto guard = AddressGuard::Create({text}, false);
    EXPECT_EQ(guard.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(guard.status().message()), HasSubstr("allow_cidrs"));
  }
  EXPECT_TRUE(Allowing({"0.0.0.0/0"}).Allows(Address("127.0.0.1")));
  EXPECT_FALSE(Allowing({"0.0.0.0/0"}).Allows(Address("::1")));
  EXPECT_TRUE(Allowing({"::/0"}).Allows(Address("::1")));
  EXPECT_TRUE(Allowing({"10.9.8.7/8"}).Allows(Address("10.0.0.1")));
}

TEST(AddressGuard, ChecksUrls) {
  const AddressGuard guard;
  for (const std::string text : {"https://shop.example/hook", "https://shop.example:8443/",
                                 "https://8.8.8.8/", "https://[2606:4700::1]:9000/",
                                 "https://localhost.example/", "https://internal.example/"}) {
    EXPECT_EQ(UrlProblem(guard, text), "") << text;
  }
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"http://shop.example/", "https://"},
      {"https://127.0.0.1/", "not a public one"},
      {"https://169.254.169.254/latest", "not a public one"},
      {"https://[::ffff:127.0.0.1]/", "not a public one"},
      {"https://[::1]/", "not a public one"},
      {"https://[64:ff9b::7f00:1]/", "not a public one"},
      {"https://localhost/", "own machine"},
      {"https://LOCALHOST./", "own machine"},
      {"https://a.localhost/", "own machine"},
      {"https://printer.local/", "not a public name"},
      {"https://metadata.google.internal/", "not a public name"},
      {"https://router.home.arpa/", "not a public name"},
      {"https://db.default.svc/", "not a public name"},
      {"https://db.default.svc.cluster.local/", "not a public name"},
      {"https://intranet/", "not a public name"},
      {"https://abcdef.onion/", "no name of the DNS"},
      {"https://x.alt/", "no name of the DNS"},
      {"https://x.invalid/", "no name of the DNS"},
      {"https://shop.example:22/", "port 22"},
      {"https://shop.example:25/", "port 25"},
      {"https://shop.example:993/", "port 993"},
      {"https://shop.example:2375/", "port 2375"},
      {"https://shop.example:3306/", "port 3306"},
      {"https://shop.example:5432/", "port 5432"},
      {"https://shop.example:6379/", "port 6379"},
      {"https://shop.example:9200/", "port 9200"},
      {"https://shop.example:11211/", "port 11211"},
      {"https://8.8.8.8:27017/", "port 27017"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_THAT(UrlProblem(guard, text), HasSubstr(problem)) << text;
  }
}

TEST(AddressGuard, ChecksUrlsByTheOperatorsRanges) {
  const AddressGuard guard = Allowing({"127.0.0.0/8", "172.17.0.0/16"}, /*http=*/true);
  for (const std::string text :
       {"http://127.0.0.1:9000/hook", "http://127.0.0.1:22/", "http://localhost:9000/",
        "http://receiver:9000/", "http://receiver.default.svc/"}) {
    EXPECT_EQ(UrlProblem(guard, text), "") << text;
  }
  EXPECT_THAT(UrlProblem(guard, "http://10.0.0.1/"), HasSubstr("not a public one"));
  EXPECT_THAT(UrlProblem(guard, "http://x.onion/"), HasSubstr("no name of the DNS"));
  EXPECT_THAT(UrlProblem(Allowing({"10.0.0.0/8"}), "https://localhost/"), HasSubstr("own machine"));
}

}  // namespace
}  // namespace postrider
