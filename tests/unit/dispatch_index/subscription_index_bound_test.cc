#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/dispatch/subscription_index.h"
#include "gateway/model/event_pattern.h"

// Matching visits at most 256 nodes for a type of 8 segments, whatever the subscriptions.
namespace postrider {
namespace {

constexpr size_t kNodesMax = 256;
const std::string kStar(1, '*');
const std::vector<std::string> kWords = {"a", "b", "c", "d", "e", "f", "g", "h"};

std::shared_ptr<const Subscription> Make(SubscriptionNumber number, const std::string& pattern) {
  auto subscription = std::make_shared<Subscription>();
  subscription->number = number;
  subscription->organization = "acme";
  subscription->event_types = {pattern};
  return subscription;
}

// Every pattern over the type's own words: each place a word or a `*`, cut to each length, and a
// `**` put in at each place or at none.
std::vector<std::string> AllPatterns(const std::vector<std::string>& words) {
  std::vector<std::string> patterns;
  for (size_t length = 1; length <= words.size(); ++length) {
    for (size_t stars = 0; stars < size_t{1} << length; ++stars) {
      std::vector<std::string> segments(words.begin(), words.begin() + static_cast<long>(length));
      for (size_t i = 0; i < length; ++i) {
        if ((stars >> i & 1) != 0) segments[i] = kStar;
      }
      patterns.push_back(absl::StrJoin(segments, "."));
      for (size_t place = 0; place <= length; ++place) {
        std::vector<std::string> with = segments;
        with.insert(with.begin() + static_cast<long>(place), "**");
        patterns.push_back(absl::StrJoin(with, "."));
      }
    }
  }
  return patterns;
}

class BoundTest : public testing::Test {
 protected:
  void Add(const std::string& pattern) {
    ASSERT_TRUE(EventPattern::Parse("p", pattern).ok()) << pattern;
    index_.Put(Make(++subscriptions_, pattern));
    patterns_.push_back(pattern);
  }

  // The nodes visited for `type`, after a look at the matches.
  size_t Visited(const std::string& type) {
    std::vector<SubscriptionNumber> numbers;
    size_t nodes_visited = 0;
    index_.Match({"acme"}, type, &numbers, &nodes_visited);
    size_t expected = 0;
    for (const std::string& pattern : patterns_) expected += PatternMatches(pattern, type) ? 1 : 0;
    EXPECT_EQ(numbers.size(), expected) << type;
    return nodes_visited;
  }

  SubscriptionIndex index_;
  std::vector<std::string> patterns_;
  SubscriptionNumber subscriptions_ = 0;
};

TEST_F(BoundTest, HoldsForEveryPatternOverTheTypesWords) {
  for (const std::string& pattern : AllPatterns(kWords)) Add(pattern);
  EXPECT_EQ(Visited("a.b.c.d.e.f.g.h"), kNodesMax);  // No more, and the test reaches it.
  for (size_t length = 1; length <= kWords.size(); ++length) {
    const std::vector<std::string> words(kWords.begin(),
                                         kWords.begin() + static_cast<long>(length));
    EXPECT_LE(Visited(absl::StrJoin(words, ".")), size_t{1} << length);
  }
}

// One word at all places: every `**` and every trailing `*` fits in many ways.
TEST_F(BoundTest, HoldsWhereEverythingFitsInManyWays) {
  const std::vector<std::string> same(8, "a");
  for (const std::string& pattern : AllPatterns(same)) Add(pattern);
  EXPECT_LE(Visited("a.a.a.a.a.a.a.a"), kNodesMax);
}

TEST_F(BoundTest, WordsThatNoPatternHasCostNothing) {
  for (const std::string& pattern : AllPatterns(kWords)) Add(pattern);
  EXPECT_EQ(Visited("x.x.x.x.x.x.x.x"), 1u);
  EXPECT_EQ(Visited("a.x.x.x.x.x.x.x"), 2u);
}

TEST_F(BoundTest, WhatWasRemovedCostsNothing) {
  for (const std::string& pattern : AllPatterns(kWords)) Add(pattern);
  while (subscriptions_ > 0) index_.Remove(subscriptions_--);
  patterns_.clear();
  Add("a.*");
  Add("b");  // Keeps the word.
  EXPECT_EQ(Visited("a.b.c.d.e.f.g.h"), 1u);
  Add("a.b.*");
  index_.Remove(subscriptions_);
  patterns_.pop_back();
  EXPECT_EQ(Visited("a.b.c.d.e.f.g.h"), 1u);
}

TEST_F(BoundTest, OrdinaryPatternsVisitAHandful) {
  for (const char* pattern :
       {"message.create.*", "*.update", "message.create.*.results", "**.delete"}) {
    Add(pattern);
  }
  for (int i = 0; i < 1000; ++i) Add(absl::StrCat("resource", i, ".create"));
  EXPECT_LE(Visited("message.create.contact.chat"), 3u);
}

}  // namespace
}  // namespace postrider
