// Goal: whoever knows neither the command line nor the gateway is told what to do, and a script can
// tell from the exit status how it went.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/delivery_commands.h"
#include "client/event_commands.h"
#include "client/subscription_commands.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/server/command_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::vector<std::string> kPublish = {"publish", "--organization", "o", "--type", "a"};

std::vector<std::string> With(std::vector<std::string> line, const std::string& more) {
  for (const auto part : absl::StrSplit(more, ' ')) {
    line.emplace_back(part);
  }
  return line;
}

// One that is an hour late, so that a call of less than that is over before it begins.
class LateClock : public Clock {
 public:
  absl::Time Now() const override { return SystemClock()->Now() - absl::Hours(1); }
  absl::Duration Monotonic() const override { return SystemClock()->Monotonic(); }
};

class CommandsTest : public CommandTest {
 protected:
  void Subscribe(const std::string& id) {
    engine_.subscriptions[id].id = id;
    engine_.subscriptions[id].organization = "o";
  }
};

TEST_F(CommandsTest, APublishSaysOnceThatNobodyAnswers) {
  EXPECT_TRUE(absl::IsUnavailable(Run(With(kPublish, "--address unix:nowhere"))));
  EXPECT_EQ(hints_.str(),
            "postrider: can't reach unix:nowhere, trying again until the deadline, 30s from now; "
            "--timeout sets it\n");
}

TEST_F(CommandsTest, APublishSaysWhatTheGatewayDoesNotLike) {
  engine_.Refuse("a", WithReason(absl::UnavailableError("the disk is full"), "DISK_FULL"));
  on_wait_ = [this] { engine_.Refuse("a", absl::OkStatus()); };
  EXPECT_TRUE(Run(kPublish).ok());
  EXPECT_THAT(hints_.str(), HasSubstr("says `the disk is full`, trying again"));
}

TEST_F(CommandsTest, APublishThatIsNotTriedAgainSaysNothingOfIt) {
  EXPECT_TRUE(absl::IsUnavailable(Run(With(kPublish, "--address unix:nowhere --timeout 1ms"))));
  EXPECT_THAT(hints_.str(), IsEmpty());
  EXPECT_TRUE(Run(kPublish).ok());
  EXPECT_THAT(hints_.str(), IsEmpty());
}

TEST_F(CommandsTest, TheTimeoutIsForAllAttemptsTogether) {
  const absl::Duration begin = clock_.Monotonic();
  EXPECT_TRUE(absl::IsUnavailable(Run(With(kPublish, "--timeout 2m --address unix:nowhere"))));
  EXPECT_THAT(hints_.str(), HasSubstr("2m from now"));
  EXPECT_GT(clock_.Monotonic() - begin, absl::Seconds(110));
  EXPECT_LE(clock_.Monotonic() - begin, absl::Minutes(2));
}

TEST_F(CommandsTest, TheTimeoutIsForEveryCall) {
  Subscribe("mine");
  const LateClock late;
  command_clock_ = &late;
  EXPECT_TRUE(absl::IsDeadlineExceeded(Run({"subscriptions", "get", "mine"})));
  EXPECT_TRUE(Run({"subscriptions", "get", "mine", "--timeout=2h"}).ok());
}

