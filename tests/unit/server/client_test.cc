// Goal: the client library tries again exactly where that is safe, and the command line says
// clearly what is wrong.
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "client/arguments.h"
#include "client/publish_stream_client.h"
#include "client/publisher_client.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/server/command_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

v1::Event EventOf(const std::string& type) {
  v1::Event event;
  event.set_type(type);
  event.set_organization("o");
  return event;
}

class ClientTest : public CommandTest {
 protected:
  // A client whose waits are noted and take no time; before each, `Refuse("a", OK)` once `refusals`
  // have been given.
  PublisherClient ClientThatSucceedsAfter(int refusals) {
    PublisherClient::Options options;
    options.on_failure = [this](const absl::Status&, absl::Duration) { ++failures_; };
    options.wait = [this, refusals](absl::Duration wait) {
      waits_.push_back(wait);
      if (static_cast<int>(waits_.size()) == refusals) engine_.Refuse("a", absl::OkStatus());
    };
    return PublisherClient(channel_, options);
  }

  std::vector<absl::Duration> waits_;
  size_t failures_ = 0;  // Those that on_failure was told of.
};

TEST_F(ClientTest, TriesAgainWithTheSameIdUntilItIsAccepted) {
  engine_.Refuse("a", absl::UnavailableError("full"));
  PublisherClient client = ClientThatSucceedsAfter(3);

  const auto response = client.Publish(EventOf("a"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a", "a", "a", "a"));
  const std::vector<std::string> ids = engine_.PublishedIds();
  EXPECT_THAT(ids, testing::Each(ids[0]));
  EXPECT_EQ(response->id(), ids[0]);
  EXPECT_EQ(ids[0][14], '7');  // The version digit.
  ASSERT_EQ(waits_.size(), 3u);
  EXPECT_EQ(failures_, 3u);
  EXPECT_LE(waits_[0], absl::Milliseconds(100));
  EXPECT_GE(waits_[2], absl::Milliseconds(200));
}

TEST_F(ClientTest, NeverTriesAgainSoonerThanTheGatewayAsks) {
  engine_.Refuse("a", WithRetry(absl::ResourceExhaustedError("quota"), absl::Seconds(7)));
  PublisherClient client = ClientThatSucceedsAfter(1);

  ASSERT_TRUE(client.Publish(EventOf("a")).ok());

  EXPECT_THAT(waits_, ElementsAre(absl::Seconds(7)));
}

TEST_F(ClientTest, GivesUpWhenTheWaitWouldBeLongerThanItsTime) {
  engine_.Refuse("a", WithRetry(absl::UnavailableError("full"), absl::Hours(1)));
  PublisherClient client = ClientThatSucceedsAfter(1);

  EXPECT_TRUE(absl::IsUnavailable(client.Publish(EventOf("a")).status()));
  EXPECT_THAT(waits_, IsEmpty());
  EXPECT_EQ(failures_, 0u) << "it is the answer";
}

TEST_F(ClientTest, DoesNotTryAgainWhatCannotSucceed) {
  for (const absl::Status& refusal :
       {absl::InvalidArgumentError("bad"), absl::AlreadyExistsError("taken"),
        absl::ResourceExhaustedError("too large for the transport")}) {
    engine_.Refuse("a", refusal);
    PublisherClient client = ClientThatSucceedsAfter(1);
    EXPECT_EQ(client.Publish(EventOf("a")).status().code(), refusal.code());
  }
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(ClientTest, AStreamAnswersEachEvent) {
  engine_.Refuse("bad", InvalidField("type", "is bad"));
  std::vector<std::pair<std::string, int>> answers;
  PublishStreamClient client(channel_, [&answers](const v1::Event& event, const auto& receipt) {
    answers.emplace_back(event.type(), static_cast<int>(receipt.status().code()));
  });

  ASSERT_TRUE(client.Send(EventOf("a")).ok());
  ASSERT_TRUE(client.Send(EventOf("bad")).ok());
  ASSERT_TRUE(client.Send(EventOf("b")).ok());

  EXPECT_TRUE(client.Close().ok());
  EXPECT_THAT(answers, ElementsAre(Pair("a", 0), Pair("bad", 3), Pair("b", 0)));
  EXPECT_THAT(client.TakeUnanswered(), IsEmpty());
}

TEST_F(ClientTest, AStreamThatBreaksHandsBackWhatIsUnanswered) {
  engine_.Hold();
  PublishStreamClient client(channel_, [](const v1::Event&, const auto&) {});
  ASSERT_TRUE(client.Send(EventOf("a")).ok());
  engine_.WaitForPublishes(1);
  server_->Drain();
  ASSERT_TRUE(engine_.AnswerNext());
  while (client.Send(EventOf("b")).ok()) {
  }

  EXPECT_TRUE(absl::IsUnavailable(client.Close()));
  const std::vector<v1::Event> unanswered = client.TakeUnanswered();
  ASSERT_FALSE(unanswered.empty());
  EXPECT_EQ(unanswered[0].type(), "b");
  EXPECT_NE(unanswered[0].id(), "");
}

TEST_F(ClientTest, CommandsPublish) {
  files_["m.json"] = "{\"text\": \"hello\"}";
  ASSERT_TRUE(Run({"publish", "--organization", "o", "--type=a.b", "--json-data", "message=@m.json",
                   "--link", "message=https://x?a=b", "--time", "2018-12-19T19:09:01Z"})
                  .ok());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a.b"));
  EXPECT_THAT(out_.str(), HasSubstr("\"duplicate\": false"));
}

TEST_F(ClientTest, CommandsPublishLines) {
  in_.str(
      "{\"type\":\"a\",\"organization\":\"o\",\"id\":\"774ae370-02cc-11e7-ac41-c38ce8763025\"}\n"
      "{\"type\":\"b\",\"organization\":\"o\"}\n");
  ASSERT_TRUE(Run({"publish-lines"}).ok());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a", "b"));
  EXPECT_THAT(out_.str(), HasSubstr("774ae370-02cc-11e7-ac41-c38ce8763025 OK\n"));
  in_ = std::istringstream("{nonsense\n");
  EXPECT_TRUE(absl::IsInvalidArgument(Run({"publish-lines"})));
}

TEST_F(ClientTest, CommandsKeepSubscriptions) {
  ASSERT_TRUE(Run({"subscriptions", "create", "--organization", "o", "--url", "https://x",
                   "--event-type", "a.*", "--event-type", "b", "--id", "mine", "--scope", "self",
                   "--verification", "VERIFICATION_CHALLENGE", "--header", "X-A=1"})
                  .ok());
  const Subscription& created = engine_.subscriptions["mine"];
  EXPECT_THAT(created.event_types, ElementsAre("a.*", "b"));
  EXPECT_EQ(created.scope, Scope::kSelf);
  EXPECT_EQ(created.verification, Verification::kChallenge);
  EXPECT_THAT(out_.str(), HasSubstr("whsec_made"));
  EXPECT_TRUE(Run({"subscriptions", "get", "mine"}).ok());
  EXPECT_TRUE(Run({"subscriptions", "delete", "mine"}).ok());
  EXPECT_TRUE(absl::IsNotFound(Run({"subscriptions", "get", "mine"})));
}

TEST_F(ClientTest, CommandsChangeSubscriptions) {
  ASSERT_TRUE(Run({"subscriptions", "create", "--organization", "o", "--url", "https://x", "--id",
                   "mine", "--order", "by_key"})
                  .ok());
  EXPECT_EQ(engine_.subscriptions["mine"].policy.order, OrderMode::kByKey);
  for (const char* call : {"pause", "resume", "enable", "verify"}) {
    ASSERT_TRUE(Run({"subscriptions", call, "mine", "--etag", "\"7\""}).ok()) << call;
    EXPECT_EQ(absl::AsciiStrToLower(engine_.last_call), call);
    EXPECT_EQ(engine_.last_target.id, "mine");
    EXPECT_EQ(engine_.last_target.etag, "\"7\"");
    EXPECT_FALSE(engine_.last_target.skip_backlog);
  }
  for (const char* call : {"resume", "enable"}) {
    ASSERT_TRUE(Run({"subscriptions", call, "--skip-backlog", "mine"}).ok());
    EXPECT_TRUE(engine_.last_target.skip_backlog);
  }
  engine_.test_result.response = "thanks";
  ASSERT_TRUE(Run({"subscriptions", "test", "mine", "--enable"}).ok());
  EXPECT_TRUE(engine_.last_test.enable);
  EXPECT_THAT(out_.str(), HasSubstr("\"response\": \"thanks\""));
  ASSERT_TRUE(Run({"subscriptions", "rotate-secret", "mine", "--overlap", "36h"}).ok());
  EXPECT_EQ(engine_.last_rotation.overlap, absl::Hours(36));
  EXPECT_THAT(out_.str(), HasSubstr("whsec_made"));
  ASSERT_TRUE(
      Run({"subscriptions", "rotate-secret", "mine", "--secret=s", "--expire-old-now"}).ok());
  EXPECT_EQ(engine_.last_rotation.secret, "s");
  EXPECT_EQ(engine_.last_rotation.overlap, absl::ZeroDuration());
}

TEST_F(ClientTest, ListsArePrintedPageByPageUpToTheirLimit) {
  for (int i = 0; i < 120; ++i) {
    engine_.subscriptions[absl::StrCat("id-", 1000 + i)].id = absl::StrCat("id-", 1000 + i);
  }
  ASSERT_TRUE(Run({"subscriptions", "list", "--organization", "o", "--limit", "110"}).ok());
  EXPECT_THAT(out_.str(), HasSubstr("id-1109"));
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("id-1110")));
}

TEST_F(ClientTest, CommandsRedriveAndPurge) {
  ASSERT_TRUE(Run({"redrive", "--subscription", "s"}).ok());
  EXPECT_EQ(engine_.last_redrive.subscription_id, "s");
  EXPECT_THAT(out_.str(), HasSubstr("\"redriven_count\": \"3\""));
  ASSERT_TRUE(Run({"purge", "matching", "--subscription", "s", "--event-type", "a.*"}).ok());
  EXPECT_THAT(engine_.last_purge.filter.event_types, ElementsAre("a.*"));
  ASSERT_TRUE(Run({"purge", "dead-letters", "--subscription", "s"}).ok());
  EXPECT_TRUE(engine_.last_purge.dead_letters_only);
  EXPECT_TRUE(Run({"purge", "everything", "--subscription", "s"}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Run({"purge", "matching", "--subscription", "s"})));
  EXPECT_TRUE(absl::IsInvalidArgument(Run({"purge", "all", "--subscription", "s"})));
}

TEST_F(ClientTest, WrongCommandsAreSaidClearly) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("--help"));
  EXPECT_THAT(ErrorOf({"dance"}), HasSubstr("dance"));
  EXPECT_THAT(ErrorOf({"subscriptions"}), HasSubstr("subscriptions"));
  EXPECT_THAT(ErrorOf({"publish", "--type", "a"}), HasSubstr("--organization is missing"));
  EXPECT_THAT(ErrorOf({"publish", "--colour", "red"}), HasSubstr("--colour"));
  EXPECT_THAT(ErrorOf({"publish", "--type"}), HasSubstr("--type needs a value"));
  EXPECT_THAT(ErrorOf({"publish", "--organization=o", "--type=a", "--json-data", "x"}),
              HasSubstr("NAME=VALUE"));
  EXPECT_THAT(ErrorOf({"publish", "--organization=o", "--type=a", "--time", "noon"}),
              HasSubstr("--time"));
  EXPECT_THAT(ErrorOf({"events", "get", "--organization=o"}), HasSubstr("id"));
  EXPECT_THAT(ErrorOf({"events", "list", "--organization=o", "--limit=0"}), HasSubstr("--limit"));
  EXPECT_THAT(ErrorOf({"subscriptions", "create", "--organization=o", "--url=u", "--scope=all"}),
              HasSubstr("--scope"));
  EXPECT_THAT(ErrorOf({"subscriptions", "resume", "a", "--skip-backlog=yes"}),
              HasSubstr("--skip-backlog takes no value"));
  EXPECT_THAT(ErrorOf({"subscriptions", "rotate-secret", "a", "--overlap=soon"}),
              HasSubstr("--overlap"));
  EXPECT_TRUE(
      absl::IsNotFound(Run({"publish", "--organization=o", "--type=a", "--json-data", "x=@gone"})));
}

TEST_F(ClientTest, TheGatewaysErrorsComeWithTheirReason) {
  const absl::Status status = Run({"attempts"});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(status.GetPayload(kReasonPayload).has_value());
}

TEST(Arguments, TheLastValueCountsAndAllAreKept) {
  const auto arguments = Arguments::Parse({"--a", "1", "word", "--a=2", "--", "--b"}, {"a"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Get("a"), "2");
  EXPECT_THAT(arguments->All("a"), ElementsAre("1", "2"));
  EXPECT_THAT(arguments->words(), ElementsAre("word", "--b"));
  EXPECT_FALSE(arguments->Find("b").has_value());
}

}  // namespace
}  // namespace postrider
