#include "gateway/accept/validate_event.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1545246541);

EventInput Valid() {
  EventInput event;
  event.type = "message.create.contact.chat";
  event.organization = "acme";
  return event;
}

// The error for `event`; empty if there is none.
std::string Problem(const EventInput& event) {
  const absl::Status status = ValidateEvent(event, kNow);
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(status.GetPayload(kFieldPayload).has_value());
  return std::string(status.message());
}

template <typename Change>
std::string ProblemAfter(Change change) {
  EventInput event = Valid();
  change(event);
  return Problem(event);
}

TEST(ValidateEvent, NeedsOnlyTypeAndOrganization) {
  EXPECT_EQ(Problem(Valid()), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.type = ""; }), "type: required");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.organization = ""; }), "organization: required");
}

TEST(ValidateEvent, TypeIsOneToEightSegments) {
  for (const char* type : {"a", "a.b.c.d.e.f.g.h", "A-1.b_2", "postrider", "postriders.x"}) {
    EXPECT_EQ(ProblemAfter([type](EventInput& e) { e.type = type; }), "") << type;
  }
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.type = "a.b.c.d.e.f.g.h.i"; }),
            "type: 9 segments; the limit is 8");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.type = std::string(256, 'a'); }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.type = std::string(257, 'a'); }),
            "type: 257 bytes; the limit is 256");
  for (const char* type : {".", "a.", ".a", "a..b", "a b", "a.*", "a/b", "é", "a\n"}) {
    EXPECT_NE(ProblemAfter([type](EventInput& e) { e.type = type; }), "") << type;
  }
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.type = "postrider.subscription.failing"; }),
            "type: names beginning 'postrider.' are the gateway's own");
}

TEST(ValidateEvent, IdIsAUuid) {
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.id = "774AE370-02cc-11e7-ac41-c38ce8763025"; }), "");
  for (const char* id :
       {"1", "774ae37002cc11e7ac41c38ce8763025", "{774ae370-02cc-11e7-ac41-c38ce8763025}"}) {
    EXPECT_EQ(ProblemAfter([id](EventInput& e) { e.id = id; }),
              "id: must be a UUID in its 36-character form, or absent");
  }
}

TEST(ValidateEvent, PathEndsWithTheOrganizationAndHasNoLoop) {
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.organization_path = {"acme"}; }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.organization_path = {"root", "eu", "acme"}; }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.organization_path = {"root", "other"};
            }),
            "organization_path: must end with the event's own organization");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.organization_path = {"acme", "eu", "acme"};
            }),
            "organization_path[2]: repeats an organization above it; each may stand once");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.organization_path = {"", "acme"};
            }),
            "organization_path[0]: required");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.organization_path = {"1", "2", "3", "4", "5", "6", "7", "acme"};
            }),
            "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.organization_path.assign(9, "acme"); }),
            "organization_path: 9 organizations; the limit is 8");
}

TEST(ValidateEvent, TimesLieInTheYearsOfRfc3339) {
  EXPECT_NE(ProblemAfter([](EventInput& e) { e.time = absl::InfiniteFuture(); }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.expire_time = kNow + absl::Nanoseconds(1); }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.expire_time = kNow; }),
            "expire_time: must lie in the future for an event without an id");
  EXPECT_NE(ProblemAfter([](EventInput& e) { e.expire_time = absl::InfiniteFuture(); }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.activity.present = true;
              e.activity.published = absl::InfinitePast();
            }),
            "activity.published: outside of the years 0001 to 9999");
}

TEST(ValidateEvent, AnEventWithAnIdMayBePublishedAgainThoughItHasExpired) {
  EventInput event = Valid();
  event.id = "774ae370-02cc-11e7-ac41-c38ce8763025";
  event.expire_time = kNow - absl::Hours(1);
  EXPECT_EQ(Problem(event), "");
}

TEST(ValidateEvent, ResourcesHaveNames) {
  for (const char* name : {"message", "m", "Message_2"}) {
    EXPECT_EQ(ProblemAfter([name](EventInput& e) { e.data = {{name, "1"}}; }), "") << name;
  }
  for (const char* name : {"", "2", "_a", "a-b", "a b", "a\"", "é"}) {
    EXPECT_NE(ProblemAfter([name](EventInput& e) { e.data = {{name, "1"}}; }), "") << name;
  }
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.data = {{"links", "{}"}};
            }),
            "data[\"links\"]: the name is taken by the event's links");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.data = {{"a", "1"}, {"a", "2"}};
            }),
            "data[\"a\"]: given twice");
  EXPECT_EQ(
      ProblemAfter([](EventInput& e) {
        e.data = {{std::string(65, 'a'), "1"}};
      }),
      absl::StrCat("data[\"", std::string(65, 'a'), "\"]: 65 bytes in the name; the limit is 64"));
}

