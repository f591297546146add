#include "gateway/accept/translate.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixMillis(1700000000123);

TranslateContext Context() {
  TranslateContext context;
  context.now = kNow;
  context.random = {1, 2};
  return context;
}

// The platform's sample, its API below `api`.
EventInput Sample(const std::string& api) {
  EventInput event;
  event.id = "774ae370-02cc-11e7-ac41-c38ce8763025";
  event.type = "message.create.contact.chat";
  event.time = absl::FromUnixSeconds(1545246541);
  event.organization = "5c138790ec944f05ff5f6d77";
  event.activity.present = true;
  event.activity.type = "Create";
  event.activity.actor = ActivityInput::Party{
      .id = api + "/users/5c1a99e410419f5fb88cb5f2", .type = "Person", .name = ""};
  event.activity.object = ActivityInput::Party{
      .id = api + "/messages/5c1a974dabcdb128d0e90e93", .type = "Object", .name = ""};
  event.activity.summary = "User Jenny Jones created a chat message";
  return event;
}

std::string ReadVector() {
  std::ifstream file("tests/unit/accept/testdata/webhook.json", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Translate, ReproducesThePlatformsPayloadByteForByte) {
  const std::string api = "https://api.web1on1.chat/v2";
  EventInput event = Sample(api);
  event.data = {{"message",
                 R"({ "id": "5c1a974dabcdb128d0e90e93", "conversation": "5c1a974dabcdb128d0e90e90",
            "type": "chat", "role": "contact", "text": "H\u00e9llo <b> \uD83D\uDE00" })"},
                {"conversation",
                 R"({"id":"5c1a974dabcdb128d0e90e90","organization":"5c138790ec944f05ff5f6d77",
           "type":"contact",
           "participants":[{"user":"5c1a99e410419f5fb88cb5f2","role":"agent","active":true}]})"}};
  event.links = {{"user", api + "/users/5c1a99e410419f5fb88cb5f2"},
                 {"message", api + "/messages/5c1a974dabcdb128d0e90e93"},
                 {"conversation", api + "/conversations/5c1a974dabcdb128d0e90e90"},
                 {"organization", api + "/organizations/5c138790ec944f05ff5f6d77"}};
  const auto translated = Translate(event, Context());
  ASSERT_TRUE(translated.ok()) << translated.status();
  const std::string expected = ReadVector();
  ASSERT_EQ(expected.size(), 1176u);
  EXPECT_EQ((*translated)->body, expected);
}

