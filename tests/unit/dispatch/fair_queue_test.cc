// Goal: turns go by organization, then by subscription, and by bytes; a pick costs the same however
// many wait.
#include "gateway/dispatch/fair_queue.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;

constexpr size_t kTurn = kFairQuantumBytes - kExchangeCostBytes;  // Uses up a turn at once.

class FairQueueTest : public testing::Test {
 protected:
  // The subscription has `count` bodies of `bytes` to send.
  void Add(const std::string& organization, SubscriptionNumber number, size_t bytes, int count) {
    if (!members_.contains(number)) members_[number] = queue_.Join(organization, number);
    bodies_[number] = {bytes, bodies_[number].second + count};
    queue_.Add(members_.at(number));
  }
  // Sends one body of whose turn it is.
  std::optional<SubscriptionNumber> Send() {
    const std::optional<SubscriptionNumber> next = queue_.PickNext();
    if (!next.has_value()) return next;
    auto& [bytes, count] = bodies_[*next];
    queue_.Charge(members_.at(*next), bytes);
    sent_bytes_[*next] += bytes + kExchangeCostBytes;
    if (--count == 0) queue_.Remove(members_.at(*next));
    return next;
  }
  std::vector<SubscriptionNumber> SendTimes(int times) {
    std::vector<SubscriptionNumber> sent;
    for (int i = 0; i < times; ++i) {
      if (const auto next = Send(); next.has_value()) sent.push_back(*next);
    }
    return sent;
  }

  FairQueue queue_;
  std::map<SubscriptionNumber, FairQueue::Member*> members_;
  std::map<SubscriptionNumber, std::pair<size_t, int>> bodies_;
  std::map<SubscriptionNumber, size_t> sent_bytes_;
};

TEST_F(FairQueueTest, NobodyWaitsAtFirstNorWhenAllIsSent) {
  EXPECT_EQ(queue_.PickNext(), std::nullopt);
  Add("a", 1, 100, 2);
  EXPECT_EQ(queue_.waiting(), 1);
  EXPECT_THAT(SendTimes(3), ElementsAre(1, 1));
  EXPECT_EQ(queue_.waiting(), 0);
}

TEST_F(FairQueueTest, OrganizationsTakeTurnsWhateverTheNumberOfTheirSubscriptions) {
  Add("a", 1, kTurn, 9);
  Add("a", 2, kTurn, 9);
  Add("a", 3, kTurn, 9);
  Add("b", 4, kTurn, 9);
  EXPECT_THAT(SendTimes(8), ElementsAre(1, 4, 2, 4, 3, 4, 1, 4));
}

TEST_F(FairQueueTest, ABurstDelaysTheNextOrganizationByOneTurn) {
  Add("big", 1, 1000, 50'000);
  SendTimes(100);
  Add("small", 2, 1000, 1);
  const std::vector<SubscriptionNumber> sent = SendTimes(20);
  EXPECT_THAT(sent, testing::Contains(2));
}

TEST_F(FairQueueTest, SharesAreOfBytes) {
  Add("a", 1, 200 * 1024, 1000);
  Add("b", 2, 1000, 1'000'000);
  Add("c", 3, 0, 1'000'000);
  Add("c", 4, 50'000, 1'000'000);
  SendTimes(50'000);
  const auto total = static_cast<double>(sent_bytes_[1]);
  EXPECT_NEAR(static_cast<double>(sent_bytes_[2]) / total, 1, 0.05);
  EXPECT_NEAR(static_cast<double>(sent_bytes_[3] + sent_bytes_[4]) / total, 1, 0.05);
  EXPECT_NEAR(static_cast<double>(sent_bytes_[3]) / static_cast<double>(sent_bytes_[4]), 1, 0.05);
}

// Who has one large body at a time is away after each of them, and is still owed nothing more.
TEST_F(FairQueueTest, ComingBackGainsNothing) {
  Add("b", 2, 1000, 1'000'000);
  for (int i = 0; i < 20'000; ++i) {
    if (bodies_[1].second == 0) Add("a", 1, 200 * 1024, 1);
    Send();
  }
  EXPECT_NEAR(static_cast<double>(sent_bytes_[1]) / static_cast<double>(sent_bytes_[2]), 1, 0.05);
}

TEST_F(FairQueueTest, DebtsAreForgivenWhenNobodyWaits) {
  Add("a", 1, kBodyBytesMaxCeiling, 1);
  SendTimes(2);
  Add("a", 1, kTurn, 9);
  Add("b", 2, kTurn, 9);
  EXPECT_THAT(SendTimes(4), ElementsAre(1, 2, 1, 2));
}

TEST_F(FairQueueTest, WhoLeavesIsForgotten) {
  Add("a", 1, kBodyBytesMaxCeiling, 3);
  Add("a", 2, kTurn, 3);
  Add("b", 3, kTurn, 3);
  EXPECT_THAT(SendTimes(1), ElementsAre(1));
  queue_.Leave(members_.at(1));  // In debt, and waiting.
  queue_.Leave(members_.at(3));
  EXPECT_THAT(SendTimes(9), ElementsAre(2, 2, 2));
  queue_.Leave(members_.at(2));
  EXPECT_EQ(queue_.PickNext(), std::nullopt);
}

TEST_F(FairQueueTest, WhoWaitsAlreadyKeepsHisPlace) {
  Add("a", 1, kTurn, 1);
  Add("b", 2, kTurn, 1);
  Add("a", 1, kTurn, 1);
  EXPECT_THAT(SendTimes(3), ElementsAre(1, 2, 1));
}

// The steps that a pick takes when `count` subscriptions have one body each.
double StepsAPick(SubscriptionNumber count, SubscriptionNumber organizations, size_t bytes) {
  FairQueue queue;
  std::vector<FairQueue::Member*> members;
  for (SubscriptionNumber number = 0; number < count; ++number) {
    members.push_back(queue.Join(absl::StrCat("o", number % organizations), number));
    queue.Add(members.back());
  }
  std::vector<bool> sent(count);
  for (SubscriptionNumber i = 0; i < count; ++i) {
    const SubscriptionNumber next = *queue.PickNext();
    EXPECT_FALSE(sent[next]);
    sent[next] = true;
    queue.Charge(members[next], bytes);
    queue.Remove(members[next]);
  }
  EXPECT_EQ(queue.PickNext(), std::nullopt);
  return static_cast<double>(queue.steps()) / static_cast<double>(count);
}

TEST(FairQueueCost, APickCostsTheSameHoweverManyWait) {
  for (const size_t bytes : {size_t{1000}, kBodyBytesMaxDefault, kBodyBytesMaxCeiling}) {
    const double most = 4 + 2.0 * static_cast<double>(bytes) / kFairQuantumBytes;
    EXPECT_LE(StepsAPick(100, 10, bytes), most);
    EXPECT_LE(StepsAPick(100'000, 1, bytes), most);
    EXPECT_LE(StepsAPick(100'000, 1000, bytes), most);
    EXPECT_LE(StepsAPick(100'000, 100'000, bytes), most);
  }
}

}  // namespace
}  // namespace postrider
