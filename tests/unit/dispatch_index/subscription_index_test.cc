#include "gateway/dispatch/subscription_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/model/event_pattern.h"

namespace postrider {
namespace {

using Numbers = std::vector<SubscriptionNumber>;

std::shared_ptr<const Subscription> Make(SubscriptionNumber number, std::string organization,
                                         std::vector<std::string> patterns,
                                         Scope scope = Scope::kSubtree) {
  auto subscription = std::make_shared<Subscription>();
  subscription->number = number;
  subscription->organization = std::move(organization);
  subscription->event_types = std::move(patterns);
  subscription->scope = scope;
  return subscription;
}

Numbers Match(const SubscriptionIndex& index, const std::vector<std::string>& path,
              absl::string_view type) {
  Numbers numbers;
  size_t nodes_visited = 0;
  index.Match(path, type, &numbers, &nodes_visited);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

TEST(SubscriptionIndex, FindsBySubscribedPattern) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {"message.create.*"}));
  index.Put(Make(2, "acme", {}));
  index.Put(Make(3, "acme", {"*.update", "**.chat"}));
  index.Put(Make(4, "other", {}));
  EXPECT_EQ(Match(index, {"acme"}, "message.create.contact.chat"), (Numbers{1, 2, 3}));
  EXPECT_EQ(Match(index, {"acme"}, "message.update"), (Numbers{2, 3}));
  EXPECT_EQ(Match(index, {"acme"}, "unknown"), (Numbers{2}));
  EXPECT_EQ(Match(index, {"nobody"}, "message.update"), Numbers{});
  EXPECT_EQ(Match(index, {"acme"}, "1.2.3.4.5.6.7.8.9"), Numbers{});
}

TEST(SubscriptionIndex, GivesEachOnce) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {"*", "**", "a.*", "a.**", "a.b", "**.b", "*.b", "**.a.*", "a.**.b"}));
  EXPECT_EQ(Match(index, {"acme"}, "a.b"), Numbers{1});
  EXPECT_EQ(Match(index, {"acme"}, "a.a.a.b"), Numbers{1});
}

TEST(SubscriptionIndex, AppendsToWhatIsThere) {
  SubscriptionIndex index;
  index.Put(Make(7, "acme", {}));
  Numbers numbers = {5};
  size_t nodes_visited = 3;
  index.Match({"acme"}, "a", &numbers, &nodes_visited);
  EXPECT_EQ(numbers, (Numbers{5, 7}));
  EXPECT_EQ(nodes_visited, 4u);
}

TEST(SubscriptionIndex, AncestorsGetTheEventUnlessTheyWantTheirOwnOnly) {
  SubscriptionIndex index;
  index.Put(Make(1, "root", {}, Scope::kSubtree));
  index.Put(Make(2, "root", {}, Scope::kSelf));
  index.Put(Make(3, "acme", {}, Scope::kSubtree));
  index.Put(Make(4, "acme", {}, Scope::kSelf));
  index.Put(Make(5, "below", {}, Scope::kSubtree));
  EXPECT_EQ(Match(index, {"root", "acme"}, "a"), (Numbers{1, 3, 4}));
  EXPECT_EQ(Match(index, {"root"}, "a"), (Numbers{1, 2}));
  EXPECT_EQ(Match(index, {"acme"}, "a"), (Numbers{3, 4}));
  EXPECT_EQ(Match(index, {"root", "acme", "below"}, "a"), (Numbers{1, 3, 5}));
}

TEST(SubscriptionIndex, OperationalEventsMustBeSpelt) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {}));
  index.Put(Make(2, "acme", {"*", "**", "**.failing", "*.subscription.*"}));
  index.Put(Make(3, "acme", {"postrider.*"}));
  index.Put(Make(4, "acme", {"postrider.**.failing"}));
  EXPECT_EQ(Match(index, {"acme"}, "postrider.subscription.failing"), (Numbers{3, 4}));
  EXPECT_EQ(Match(index, {"acme"}, "postrider"), (Numbers{1, 2}));
}

