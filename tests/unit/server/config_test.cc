// Goal: flags go before the environment, that before the file, that before the default; what does
// not exist or can't be is refused.
#include "server/config.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/address.h"
#include "server/config_fields.h"

namespace postrider {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

absl::StatusOr<CommandLine> Read(const std::vector<std::string>& arguments,
                                 const Variables& variables = {}, const std::string& file = "") {
  ConfigSources sources;
  sources.variable = [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  sources.file = [&file](const std::string& path) -> absl::StatusOr<std::string> {
    if (path == "file") return file;
    return absl::NotFoundError("can't read the file " + path);
  };
  return ReadCommandLine(arguments, sources);
}

std::string ErrorOf(const std::vector<std::string>& arguments, const Variables& variables = {},
                    const std::string& file = "") {
  const auto result = Read(arguments, variables, file);
  EXPECT_FALSE(result.ok());
  return std::string(result.status().message());
}

TEST(Config, WithoutArgumentsTheDefaultsHold) {
  const auto result = Read({});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->config.grpc_address(), "127.0.0.1:50051");
  EXPECT_EQ(result->config.admin_address(), "127.0.0.1:8081");
  EXPECT_EQ(result->config.data_dir(), "data");
  const GatewayOptions options = GatewayOptionsOf(result->config);
  EXPECT_EQ(options.body_bytes_max, 256u * 1024);
  EXPECT_FALSE(options.allow_http);
  EXPECT_THAT(options.allow_cidrs, testing::IsEmpty());
}

TEST(Config, FlagBeforeVariableBeforeFileBeforeDefault) {
  const std::string file = "grpc_address: '127.0.0.1:1' admin_address: '127.0.0.1:1' data_dir: 'f'";
  const Variables variables = {{"POSTRIDER_GRPC_ADDRESS", "127.0.0.1:2"},
                               {"POSTRIDER_ADMIN_ADDRESS", "127.0.0.1:2"}};

  const auto result = Read({"--grpc-address", "127.0.0.1:3", "--config=file"}, variables, file);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->config.grpc_address(), "127.0.0.1:3");
  EXPECT_EQ(result->config.admin_address(), "127.0.0.1:2");
  EXPECT_EQ(result->config.data_dir(), "f");
  EXPECT_EQ(result->config.shard_count(), 16);
}

TEST(Config, AllThreeVariablesOfTheDocumentationWork) {
  const auto result = Read({}, {{"POSTRIDER_GRPC_ADDRESS", "127.0.0.1:4"},
                                {"POSTRIDER_ADMIN_ADDRESS", "[::1]:5"},
                                {"POSTRIDER_DATA_DIR", "/tmp/x"}});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->config.grpc_address(), "127.0.0.1:4");
  EXPECT_EQ(result->config.admin_address(), "[::1]:5");
  EXPECT_EQ(GatewayOptionsOf(result->config).data_dir, "/tmp/x");
}

TEST(Config, ListsAreReplacedNotAddedTo) {
  const auto result = Read({"--allow-cidr=10.0.0.0/8, 192.168.0.0/16", "--config", "file",
                            "--default-schedule=0s,1m30s"},
                           {{"POSTRIDER_ALLOW_CIDR", "172.16.0.0/12"}},
                           "allow_cidr: '1.1.1.1/32' default_schedule { seconds: 9 }");

  ASSERT_TRUE(result.ok()) << result.status();
  const GatewayOptions options = GatewayOptionsOf(result->config);
  EXPECT_THAT(options.allow_cidrs, ElementsAre("10.0.0.0/8", "192.168.0.0/16"));
  EXPECT_THAT(options.default_schedule, ElementsAre(absl::ZeroDuration(), absl::Seconds(90)));
}

TEST(Config, AnEmptyListClosesWhatIsBehindIt) {
  const std::string file = "allow_cidr: '10.0.0.0/8' default_schedule { seconds: 9 }";
  const auto expect_closed = [&file](std::vector<std::string> arguments,
                                     const Variables& variables) {
    arguments.push_back("--config=file");
    const auto result = Read(arguments, variables, file);
    ASSERT_TRUE(result.ok()) << result.status();
    const GatewayOptions options = GatewayOptionsOf(result->config);
    EXPECT_THAT(options.allow_cidrs, testing::IsEmpty());
    EXPECT_THAT(options.default_schedule, testing::IsEmpty());  // The engine's own, then.
  };
  expect_closed({"--allow-cidr=", "--default-schedule="}, {});
  expect_closed({}, {{"POSTRIDER_ALLOW_CIDR", ""}, {"POSTRIDER_DEFAULT_SCHEDULE", ""}});
  expect_closed({"--allow-cidr", ""},
                {{"POSTRIDER_ALLOW_CIDR", "172.16.0.0/12"}, {"POSTRIDER_DEFAULT_SCHEDULE", ""}});
}

