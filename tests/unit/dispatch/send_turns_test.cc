// Goal: caps keep what is in flight below them, nobody who could start waits behind one who may
// not, and slow subscriptions leave a share to the others.
#include "gateway/dispatch/send_turns.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kQuick = absl::Milliseconds(5);
constexpr absl::Duration kSlow = absl::Seconds(20);

class SendTurnsTest : public testing::Test {
 protected:
  struct OnWire {
    SubscriptionNumber number = 0;
    SendTurns::Origin* origin = nullptr;
  };

  void Begin(SendTurns::Caps caps) { turns_.emplace(caps); }
  // The subscription has `count` more events to send to `host`.
  void Add(SubscriptionNumber number, const std::string& host, int count) {
    auto subscription = SubscriptionNumbered(number);
    subscription->url = absl::StrCat("https://", host, "/hook", number);
    turns_->Put(*subscription);
    waiting_[number] += count;
    turns_->Wake(number, now_);
  }
  void Add(SubscriptionNumber number, int count) {
    Add(number, absl::StrCat("host", number, ".example"), count);
  }
  // Starts all that may start; who did.
  std::vector<SubscriptionNumber> Start() {
    std::vector<SubscriptionNumber> started;
    while (!turns_->full()) {
      const std::optional<SubscriptionNumber> next = turns_->PickNext(now_);
      if (!next.has_value()) break;
      if (waiting_[*next] == 0) {
        turns_->OnNothing(*next);
        continue;
      }
      --waiting_[*next];
      on_wire_.push_back({*next, turns_->OnStarted(*next, 1000, now_)});
      started.push_back(*next);
    }
    return started;
  }
  // All exchanges on the wire of `number` end.
  void End(SubscriptionNumber number, absl::Duration latency) {
    std::vector<OnWire> still;
    for (const OnWire& exchange : std::exchange(on_wire_, {})) {
      if (exchange.number != number) {
        still.push_back(exchange);
        continue;
      }
      turns_->OnEnded(number, exchange.origin, latency, now_);
    }
    on_wire_ = std::move(still);
    turns_->Wake(number, now_);
  }
  // Ends one exchange at a time.
  void EndFirst(absl::Duration latency) {
    const OnWire exchange = on_wire_.front();
    on_wire_.erase(on_wire_.begin());
    turns_->OnEnded(exchange.number, exchange.origin, latency, now_);
    turns_->Wake(exchange.number, now_);
  }
  int InFlight(SubscriptionNumber number) const {
    return static_cast<int>(std::count_if(on_wire_.begin(), on_wire_.end(),
                                          [=](const OnWire& e) { return e.number == number; }));
  }
  // Makes it known as one that answers after `latency`.
  void Answer(SubscriptionNumber number, absl::Duration latency) {
    Add(number, 1);
    Start();
    End(number, latency);
  }

  std::optional<SendTurns> turns_;
  std::map<SubscriptionNumber, int> waiting_;
  std::vector<OnWire> on_wire_;
  absl::Duration now_ = absl::Seconds(100);
};

TEST_F(SendTurnsTest, NoMoreThanTheCapIsInFlight) {
  Begin({.in_flight = 8, .in_flight_per_origin = 100});
  Answer(1, kQuick);
  Add(1, 20);
  EXPECT_THAT(Start(), SizeIs(8));
  EXPECT_EQ(turns_->waiting_for_turn(), 1);
  EndFirst(kQuick);
  EXPECT_THAT(Start(), SizeIs(1));
}

TEST_F(SendTurnsTest, AnOriginAtItsCapStandsBeforeNobody) {
  Begin({.in_flight = 100, .in_flight_per_origin = 2});
  Add(1, "shared.example", 3);
  Add(2, "shared.example", 3);
  Add(3, "other.example", 1);
  EXPECT_THAT(Start(), ElementsAre(1, 1, 3));
  EXPECT_EQ(turns_->waiting_for_origin(), 2);
  EXPECT_TRUE(turns_->empty());

  std::vector<SubscriptionNumber> started;
  for (int i = 0; i < 5; ++i) {
    EndFirst(kQuick);
    for (const SubscriptionNumber number : Start()) started.push_back(number);
  }
  EXPECT_THAT(started, ElementsAre(1, 2, 2, 2)) << "one after the other, as they came";
}

