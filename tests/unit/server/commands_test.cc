// Goal: whoever knows neither the command line nor the gateway is told what to do, and a script can
// tell from the exit status how it went.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/delivery_commands.h"
#include "client/event_commands.h"
#include "client/replay_commands.h"
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

  void ShowReplay() {
    auto replay = std::make_shared<Replay>();
    replay->id = "r1";
    replay->subscription = 5;
    engine_.replay.replay = replay;
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
  for (const auto* part :
       {&EventCommands(), &SubscriptionCommands(), &DeliveryCommands(), &ReplayCommands()}) {
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
  EXPECT_THAT(ErrorOf({"replay"}), HasSubstr("run, get, list, cancel"));
  EXPECT_THAT(ErrorOf({"replay", "dance", "--etag", "x"}), HasSubstr("run, get, list, cancel"));
  EXPECT_THAT(ErrorOf({"subscriptions", "dance"}), HasSubstr("`subscriptions dance`"));
  EXPECT_THAT(ErrorOf({"dance", "--colour", "red"}), HasSubstr("there is no command `dance`"));
}

TEST_F(CommandsTest, TheExitStatusSaysWhoWasWrong) {
  EXPECT_EQ(ExitStatusOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitStatusOf(Run({"attempts"})), 1) << "the gateway says so";
  EXPECT_EQ(ExitStatusOf(Run({"subscriptions", "get", "gone"})), 1);
  EXPECT_EQ(ExitStatusOf(Run({"subscriptions", "get"})), 2);
}

TEST_F(CommandsTest, AnUpdateChangesWhatItsFlagsSay) {
  Subscribe("mine");
  ASSERT_TRUE(Run({"subscriptions", "update", "mine", "--url", "https://y", "--event-type", "a.*",
                   "--event-type=b", "--etag", "\"7\"", "--header", "X-A=1", "--scope=self",
                   "--organization=o"})
                  .ok());
  const SubscriptionUpdate& update = engine_.last_update;
  EXPECT_EQ(update.subscription.id, "mine");
  EXPECT_EQ(update.subscription.organization, "o");
  EXPECT_EQ(update.etag, "\"7\"");
  EXPECT_THAT(update.paths, ElementsAre("url", "event_types", "scope", "headers"));
  EXPECT_THAT(update.subscription.event_types, ElementsAre("a.*", "b"));
  EXPECT_EQ(update.subscription.scope, Scope::kSelf);
  EXPECT_EQ(update.subscription.headers.size(), 1U);

  ASSERT_TRUE(Run({"subscriptions", "update", "mine", "--secret=s",
                   "--description=", "--header=", "--verification=challenge", "--order=strict"})
                  .ok());
  EXPECT_EQ(update.etag, "");
  EXPECT_THAT(update.paths,
              ElementsAre("description", "headers", "secrets", "policy.order", "verification"));
  EXPECT_THAT(update.subscription.headers, IsEmpty());
}

TEST_F(CommandsTest, AnUpdateNeedsAnIdAndAChange) {
  EXPECT_THAT(ErrorOf({"subscriptions", "update", "--url=https://y"}), HasSubstr("id"));
  EXPECT_THAT(ErrorOf({"subscriptions", "update", "mine", "--etag=x"}),
              HasSubstr("what to change"));
  EXPECT_THAT(ErrorOf({"subscriptions", "update", "mine", "--header", "x"}),
              HasSubstr("NAME=VALUE"));
}

TEST_F(CommandsTest, ATestThatFailsIsAFailure) {
  Subscribe("mine");
  engine_.test_result.outcome = Outcome::kHttpStatus;
  engine_.test_result.http_status = 503;
  engine_.test_result.error_text = "the response's status is 503";
  engine_.test_result.response = "not now";
  const absl::Status status = Run({"subscriptions", "test", "mine"});
  EXPECT_EQ(ExitStatusOf(status), 1);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the response's status is 503"));
  EXPECT_THAT(out_.str(), HasSubstr("not now"));
}

TEST_F(CommandsTest, AVerificationThatLeavesItUnverifiedIsAFailure) {
  Subscribe("mine");
  EXPECT_TRUE(Run({"subscriptions", "verify", "mine"}).ok());
  engine_.subscriptions["mine"].verified = false;
  EXPECT_EQ(ExitStatusOf(Run({"subscriptions", "verify", "mine"})), 1);
  EXPECT_THAT(out_.str(), HasSubstr("SUBSCRIPTION_STATE_UNVERIFIED"));
}

TEST_F(CommandsTest, ARedriveSaysWhenDeadLettersAreLeft) {
  EXPECT_THAT(OutputOf({"redrive", "--subscription", "s"}), HasSubstr("\"redriven_count\": \"3\""));
  EXPECT_TRUE(engine_.last_redrive.event_id.empty());
  EXPECT_THAT(hints_.str(), HasSubstr("dead letters are left"));
  engine_.more_dead_letters = false;
  hints_.str("");
  EXPECT_THAT(OutputOf({"redrive", "--subscription", "s"}), HasSubstr("\"more\": false"));
  EXPECT_THAT(hints_.str(), IsEmpty());
}

TEST_F(CommandsTest, AnEmptyEventIsNotAll) {
  EXPECT_EQ(ExitStatusOf(Run({"redrive", "--subscription=s", "--organization=", "--event="})), 1);
  EXPECT_EQ(engine_.last_redrive.subscription_id, "");
}

TEST_F(CommandsTest, AReplayIsRun) {
  ShowReplay();
  const std::string shown = OutputOf({"replay", "run", "--subscription", "s", "--since",
                                      "2018-12-19T19:09:01Z", "--until", "2018-12-19T20:09:01Z",
                                      "--event-type", "a.*", "--event-type", "b", "--rate", "2.5"});
  const ReplayWish& wish = engine_.last_wish;
  EXPECT_EQ(wish.subscription_id, "s");
  EXPECT_EQ(wish.since, absl::FromUnixSeconds(1'545'246'541));
  EXPECT_EQ(wish.until, wish.since + absl::Hours(1));
  EXPECT_THAT(wish.event_types, ElementsAre("a.*", "b"));
  EXPECT_EQ(wish.rate, 2.5);
  EXPECT_THAT(shown, HasSubstr("\"id\": \"r1\""));
  EXPECT_THAT(shown, HasSubstr("\"subscription_id\": \"subscription-5\""));
}

TEST_F(CommandsTest, ADryRunPrintsTheCountAlsoIfItIsNone) {
  const std::vector<std::string> line = {"replay", "run", "--subscription=s",
                                         "--since=2018-12-19T19:09:01Z", "--dry-run"};
  EXPECT_THAT(OutputOf(line), HasSubstr("\"events\": \"0\""));
  engine_.replay_count.events = 7;
  engine_.replay_count.complete = true;
  EXPECT_THAT(OutputOf(line), HasSubstr("\"events\": \"7\""));
  EXPECT_THAT(out_.str(), HasSubstr("\"complete\": true"));
}

TEST_F(CommandsTest, ReplaysAreShownAndCanceled) {
  ShowReplay();
  EXPECT_THAT(OutputOf({"replay", "get", "r1"}), HasSubstr("\"id\": \"r1\""));
  EXPECT_THAT(out_.str(), HasSubstr("\"events_sent\": \"0\""));
  EXPECT_THAT(OutputOf({"replay", "list", "--subscription", "s"}), HasSubstr("\"id\": \"r1\""));
  EXPECT_THAT(OutputOf({"replay", "cancel", "r1"}), HasSubstr("\"id\": \"r1\""));
  EXPECT_TRUE(absl::IsNotFound(Run({"replay", "cancel", "r2"})));
  EXPECT_THAT(ErrorOf({"replay", "cancel"}), HasSubstr("the replay's id"));
  EXPECT_THAT(ErrorOf({"replay", "get"}), HasSubstr("the replay's id"));
  EXPECT_THAT(ErrorOf({"replay", "list"}), HasSubstr("--subscription is missing"));
  EXPECT_THAT(ErrorOf({"replay", "run", "--subscription=s"}), HasSubstr("--since is missing"));
  EXPECT_THAT(ErrorOf({"replay", "run", "--subscription=s", "--since=noon"}), HasSubstr("--since"));
  EXPECT_THAT(
      ErrorOf({"replay", "run", "--subscription=s", "--since=2018-12-19T19:09:01Z", "--rate=fast"}),
      HasSubstr("--rate"));
}

}  // namespace
}  // namespace postrider