TEST(ValidateEvent, CountsResourcesAndLinks) {
  EventInput event = Valid();
  for (size_t i = 0; i < kResourcesMax; ++i) event.data.push_back({absl::StrCat("r", i), "1"});
  for (size_t i = 0; i < kLinksMax; ++i)
    event.links.emplace_back(absl::StrCat("l", i), "http://h/");
  EXPECT_EQ(Problem(event), "");
  event.links.emplace_back("more", "http://h/");
  EXPECT_EQ(Problem(event), "links: 65 links; the limit is 64");
  event.data.push_back({"more", "1"});
  EXPECT_EQ(Problem(event), "data: 65 resources; the limit is 64");
}

TEST(ValidateEvent, LinksAreAbsoluteUrls) {
  for (const char* url : {"https://api.example.com/v2/messages/1", "http://h",
                          "HTTPS://h:8080/?q#f", "https://bücher.example/é", "https://[::1]/"}) {
    EXPECT_EQ(ProblemAfter([url](EventInput& e) { e.links = {{"m", url}}; }), "") << url;
  }
  for (const char* url : {"", "/v2/messages/1", "h", "ftp://h/", "https://", "https:///x",
                          "https://?", "https://:80", "javascript:alert(1)", "https://h/a b",
                          "https://h/\n", "https://h/\"", "https://h/\xFF", "https://h\\x"}) {
    EXPECT_NE(ProblemAfter([url](EventInput& e) { e.links = {{"m", url}}; }), "") << url;
  }
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.links = {{"m", absl::StrCat("http://h/", std::string(2040, 'x'))}};
            }),
            "links[\"m\"]: 2049 bytes; the limit is 2048");
}

TEST(ValidateEvent, BoundsTheActivity) {
  EventInput event = Valid();
  event.activity.present = true;
  event.activity.actor = ActivityInput::Party{.id = std::string(2048, 'a'), .type = "", .name = ""};
  EXPECT_EQ(Problem(event), "");
  event.activity.actor->id += "a";
  EXPECT_EQ(Problem(event), "activity.actor.id: 2049 bytes; the limit is 2048");
  event.activity.actor->id = "a\nb";
  EXPECT_EQ(Problem(event), "activity.actor.id: a control character at byte 1");
  event.activity.actor.reset();
  event.activity.summary = "\xFF";
  EXPECT_EQ(Problem(event), "activity.summary: invalid UTF-8 at byte 0");
}

TEST(ValidateEvent, BoundsOrderingKeyAndTargets) {
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.ordering_key = std::string(256, 'k'); }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.ordering_key = std::string(257, 'k'); }),
            "ordering_key: 257 bytes; the limit is 256");
  EXPECT_EQ(ProblemAfter([](EventInput& e) {
              e.targets = {"a", "b", "a"};
            }),
            "targets[2]: given twice");
  EXPECT_NE(ProblemAfter([](EventInput& e) { e.targets = {"A"}; }), "");
  EXPECT_EQ(ProblemAfter([](EventInput& e) { e.targets.assign(101, "a"); }),
            "targets: 101 subscriptions; the limit is 100");
}

TEST(ValidateEvent, TraceparentIsTraceContext) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(ProblemAfter([&good](EventInput& e) { e.traceparent = good; }), "");
  for (const std::string& bad :
       {good + "x", good.substr(1), absl::StrCat("ff", good.substr(2)),
        absl::StrCat("00-", std::string(32, '0'), good.substr(35)),
        absl::StrCat(good.substr(0, 36), std::string(16, '0'), "-01"),
        absl::StrCat("0G", good.substr(2)),
        std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
        absl::StrCat(good.substr(0, 35), "\r", good.substr(36))}) {
    EXPECT_NE(ProblemAfter([&bad](EventInput& e) { e.traceparent = bad; }), "") << bad;
  }
}

}  // namespace
}  // namespace postrider