TEST_F(SendTurnsTest, RoomThatIsNotUsedGoesToTheNext) {
  Begin({.in_flight = 100, .in_flight_per_origin = 1});
  for (SubscriptionNumber number = 1; number <= 4; ++number) Add(number, "shared.example", 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  waiting_[2] = 0;    // Was paused, say.
  turns_->Remove(3);  // Was deleted.
  EndFirst(kQuick);
  EXPECT_THAT(Start(), ElementsAre(4));
  EndFirst(kQuick);
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(turns_->waiting_for_origin(), 0);
}

TEST_F(SendTurnsTest, WhoseUrlChangesWaitsForTheOldOriginNoLonger) {
  Begin({.in_flight = 100, .in_flight_per_origin = 1});
  Add(1, "shared.example", 1);
  Add(2, "shared.example", 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  Add(2, "other.example", 0);
  EXPECT_THAT(Start(), ElementsAre(2));
  Add(1, "other.example", 1);  // Its exchange still counts where it was made.
  Add(3, "shared.example", 1);
  EXPECT_THAT(Start(), IsEmpty());
  End(1, kQuick);
  EXPECT_THAT(Start(), ElementsAre(3));
  End(2, kQuick);
  EXPECT_THAT(Start(), ElementsAre(1));
}

TEST_F(SendTurnsTest, WhoIsDeletedMeanwhileGivesItsRoomBack) {
  Begin({.in_flight = 1, .in_flight_per_origin = 1});
  Add(1, "shared.example", 1);
  EXPECT_THAT(Start(), ElementsAre(1));
  turns_->Remove(1);
  Add(2, "shared.example", 1);
  EXPECT_THAT(Start(), IsEmpty());
  End(1, kQuick);
  EXPECT_THAT(Start(), ElementsAre(2));
  EXPECT_EQ(turns_->in_flight(), 1);
}

TEST_F(SendTurnsTest, SlowOnesFillThreeQuartersAndTheOthersGoOn) {
  Begin({.in_flight = 200, .in_flight_per_origin = 256});
  for (SubscriptionNumber number = 1; number <= 200; ++number) {
    Answer(number, number <= 40 ? kSlow : kQuick);
  }
  for (SubscriptionNumber number = 1; number <= 40; ++number) Add(number, 10);
  EXPECT_THAT(Start(), SizeIs(150));
  EXPECT_THAT(turns_->waiting_for_share(), testing::Gt(0));
  EXPECT_TRUE(turns_->empty());
  // None of them answers. The others have all that is left, again and again.
  for (int round = 0; round < 10; ++round) {
    for (SubscriptionNumber number = 41; number <= 200; ++number) Add(number, 1);
    for (size_t left = 160; left > 0;) {
      const size_t started = Start().size();
      ASSERT_GT(started, 0) << left;
      left -= started;
      for (SubscriptionNumber number = 41; number <= 200; ++number) End(number, kQuick);
    }
  }
  EXPECT_EQ(turns_->in_flight(), 150);
  // When one of theirs ends there is room for one.
  EndFirst(kSlow);
  EXPECT_THAT(Start(), SizeIs(1));
}

TEST_F(SendTurnsTest, WhoHasNotAnsweredYetMayHaveOneInTheReservedShare) {
  Begin({.in_flight = 8, .in_flight_per_origin = 100});
  Answer(1, kSlow);
  Add(1, 10);
  EXPECT_THAT(Start(), SizeIs(6));
  Add(2, 10);
  EXPECT_THAT(Start(), ElementsAre(2));
  EXPECT_THAT(Start(), IsEmpty());
  End(2, kQuick);
  EXPECT_THAT(Start(), ElementsAre(2, 2)) << "known as quick";
}

TEST_F(SendTurnsTest, WhoWasQuickAndAnswersNoMoreIsSlow) {
  Begin({.in_flight = 8, .in_flight_per_origin = 100});
  Answer(1, kQuick);
  Answer(2, kQuick);
  Add(1, 6);
  EXPECT_THAT(Start(), SizeIs(6));
  now_ += kQuickAnswerMax;
  Add(1, 10);
  Add(2, 1);
  EXPECT_THAT(Start(), ElementsAre(2));
  EXPECT_EQ(turns_->waiting_for_share(), 1);
  End(1, kQuick);
  EXPECT_THAT(Start(), testing::Contains(1));
}

// Whatever happens, nobody is forgotten: when all exchanges end, all is sent.
TEST_F(SendTurnsTest, NobodyIsForgotten) {
  Begin({.in_flight = 16, .in_flight_per_origin = 3});
  uint64_t state = 1;
  const auto below = [&state](uint64_t end) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % end;
  };
  for (int step = 0; step < 20'000; ++step) {
    const SubscriptionNumber number = 1 + below(40);
    const std::string host = absl::StrCat("host", number % 6 + (below(50) == 0 ? 1 : 0));
    if (below(3) == 0) Add(number, host, static_cast<int>(below(3)));
    if (below(100) == 0 && InFlight(number) == 0) {
      turns_->Remove(number);
      waiting_[number] = 0;
    }
    if (below(20) == 0) waiting_[number] = 0;
    if (!on_wire_.empty() && below(2) == 0) EndFirst(number <= 20 ? kSlow : kQuick);
    Start();
    now_ += absl::Milliseconds(below(100));
  }
  while (!on_wire_.empty()) {
    EndFirst(kSlow);
    Start();
  }
  for (const auto& [number, count] : waiting_) EXPECT_EQ(count, 0) << number;
  EXPECT_EQ(turns_->waiting_for_origin() + turns_->waiting_for_share(), 0);
  EXPECT_TRUE(turns_->empty());
}

// Who holds up a tail stays there as long as it is we who are behind (R5).
TEST_F(SendTurnsTest, TellsWhetherOneWaitsForUs) {
  Begin({.in_flight = 2, .in_flight_per_origin = 1});
  EXPECT_FALSE(turns_->WaitsForUs(1, now_)) << "it is not here";
  Add(1, "shop.example", 1);
  Add(2, "shop.example", 1);
  EXPECT_TRUE(turns_->WaitsForUs(1, now_)) << "its turn is to come";
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_TRUE(turns_->WaitsForUs(1, now_)) << "it was just sent to";
  EXPECT_TRUE(turns_->WaitsForUs(2, now_)) << "so was its origin";
  now_ += kQuickAnswerMax;
  EXPECT_FALSE(turns_->WaitsForUs(1, now_)) << "it does not answer";
  EXPECT_FALSE(turns_->WaitsForUs(2, now_)) << "nor does its origin";
  End(1, kQuick);
  EXPECT_TRUE(turns_->WaitsForUs(2, now_));
  Start();
  End(2, kQuick);
  Start();
  EXPECT_FALSE(turns_->WaitsForUs(2, now_)) << "it has nothing to send, or may not";
}

}  // namespace
}  // namespace postrider