TEST(SubscriptionIndex, PutReplaces) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {"a"}));
  index.Put(Make(1, "acme", {"b"}));
  EXPECT_EQ(Match(index, {"acme"}, "a"), Numbers{});
  EXPECT_EQ(Match(index, {"acme"}, "b"), Numbers{1});
  index.Put(Make(1, "acme", {"b"}, Scope::kSelf));
  EXPECT_EQ(Match(index, {"acme", "below"}, "b"), Numbers{});
  index.Put(Make(1, "other", {"b"}));
  EXPECT_EQ(Match(index, {"acme"}, "b"), Numbers{});
  EXPECT_EQ(Match(index, {"other"}, "b"), Numbers{1});
  EXPECT_EQ(index.size(), 1u);
}

TEST(SubscriptionIndex, RemoveForgets) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {"a", "**.z"}));
  index.Put(Make(2, "acme", {"a"}));
  index.Remove(1);
  index.Remove(99);
  EXPECT_EQ(Match(index, {"acme"}, "a"), Numbers{2});
  EXPECT_EQ(Match(index, {"acme"}, "z"), Numbers{});
  index.Remove(2);
  EXPECT_EQ(Match(index, {"acme"}, "a"), Numbers{});
  EXPECT_EQ(index.size(), 0u);
}

TEST(SubscriptionIndex, APatternThatIsNoneMatchesNothing) {
  SubscriptionIndex index;
  index.Put(Make(1, "acme", {"mess*", "a.."}));
  EXPECT_EQ(Match(index, {"acme"}, "message"), Numbers{});
}

// --- Random subscriptions, changes and events, judged by the reference matcher -------------------

class RandomWorld {
 public:
  explicit RandomWorld(uint32_t seed) : random_(seed) {}

  void Change() {
    const SubscriptionNumber number = 1 + Below(30);
    if (Below(4) == 0) {
      index_.Remove(number);
      subscriptions_.erase(number);
      return;
    }
    std::vector<std::string> patterns;
    for (size_t count = Below(4); count > 0; --count) patterns.push_back(Pattern());
    auto subscription = Make(number, absl::StrCat("org", Below(3)), std::move(patterns),
                             Below(3) == 0 ? Scope::kSelf : Scope::kSubtree);
    index_.Put(subscription);
    subscriptions_[number] = std::move(subscription);
  }

  void Judge() {
    std::vector<std::string> path = {"org0", "org1", "org2"};
    std::shuffle(path.begin(), path.end(), random_);
    path.resize(1 + Below(3));
    const std::string type = Type();
    Numbers expected;
    for (const auto& [number, subscription] : subscriptions_) {
      const bool own = subscription->organization == path.back();
      const bool above =
          subscription->scope == Scope::kSubtree &&
          std::find(path.begin(), path.end(), subscription->organization) != path.end();
      if ((own || above) && MatchesAny(subscription->event_types, type)) expected.push_back(number);
    }
    ASSERT_EQ(Match(index_, path, type), expected) << absl::StrJoin(path, "/") << " " << type;
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }

  std::string Word() { return Below(20) == 0 ? "postrider" : std::string(1, "abc"[Below(3)]); }

  std::string Type() {
    std::vector<std::string> segments(1 + Below(kEventTypeSegmentsMax));
    for (std::string& segment : segments) segment = Word();
    return absl::StrJoin(segments, ".");
  }

  std::string Pattern() {
    std::vector<std::string> segments(1 + Below(6));
    for (std::string& segment : segments) segment = Below(3) == 0 ? "*" : Word();
    if (Below(2) == 0) segments[Below(segments.size())] = "**";
    return absl::StrJoin(segments, ".");
  }

  std::mt19937 random_;
  SubscriptionIndex index_;
  std::map<SubscriptionNumber, std::shared_ptr<const Subscription>> subscriptions_;
};

TEST(SubscriptionIndex, AgreesWithTheReferenceMatcher) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomWorld world(seed);
    for (int step = 0; step < 400; ++step) {
      world.Change();
      for (int i = 0; i < 5; ++i) ASSERT_NO_FATAL_FAILURE(world.Judge());
    }
  }
}

}  // namespace
}  // namespace postrider