TEST(Translate, FillsTheReadmesExample) {
  EventInput event = Sample("https://api.chatshipper.com/v2");
  event.data = {{"conversation", R"({"id":"5c1a974dabcdb128d0e90e90"})", true},
                {"message", R"({"id":"5c1a974dabcdb128d0e90e93","text":"hello"})", true}};
  event.links = {{"message", "https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93"}};
  const auto translated = Translate(event, Context());
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_EQ((*translated)->body,
            R"({"id":"774ae370-02cc-11e7-ac41-c38ce8763025","timestamp":"2018-12-19T19:09:01Z",)"
            R"("event":"message.create.contact.chat","organization":"5c138790ec944f05ff5f6d77",)"
            R"("activity":{"@context":"https://www.w3.org/ns/activitystreams","type":"Create",)"
            R"("actor":{"id":"https://api.chatshipper.com/v2/users/5c1a99e410419f5fb88cb5f2",)"
            R"("type":"Person"},)"
            R"("object":{"id":"https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93",)"
            R"("type":"Object"},"published":"2018-12-19T19:09:01Z",)"
            R"("summary":"User Jenny Jones created a chat message"},)"
            R"("data":{"conversation":{"id":"5c1a974dabcdb128d0e90e90"},)"
            R"("message":{"id":"5c1a974dabcdb128d0e90e93","text":"hello"},)"
            R"("links":{"message":)"
            R"("https://api.chatshipper.com/v2/messages/5c1a974dabcdb128d0e90e93"}}})");
}

EventInput Small() {
  EventInput event;
  event.type = "a.create";
  event.organization = "acme";
  return event;
}

TEST(Translate, DerivesWhatIsAbsent) {
  const auto translated = Translate(Small(), Context());
  ASSERT_TRUE(translated.ok()) << translated.status();
  const Event& event = **translated;
  EXPECT_EQ(event.id, Uuid::Version7(kNow, {1, 2}));
  EXPECT_EQ(event.time, kNow);
  EXPECT_EQ(event.organization_path, std::vector<std::string>{"acme"});
  EXPECT_EQ(event.body,
            absl::StrCat("{\"id\":\"", event.id.ToString(),
                         "\",\"timestamp\":\"2023-11-14T22:13:20.123Z\",\"event\":\"a.create\","
                         "\"organization\":\"acme\",\"activity\":{\"@context\":"
                         "\"https://www.w3.org/ns/activitystreams\",\"type\":\"Create\","
                         "\"actor\":{\"type\":\"Application\"},\"object\":{\"type\":\"Object\"},"
                         "\"published\":\"2023-11-14T22:13:20.123Z\"},\"data\":{}}"));
}

TEST(Translate, SortsResourcesAndLinks) {
  EventInput event = Small();
  event.data = {{"b", "1"}, {"B", "2"}, {"a", "3"}};
  event.links = {{"zebra", "http://h/"},        {"user", "http://h/"},
                 {"apple", "http://h/"},        {"contact", "http://h/"},
                 {"organization", "http://h/"}, {"message", "http://h/"},
                 {"conversation", "http://h/"}};
  const auto translated = Translate(event, Context());
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_TRUE(absl::EndsWith(
      (*translated)->body,
      R"("data":{"B":2,"a":3,"b":1,"links":{"organization":"http://h/","conversation":"http://h/",)"
      R"("message":"http://h/","contact":"http://h/","user":"http://h/","apple":"http://h/",)"
      R"("zebra":"http://h/"}}})"))
      << (*translated)->body;
  event.data.clear();
  EXPECT_TRUE(absl::StrContains((*Translate(event, Context()))->body, "\"data\":{\"links\":{"));
}

TEST(Translate, TakesThePathThatItIsGiven) {
  TranslateContext context = Context();
  context.organization_path = {"known", "acme"};
  EXPECT_EQ((*Translate(Small(), context))->organization_path,
            (std::vector<std::string>{"known", "acme"}));
  EventInput event = Small();
  event.organization_path = {"own", "acme"};
  EXPECT_EQ((*Translate(event, context))->organization_path,
            (std::vector<std::string>{"own", "acme"}));
}

// The directory's path, the moment, chance and the id are no content (L5).
TEST(Translate, HashesOnlyWhatWasGiven) {
  TranslateContext later = Context();
  later.now += absl::Hours(1);
  later.random = {3, 4};
  later.organization_path = {"known", "acme"};
  const auto first = Translate(Small(), Context());
  EXPECT_EQ((*first)->content_hash, (*Translate(Small(), later))->content_hash);
  EventInput spaced = Small();
  spaced.data = {{"m", R"({"a":"\u00e9"})"}};
  EventInput compact = Small();
  compact.data = {{"m", R"( { "a" : "é" } )"}};
  EXPECT_EQ((*Translate(spaced, later))->content_hash,
            (*Translate(compact, Context()))->content_hash);
  EXPECT_NE((*Translate(spaced, later))->content_hash, (*first)->content_hash);
}

TEST(Translate, CarriesTheRest) {
  EventInput event = Small();
  event.ordering_key = "key";
  event.targets = {"hook"};
  event.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  event.expire_time = kNow + absl::Hours(1);
  const auto translated = Translate(event, Context());
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_EQ((*translated)->type, "a.create");
  EXPECT_EQ((*translated)->organization, "acme");
  EXPECT_EQ((*translated)->ordering_key, "key");
  EXPECT_EQ((*translated)->targets, std::vector<std::string>{"hook"});
  EXPECT_EQ((*translated)->traceparent, event.traceparent);
  EXPECT_EQ((*translated)->expire_time, event.expire_time);
}

TEST(Translate, RefusesABodyAboveTheLimitAndNamesBothNumbers) {
  TranslateContext context = Context();
  EventInput event = Small();
  event.data = {{"a", absl::StrCat("\"", std::string(1000, 'x'), "\"")}};
  const size_t size = (*Translate(event, context))->body.size();
  context.body_bytes_max = size;
  EXPECT_TRUE(Translate(event, context).ok());
  context.body_bytes_max = size - 1;
  const absl::Status status = Translate(event, context).status();
  EXPECT_EQ(status.message(), absl::StrCat("data: the event's body would have ", size,
                                           " bytes; the limit is ", size - 1));
}

TEST(Translate, NamesTheResourceAndThePlaceOfBadJson) {
  EventInput event = Small();
  event.data = {{"ok", "1"}, {"message", R"({"text": nope})"}};
  const absl::Status status = Translate(event, Context()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "data[\"message\"].json: malformed JSON at byte 9: expected a value");
  EXPECT_EQ(std::string(*status.GetPayload(kFieldPayload)), "data[\"message\"].json");
}

}  // namespace
}  // namespace postrider
