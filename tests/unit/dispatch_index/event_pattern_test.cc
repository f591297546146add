#include "gateway/model/event_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace postrider {
namespace {

std::string Problem(absl::string_view pattern) {
  return std::string(EventPattern::Parse("p", pattern).status().message());
}

// By the shapes, as the index does it.
bool ShapesMatch(absl::string_view text, absl::string_view type) {
  const absl::StatusOr<EventPattern> pattern = EventPattern::Parse("p", text);
  EXPECT_TRUE(pattern.ok()) << pattern.status();
  const std::vector<std::string> segments = absl::StrSplit(type, '.');
  std::vector<EventPattern::Shape> shapes;
  pattern->AppendShapes(segments.size(), &shapes);
  EXPECT_LE(shapes.size(), segments.size());
  const auto fits = [&segments](const EventPattern::Shape& shape) {
    size_t place = 0;
    while (place < segments.size() &&
           (shape[place] == nullptr || *shape[place] == segments[place])) {
      ++place;
    }
    return place == segments.size();
  };
  return std::any_of(shapes.begin(), shapes.end(), fits);
}

TEST(EventPattern, AcceptsWordsAndWildcards) {
  for (const char* pattern : {"*",
                              "**",
                              "a",
                              "a.b",
                              "A-1.b_2",
                              "*.*",
                              "*.update",
                              "a.*",
                              "a.*.b",
                              "a.**",
                              "**.a",
                              "a.**.b",
                              "**.*",
                              "*.**",
                              "a.*.**.*.b",
                              "**.create.*",
                              "a.b.c.d.e.f.g.h",
                              "a.b.c.d.e.f.g.h.**",
                              "*.*.*.*.*.*.*.*",
                              "postrider.*",
                              "postrider.subscription.failing"}) {
    EXPECT_EQ(Problem(pattern), "") << pattern;
  }
}

TEST(EventPattern, RefusesTheRest) {
  for (const char* pattern : {"", ".", "a.", ".a", "a..b", "mess*", "*a", "***", "a.b*.c", "a b",
                              "é", "a.?", "a.b\n", "a,b"}) {
    EXPECT_NE(Problem(pattern), "") << pattern;
  }
  EXPECT_EQ(Problem("**.a.**"), "p: '**' may stand once; the limit is 1");
  EXPECT_EQ(Problem("**.**"), "p: '**' may stand once; the limit is 1");
  EXPECT_EQ(Problem("a.b.c.d.e.f.g.h.*"), "p: 9 segments; the limit is 8");
  EXPECT_EQ(Problem("**.a.b.c.d.e.f.g.h.i"), "p: 9 segments; the limit is 8");
  EXPECT_EQ(Problem(std::string(257, 'a')), "p: 257 bytes; the limit is 256");
  EXPECT_EQ(Problem(""), "p: required");
}

struct Case {
  const char* pattern;
  std::vector<const char*> matching;
  std::vector<const char*> other;
};

TEST(EventPattern, MatchesAsDocumented) {
  const std::vector<Case> cases = {
      {"*", {"a", "a.b", "a.b.c.d.e.f.g.h"}, {}},
      {"**", {"a", "a.b"}, {}},
      {"message.create.contact.chat",
       {"message.create.contact.chat"},
       {"message.create.contact", "message.create.contact.chat.x", "message.create.contact.form"}},
      {"message.create.contact.*", {"message.create.contact.chat"}, {"message.create.contact"}},
      {"message.create.*.results",
       {"message.create.contact.results"},
       {"message.create.results", "message.create.a.b.results", "message.create.contact.chat"}},
      {"message.*",
       {"message.update", "message.create.contact.chat"},
       {"message", "messages.update", "x.message.update"}},
      {"*.update", {"conversation.update"}, {"update", "a.b.update", "conversation.update.x"}},
      {"**.update", {"update", "conversation.update", "a.b.update"}, {"update.x"}},
      {"message.**", {"message", "message.update"}, {"messages"}},
      {"a.**.z", {"a.z", "a.b.z", "a.b.c.z", "a.z.z"}, {"a", "z", "a.z.b", "b.a.z"}},
      {"*.*", {"a.b", "a.b.c"}, {"a"}},
      {"**.*", {"a", "a.b"}, {}},
      {"*.**", {"a", "a.b"}, {}},
      {"a.*.**.b", {"a.x.b", "a.x.y.b"}, {"a.b", "a.b.x"}},
      {"**.create.*",
       {"create.x", "a.create.x", "a.b.create.x.y", "create.create"},
       {"create", "a.create"}},
      {"a.**.a.*", {"a.a.a", "a.x.a.x", "a.a.a.a"}, {"a.a", "a.x.a"}},
      {"Message.*", {"Message.x"}, {"message.x"}},
  };
  for (const Case& c : cases) {
    for (const char* type : c.matching) {
      EXPECT_TRUE(PatternMatches(c.pattern, type)) << c.pattern << " " << type;
      EXPECT_TRUE(ShapesMatch(c.pattern, type)) << c.pattern << " " << type;
    }
    for (const char* type : c.other) {
      EXPECT_FALSE(PatternMatches(c.pattern, type)) << c.pattern << " " << type;
      EXPECT_FALSE(ShapesMatch(c.pattern, type)) << c.pattern << " " << type;
    }
  }
}

TEST(EventPattern, OperationalEventsMustBeSpelt) {
  const char* const type = "postrider.subscription.failing";
  for (const char* pattern :
       {"postrider.*", "postrider.**", "postrider.*.failing", "**.postrider.*", type}) {
    EXPECT_TRUE(PatternMatches(pattern, type)) << pattern;
  }
  for (const char* pattern : {"*", "**", "*.subscription.failing", "**.failing", "*.*.*"}) {
    EXPECT_FALSE(PatternMatches(pattern, type)) << pattern;
  }
  EXPECT_FALSE(PatternMatches("**.postrider.x", "postrider.postrider.x"));
  EXPECT_TRUE(PatternMatches("*", "postrider"));
}

TEST(EventPattern, NoPatternsWantEverythingButOperationalEvents) {
  EXPECT_TRUE(MatchesAny({}, "a.b"));
  EXPECT_FALSE(MatchesAny({}, "postrider.subscription.failing"));
  EXPECT_TRUE(MatchesAny({"x", "a.*"}, "a.b"));
  EXPECT_FALSE(MatchesAny({"x", "b.*"}, "a.b"));
}

TEST(EventType, NamesTheLimit) {
  EXPECT_TRUE(ValidateEventType("type", "postrider.x").ok());
  EXPECT_EQ(ValidateEventType("type", "1.2.3.4.5.6.7.8.9").message(),
            "type: 9 segments; the limit is 8");
  EXPECT_FALSE(ValidateEventType("type", "a.*").ok());
}

}  // namespace
}  // namespace postrider