TEST(Config, ADrainBudgetHasFractions) {
  EXPECT_EQ(DrainBudgetOf(Read({})->config), absl::Seconds(25));
  EXPECT_EQ(DrainBudgetOf(Read({"--drain-budget=1500ms"})->config), absl::Milliseconds(1500));
  EXPECT_EQ(DrainBudgetOf(Read({"--config=file"}, {}, "drain_budget { nanos: 5 }")->config),
            absl::Nanoseconds(5));
}

TEST(Config, EventsAreKeptForADayMoreThanTheyMayBeSent) {
  EXPECT_EQ(GatewayOptionsOf(Read({})->config).retention, absl::Hours(14 * 24));
  EXPECT_EQ(GatewayOptionsOf(Read({"--retention=720h"})->config).retention, absl::Hours(720));
  EXPECT_TRUE(Read({"--retention=48h"}).ok());
  EXPECT_THAT(ErrorOf({"--retention=47h59m"}), HasSubstr("between 48h"));
  EXPECT_TRUE(Read({"--retention=25h", "--default-schedule=0s,1h"}).ok());
  EXPECT_THAT(ErrorOf({"--retention=25h", "--default-schedule=0s,1h,1s"}), HasSubstr("retention"));
  EXPECT_THAT(ErrorOf({"--retention=24h", "--default-schedule=0s"}), HasSubstr("between 25h"));
  EXPECT_THAT(ErrorOf({"--retention=100000h"}), HasSubstr("retention"));
}

TEST(Config, DevelopmentAllowsLoopbackTargetsAndNothingElseDoes) {
  const GatewayOptions development = GatewayOptionsOf(Read({"--dev"})->config);
  EXPECT_TRUE(development.allow_http);
  EXPECT_THAT(development.allow_cidrs, ElementsAre("127.0.0.0/8", "::1/128"));

  const GatewayOptions explicit_no =
      GatewayOptionsOf(Read({"--dev", "--allow-loopback-targets=false"})->config);
  EXPECT_FALSE(explicit_no.allow_http);
  EXPECT_THAT(explicit_no.allow_cidrs, testing::IsEmpty());

  EXPECT_TRUE(Read({"--allow-loopback-targets"})->config.allow_loopback_targets());
}

TEST(Config, StrangersAreKeptOutUnlessThatIsMeant) {
  EXPECT_THAT(ErrorOf({"--grpc-address=0.0.0.0:50051"}), HasSubstr("--allow-insecure"));
  EXPECT_THAT(ErrorOf({"--admin-address=[::]:1"}), HasSubstr("admin_address"));
  EXPECT_THAT(ErrorOf({"--grpc-address=192.168.1.1:50051"}), HasSubstr("grpc_address"));
  EXPECT_TRUE(Read({"--grpc-address=0.0.0.0:50051", "--allow-insecure"}).ok());
  EXPECT_TRUE(Read({"--grpc-address=localhost:0"}).ok());
}

TEST(Config, WhatDoesNotExistIsRefused) {
  EXPECT_THAT(ErrorOf({"--colour=red"}), HasSubstr("--colour"));
  EXPECT_THAT(ErrorOf({"serve"}), HasSubstr("serve"));
  EXPECT_THAT(ErrorOf({"--config=file"}, {}, "grpc_address: '127.0.0.1:1'\ncolour: 'red'"),
              HasSubstr("file:2"));
  EXPECT_THAT(ErrorOf({"--config=gone"}), HasSubstr("gone"));
  EXPECT_THAT(ErrorOf({"--data-dir"}), HasSubstr("--data-dir: needs a value"));
  EXPECT_THAT(ErrorOf({"--data-dir", "--dev"}), HasSubstr("--data-dir: needs a value"));
  EXPECT_THAT(ErrorOf({"--dev=yes"}), HasSubstr("--dev"));
}

