#include "gateway/accept/activity.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1545246541);
constexpr char kBegin[] = R"({"@context":"https://www.w3.org/ns/activitystreams",)";

std::string Rendered(const EventInput& event) {
  std::string out;
  AppendActivity(event, kTime, &out);
  return out;
}

EventInput OfType(const std::string& type) {
  EventInput event;
  event.type = type;
  return event;
}

TEST(Activity, IsDerivedWhereThePublisherGaveNone) {
  EventInput event = OfType("message.create.contact.chat");
  event.links = {{"user", "https://h/users/1"}, {"message", "https://h/messages/2"}};
  EXPECT_EQ(Rendered(event), std::string(kBegin) +
                                 R"("type":"Create","actor":{"type":"Application"},)"
                                 R"("object":{"id":"https://h/messages/2","type":"Object"},)"
                                 R"("published":"2018-12-19T19:09:01Z"})");
}

TEST(Activity, WritesWhatWasGiven) {
  EventInput event = OfType("message.create.contact.chat");
  event.links = {{"message", "https://h/messages/2"}};
  event.activity.present = true;
  event.activity.type = "Announce";
  event.activity.actor =
      ActivityInput::Party{.id = "https://h/1", .type = "Person", .name = "J \"J\""};
  event.activity.object = ActivityInput::Party{.id = "https://h/2", .type = "Note", .name = ""};
  event.activity.target = ActivityInput::Party{.id = "", .type = "Group", .name = "x"};
  event.activity.published = kTime + absl::Milliseconds(7);
  event.activity.summary = "a <b>\n";
  EXPECT_EQ(
      Rendered(event),
      std::string(kBegin) +
          R"("type":"Announce","actor":{"id":"https://h/1","type":"Person","name":"J \"J\""},)"
          R"("object":{"id":"https://h/2","type":"Note"},"target":{"type":"Group","name":"x"},)"
          R"("published":"2018-12-19T19:09:01.007Z","summary":"a <b>\n"})");
}

TEST(Activity, IgnoresPartsOfAnAbsentActivity) {
  EventInput event = OfType("x.y");
  event.activity.summary = "not there";
  EXPECT_FALSE(absl::StrContains(Rendered(event), "not there"));
}

TEST(Activity, TakesTheTypeFromTheAction) {
  const auto begins = [](const std::string& event_type, const std::string& type) {
    return absl::StartsWith(Rendered(OfType(event_type)),
                            absl::StrCat(kBegin, "\"type\":\"", type, "\","));
  };
  EXPECT_TRUE(begins("conversation.update", "Update"));
  EXPECT_TRUE(begins("message.delete", "Delete"));
  EXPECT_TRUE(begins("user.login", "Arrive"));
  EXPECT_TRUE(begins("user.logout", "Leave"));
  EXPECT_TRUE(begins("service.error", "Flag"));
  EXPECT_TRUE(begins("channel.notify", "Announce"));
  EXPECT_TRUE(begins("shop.order.create", "Create"));
  EXPECT_TRUE(begins("shop.order.shipped", "Activity"));
  EXPECT_TRUE(begins("create", "Activity"));  // The first segment is the resource.
}

TEST(Activity, DerivesTheObjectFromTheResource) {
  const auto object = [](EventInput event) {
    const std::string text = Rendered(event);
    const size_t begin = text.find("\"object\":") + 9;
    return text.substr(begin, text.find(",\"published\"") - begin);
  };
  EXPECT_EQ(object(OfType("user.login")), R"({"type":"Person"})");
  EXPECT_EQ(object(OfType("organization.create")), R"({"type":"Organization"})");
  EXPECT_EQ(object(OfType("bot.update")), R"({"type":"Application"})");
  EXPECT_EQ(object(OfType("article.update")), R"({"type":"Object"})");

  EventInput event = OfType("user.login");
  event.links = {{"user", "https://h/u"}};
  event.activity.present = true;
  event.activity.object = ActivityInput::Party{};
  EXPECT_EQ(object(event), R"({"id":"https://h/u","type":"Person"})");
  event.activity.object->name = "Jenny";
  EXPECT_EQ(object(event), R"({"id":"https://h/u","type":"Person","name":"Jenny"})");
  event.activity.object->id = "https://h/u";
  EXPECT_EQ(object(event), R"({"id":"https://h/u","type":"Person","name":"Jenny"})");
  event.activity.object->id = "https://h/session";
  EXPECT_EQ(object(event), R"({"id":"https://h/session","type":"Object","name":"Jenny"})");
}

}  // namespace
}  // namespace postrider