TEST_F(CommandsTest, CommonFlagsStandAnywhere) {
  Subscribe("mine");
  const std::string address = absl::StrCat("127.0.0.1:", server_->port());
  const std::vector<std::vector<std::string>> lines = {
      {"--address", address, "subscriptions", "get", "mine"},
      {"subscriptions", "--address", address, "get", "mine"},
      {"subscriptions", "get", "--timeout=5s", "mine", "--address=" + address},
  };
  for (const auto& line : lines) {
    EXPECT_THAT(OutputOf(line), HasSubstr("mine"));
  }
  EXPECT_TRUE(absl::IsUnavailable(Run({"subscriptions", "get", "mine", "--address=unix:nowhere"})));
  EXPECT_THAT(ErrorOf({"--limit", "3", "events", "list"}), HasSubstr("--limit stands before"));
  EXPECT_THAT(ErrorOf({"subscriptions", "get", "mine", "--timeout", "soon"}),
              HasSubstr("--timeout"));
  EXPECT_THAT(ErrorOf({"subscriptions", "get", "mine", "--timeout=0s"}), HasSubstr("--timeout"));
  EXPECT_THAT(ErrorOf({"subscriptions", "get", "mine", "--timeout=inf"}), HasSubstr("--timeout"));
  EXPECT_THAT(ErrorOf({"publish-lines", "--timeout=1s"}), HasSubstr("--timeout"));
}

TEST_F(CommandsTest, AFlagsValueIsNoFlag) {
  EXPECT_TRUE(Run(With(kPublish, "--summary --help --activity-type -h")).ok());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a"));
}

TEST_F(CommandsTest, HelpIsGivenHoweverItIsAskedFor) {
  for (const char* line : {"--help", "-h", "help", "--address x --help"}) {
    EXPECT_EQ(OutputOf(absl::StrSplit(line, ' ')), CommandsHelp()) << line;
  }
  for (const char* line : {"events get --help", "help events get", "events get -h",
                           "events --help get", "--help events get", "events get x -h y"}) {
    EXPECT_EQ(OutputOf(absl::StrSplit(line, ' ')), "  events get --organization ID UUID\n") << line;
  }
  EXPECT_THAT(OutputOf({"publish", "--help"}), StartsWith("  publish --organization ID"));
  EXPECT_THAT(OutputOf({"publish", "--help"}), HasSubstr("--timeout"));
  const std::string events = OutputOf({"events", "--help"});
  EXPECT_THAT(events, HasSubstr("events get"));
  EXPECT_THAT(events, HasSubstr("events list"));
  EXPECT_THAT(events, Not(HasSubstr("publish")));
  EXPECT_THAT(CommandsHelp(), HasSubstr("--timeout DURATION"));
  EXPECT_THAT(OutputOf({"--version"}), StartsWith("postrider "));
  EXPECT_THAT(ErrorOf({"help", "dance"}), HasSubstr("there is no command `dance`"));
}

TEST_F(CommandsTest, TheHelpNamesEveryCommandAndFlag) {
  for (const auto* part : {&EventCommands(), &SubscriptionCommands(), &DeliveryCommands()}) {
    for (const Command& command : *part) {
      EXPECT_THAT(CommandsHelp(), HasSubstr(command.help));
      EXPECT_THAT(command.help, HasSubstr(command.name));
      for (const auto* names : {&command.flags, &command.switches}) {
        for (const std::string& name : *names) {
          EXPECT_THAT(command.help, HasSubstr("--" + name)) << command.name;
        }
      }
    }
  }
}

TEST_F(CommandsTest, HalfACommandIsToldTheOtherHalves) {
  EXPECT_THAT(ErrorOf({"events"}), HasSubstr("get, list"));
  EXPECT_THAT(ErrorOf({"events", "dance", "--etag", "x"}), HasSubstr("get, list"));
  EXPECT_THAT(ErrorOf({"subscriptions", "dance"}), HasSubstr("`subscriptions dance`"));
  EXPECT_THAT(ErrorOf({"dance", "--colour", "red"}), HasSubstr("there is no command `dance`"));
}

TEST_F(CommandsTest, TheExitStatusSaysWhoWasWrong) {
  EXPECT_EQ(ExitStatusOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitStatusOf(Run({"attempts"})), 1) << "the gateway says so";
  EXPECT_EQ(ExitStatusOf(Run({"subscriptions", "get", "gone"})), 1);
  EXPECT_EQ(ExitStatusOf(Run({"subscriptions", "get"})), 2);
}

}  // namespace
}  // namespace postrider