TEST(Config, TextThatIsNoneOfTheTypeIsRefusedWithItsSource) {
  EXPECT_THAT(ErrorOf({"--loops=many"}), HasSubstr("--loops: is `many`"));
  EXPECT_THAT(ErrorOf({"--allow-http=perhaps"}), HasSubstr("--allow-http"));
  EXPECT_THAT(ErrorOf({"--drain-budget=5"}), HasSubstr("--drain-budget"));
  EXPECT_THAT(ErrorOf({"--default-verification=MAYBE"}), HasSubstr("VERIFICATION_CHALLENGE"));
  EXPECT_THAT(ErrorOf({}, {{"POSTRIDER_LOOPS", "x"}}), HasSubstr("POSTRIDER_LOOPS"));
}

TEST(Config, BoundsAreChecked) {
  EXPECT_THAT(ErrorOf({"--body-bytes-max=255"}), HasSubstr("body_bytes_max"));
  EXPECT_THAT(ErrorOf({"--body-bytes-max=1048577"}), HasSubstr("1048576"));
  EXPECT_TRUE(Read({"--body-bytes-max=1048576"}).ok());
  EXPECT_THAT(ErrorOf({"--shard-count=0"}), HasSubstr("shard_count"));
  EXPECT_THAT(ErrorOf({"--data-dir="}), HasSubstr("data_dir"));
  EXPECT_THAT(ErrorOf({"--drain-budget=11m"}), HasSubstr("drain_budget"));
  EXPECT_THAT(ErrorOf({"--default-schedule=-1s"}), HasSubstr("default_schedule"));
  EXPECT_THAT(ErrorOf({"--default-schedule=169h"}), HasSubstr("default_schedule"));
  EXPECT_THAT(ErrorOf({"--default-schedule=168h,168h"}), HasSubstr("default_schedule"));
  EXPECT_THAT(ErrorOf({"--max-in-flight-default=1001"}), HasSubstr("max_in_flight_default"));
  EXPECT_THAT(ErrorOf({"--max-in-flight-total=63"}), HasSubstr("max_in_flight_total"));
  EXPECT_THAT(ErrorOf({"--max-in-flight-total=65537"}), HasSubstr("65536"));
  EXPECT_THAT(ErrorOf({"--max-in-flight-per-origin=0"}), HasSubstr("max_in_flight_per_origin"));
  EXPECT_THAT(ErrorOf({"--max-in-flight-per-origin=4097"}), HasSubstr("4096"));
}

TEST(Config, CapsOfWhatIsInFlightReachTheEngine) {
  const GatewayOptions defaults = GatewayOptionsOf(Read({})->config);
  EXPECT_EQ(defaults.max_in_flight_total, 4096);
  EXPECT_EQ(defaults.max_in_flight_per_origin, 256);

  const auto result = Read({"--max-in-flight-total=64", "--max-in-flight-per-origin=4096"});
  ASSERT_TRUE(result.ok()) << result.status();
  const GatewayOptions options = GatewayOptionsOf(result->config);
  EXPECT_EQ(options.max_in_flight_total, 64);
  EXPECT_EQ(options.max_in_flight_per_origin, 4096);
}

TEST(Config, HelpAndVersionNeedNothingElse) {
  EXPECT_TRUE(Read({"--help"})->help);
  EXPECT_TRUE(Read({"--version"})->version);
}

TEST(Config, HelpHasEveryField) {
  const std::string help = HelpText();
  const auto& descriptor = *config::v1::Config::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    EXPECT_THAT(help, HasSubstr("  " + FlagOf(*descriptor.field(i)) + " "));
  }
}

TEST(ListenAddress, ReadsWhatUrlsHave) {
  const auto v4 = ParseListenAddress("f", "127.1.2.3:80");
  ASSERT_TRUE(v4.ok());
  EXPECT_TRUE(v4->loopback);
  EXPECT_EQ(v4->ToString(), "127.1.2.3:80");
  const auto v6 = ParseListenAddress("f", "[::1]:0");
  ASSERT_TRUE(v6.ok());
  EXPECT_TRUE(v6->loopback);
  EXPECT_EQ(v6->ToString(), "[::1]:0");
  EXPECT_FALSE(ParseListenAddress("f", "8.8.8.8:80")->loopback);
}

TEST(ListenAddress, RefusesTheRest) {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                           "example.com:80", "[127.0.0.1]:80", "127.0.0.1:-1", "1.2.3:4"}) {
    EXPECT_FALSE(ParseListenAddress("f", text).ok()) << text;
  }
}

}  // namespace
}  // namespace postrider
