// Goal: a subscriber's answers lead to the states that the rules say (E6, E9), at the times that
// they say.
// Method: traffic that never ends, answered by a script; the states and when they began.
#include "gateway/dispatch/subscriber_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const PostResult kSuccess{};
const PostResult kError{.outcome = Outcome::kHttpStatus, .http_status = 500};
const PostResult kNotFound{.outcome = Outcome::kHttpStatus, .http_status = 404};
const PostResult kGone{.outcome = Outcome::kHttpStatus, .http_status = 410};
const PostResult kBusy{.outcome = Outcome::kHttpStatus, .http_status = 429};

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

std::string NameOf(Breaker breaker) {
  switch (breaker) {
    case Breaker::kClosed: return "closed";
    case Breaker::kOpen: return "open";
    case Breaker::kHalfOpen: return "half-open";
  }
  return "?";
}

class SubscriberHealthTest : public testing::Test {
 protected:
  SubscriberHealth::Moment Now() const {
    return {.wall = kStart + elapsed_, .monotonic = absl::Hours(1) + elapsed_, .chance = 0};
  }
  void Pass(absl::Duration span) {
    elapsed_ += span;
    health_.OnTime(Now().wall);
  }
  void End(const PostResult& result) {
    if (result.success()) {
      health_.OnSuccess(result, 1, Now());
    } else {
      health_.OnFailure(result, Now());
    }
    Note();
  }
  void Exchange(const PostResult& result) {
    health_.OnStart(Now().monotonic);
    Note();
    End(result);
  }
  void Exchanges(int count, const PostResult& result) {
    for (int i = 0; i < count; ++i) Exchange(result);
  }
  // For `span` an exchange begins each `interval` if it may; the n-th is answered by `answer(n)`.
  void Traffic(absl::Duration span, absl::Duration interval,
               const std::function<bool(int)>& succeeds) {
    for (absl::Duration end = elapsed_ + span; elapsed_ < end; Pass(interval)) {
      health_.OnTime(Now().wall);
      if (!health_.MayStart(0, Now().monotonic)) continue;
      Exchange(succeeds(exchanges_++) ? kSuccess : kError);
    }
  }
  // What has changed since the last call: "open 9s".
  std::vector<std::string> Take() { return std::exchange(states_, {}); }
  void Note() {
    const HealthChanges changes = health_.TakeChanges();
    const std::string when = absl::FormatDuration(elapsed_);
    if (health_.state().breaker != breaker_) {
      breaker_ = health_.state().breaker;
      states_.push_back(absl::StrCat(NameOf(breaker_), " ", when));
    }
    if (changes.warning_days > 0) {
      news_.push_back(absl::StrCat("warning ", changes.warning_days, " after ", when));
    }
    if (changes.recovered_since.has_value()) {
      news_.push_back(absl::StrCat("recovered after ", when));
    }
    if (!changes.disable_reason.empty()) {
      news_.push_back(absl::StrCat(changes.disable_reason, " after ", when));
    }
    stored_ += changes.stored ? 1 : 0;
  }

  std::shared_ptr<Subscription> subscription_ = SubscriptionNumbered(1);
  SubscriberHealth health_{*subscription_, 10};
  absl::Duration elapsed_;
  int exchanges_ = 0;
  int stored_ = 0;
  Breaker breaker_ = Breaker::kClosed;
  std::vector<std::string> states_;
  std::vector<std::string> news_;
};

// --- Traces --------------------------------------------------------------------------------------

TEST_F(SubscriberHealthTest, AllFail) {
  Traffic(absl::Minutes(3), absl::Seconds(1), [](int) { return false; });
  EXPECT_THAT(Take(), ElementsAre("open 9s", "half-open 14s", "open 14s", "half-open 24s",
                                  "open 24s", "half-open 44s", "open 44s", "half-open 1m24s",
                                  "open 1m24s", "half-open 2m44s", "open 2m44s"));
  Traffic(absl::Hours(1), absl::Seconds(1), [](int) { return false; });
  EXPECT_LE(exchanges_, 10 + 6 + 12) << "at last one in five minutes";
  EXPECT_EQ(stored_, 2) << "when it opened, and an hour later";
}

TEST_F(SubscriberHealthTest, FourOfFiveFail) {
  Traffic(absl::Seconds(30), absl::Seconds(1), [](int n) { return n % 5 == 0; });
  // 16 of the first 20 failed; the probe after them succeeds.
  EXPECT_THAT(Take(), ElementsAre("open 19s", "half-open 24s", "closed 24s"));
}

TEST_F(SubscriberHealthTest, FourOfFiveFailSeldomly) {
  Traffic(absl::Hours(1), absl::Seconds(10), [](int n) { return n % 5 == 0; });
  EXPECT_THAT(Take(), IsEmpty()) << "never 20 within a minute, nor 10 in a row";
}

TEST_F(SubscriberHealthTest, OneEventTypeFails) {
  Traffic(absl::Hours(1), absl::Seconds(1), [](int n) { return n % 5 != 0; });
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(stored_, 0);
}

TEST_F(SubscriberHealthTest, Flapping) {
  Traffic(absl::Seconds(30), absl::Seconds(1), [](int n) { return n / 5 % 2 == 1; });
  // 5 fail, 5 succeed: of 21 within the minute 11 failed.
  EXPECT_THAT(Take(), ElementsAre("open 20s", "half-open 25s", "open 25s"));
}

TEST_F(SubscriberHealthTest, OldFailuresAreForgotten) {
  for (int i = 0; i < 9; ++i) Exchange(kError);
  Pass(absl::Seconds(61));
  Exchange(kSuccess);
  for (int i = 0; i < 9; ++i) Exchange(kError);
  Exchanges(10, kSuccess);
  EXPECT_THAT(Take(), IsEmpty()) << "9 of 20 within the minute";
}

// --- The breaker ---------------------------------------------------------------------------------

TEST_F(SubscriberHealthTest, AProbeGoesAlone) {
  Exchanges(10, kError);
  EXPECT_TRUE(health_.waits());
  EXPECT_EQ(health_.waits_until(), kStart + absl::Seconds(5));
  Pass(absl::Seconds(5));
  EXPECT_FALSE(health_.waits());
  EXPECT_FALSE(health_.MayStart(1, Now().monotonic)) << "one from before is still on the wire";
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic));
  health_.OnStart(Now().monotonic);
  EXPECT_FALSE(health_.MayStart(0, Now().monotonic));
  EXPECT_EQ(health_.waits_until(), absl::InfiniteFuture());
}

TEST_F(SubscriberHealthTest, JitterMakesAProbeEarlier) {
  for (int i = 0; i < 10; ++i) {
    health_.OnFailure(kError, {.wall = kStart, .monotonic = absl::Hours(1), .chance = 0.5});
  }
  EXPECT_EQ(health_.waits_until(), kStart + absl::Seconds(5) * 0.95);
}

TEST_F(SubscriberHealthTest, AnswersFromBeforeItOpenedDecideNothing) {
  Exchanges(10, kError);
  End(kSuccess);
  End(kError);
  EXPECT_THAT(Take(), ElementsAre("open 0"));
  EXPECT_EQ(health_.waits_until(), kStart + absl::Seconds(5));
}

TEST_F(SubscriberHealthTest, ClosedAgainItStartsWithOne) {
  for (int i = 0; i < 20; ++i) Exchange(kSuccess);
  EXPECT_GT(health_.state().in_flight_max, 1);
  Exchanges(10, kNotFound);
  Pass(absl::Seconds(5));
  Exchange(kSuccess);
  EXPECT_EQ(health_.state().breaker, Breaker::kClosed);
  EXPECT_EQ(health_.state().in_flight_max, 1);
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic));
  Exchange(kSuccess);
  EXPECT_EQ(health_.NextStart(Now().monotonic), Now().monotonic + absl::Seconds(1))
      << "two within the first second, the probe among them";
}

TEST_F(SubscriberHealthTest, AFaultOfOurOwnIsNoAnswer) {
  Exchanges(10, kError);
  Pass(absl::Seconds(5));
  health_.OnStart(Now().monotonic);
  health_.OnOwnFault();
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic)) << "the probe is due as before";
}

// --- Throttling ----------------------------------------------------------------------------------

TEST_F(SubscriberHealthTest, ThrottledItWaitsAndIsNotFailing) {
  for (int i = 0; i < 20; ++i) Exchange(kSuccess);
  const int before = health_.state().in_flight_max;
  for (int i = 0; i < 30; ++i)
    health_.OnThrottled(kBusy, Now().wall + absl::Minutes(1), Now().monotonic);
  EXPECT_TRUE(health_.waits());
  EXPECT_EQ(health_.waits_until(), kStart + absl::Minutes(1));
  EXPECT_EQ(health_.state().breaker, Breaker::kClosed);
  EXPECT_EQ(health_.state().failures, 0);
  EXPECT_LT(health_.state().in_flight_max, before);
  Pass(absl::Minutes(1));
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic));
}

TEST_F(SubscriberHealthTest, ItIsThrottledUntilASuccess) {
  EXPECT_EQ(health_.throttled_since(), std::nullopt);
  const absl::Duration first = Now().monotonic;
  for (int i = 0; i < 3; ++i) {
    health_.OnThrottled(kBusy, Now().wall + absl::Minutes(1), Now().monotonic);
    Pass(absl::Minutes(2));
  }
  EXPECT_EQ(health_.throttled_since(), first) << "also between the waits";
  Exchange(kSuccess);
  EXPECT_EQ(health_.throttled_since(), std::nullopt);
}

TEST_F(SubscriberHealthTest, TheLongestWaitCounts) {
  health_.OnThrottled(kBusy, Now().wall + absl::Minutes(2), Now().monotonic);
  health_.OnThrottled(kBusy, Now().wall + absl::Minutes(1), Now().monotonic);
  EXPECT_EQ(health_.waits_until(), kStart + absl::Minutes(2));
}

TEST_F(SubscriberHealthTest, AThrottledProbeIsMadeAgainThen) {
  Exchanges(10, kError);
  Pass(absl::Seconds(5));
  health_.OnStart(Now().monotonic);
  health_.OnThrottled(kBusy, Now().wall + absl::Minutes(10), Now().monotonic);
  EXPECT_EQ(health_.state().breaker, Breaker::kOpen);
  EXPECT_EQ(health_.waits_until(), Now().wall + absl::Minutes(10));
  Pass(absl::Minutes(10));
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic));
  EXPECT_FALSE(health_.MayStart(1, Now().monotonic));
}

// --- Disabling -----------------------------------------------------------------------------------

TEST_F(SubscriberHealthTest, GoneIsForGood) {
  Exchange(kGone);
  EXPECT_THAT(news_, ElementsAre("gone after 0"));
  EXPECT_TRUE(health_.waits());
  EXPECT_EQ(health_.waits_until(), absl::InfiniteFuture());
}

TEST_F(SubscriberHealthTest, FiveDaysOfFailuresDisableIt) {
  Traffic(absl::Hours(24 * 6), absl::Minutes(1), [](int) { return false; });
  ASSERT_THAT(news_, SizeIs(3));
  EXPECT_THAT(news_[0], testing::StartsWith("warning 1 after 24h"));
  EXPECT_THAT(news_[1], testing::StartsWith("warning 3 after 72h"));
  EXPECT_THAT(news_[2], testing::StartsWith("failing after 120h"));
}

TEST_F(SubscriberHealthTest, ItRecoversOnlyFromWhatWasWarnedOf) {
  Traffic(absl::Hours(20), absl::Minutes(1), [](int) { return false; });
  Traffic(absl::Minutes(10), absl::Minutes(1), [](int) { return true; });
  EXPECT_THAT(news_, IsEmpty());
  Traffic(absl::Hours(30), absl::Minutes(1), [](int) { return false; });
  Traffic(absl::Minutes(10), absl::Minutes(1), [](int) { return true; });
  ASSERT_THAT(news_, SizeIs(2));
  EXPECT_THAT(news_[0], testing::StartsWith("warning 1"));
  EXPECT_THAT(news_[1], testing::StartsWith("recovered"));
}

TEST_F(SubscriberHealthTest, TimeInWhichNobodyTriedDoesNotCount) {
  for (int i = 0; i < 100; ++i) {
    Exchange(kError);
    Pass(absl::Hours(7));
  }
  EXPECT_EQ(health_.state().failing_observed, absl::ZeroDuration());
  EXPECT_THAT(news_, IsEmpty());
}

TEST_F(SubscriberHealthTest, TimeInWhichItWasPausedDoesNotCount) {
  Exchange(kError);
  Subscription paused = *subscription_;
  paused.paused = true;
  health_.Configure(paused, Now().wall);
  Pass(absl::Hours(1));
  health_.Configure(*subscription_, Now().wall);
  Pass(absl::Hours(1));
  Exchange(kError);
  Pass(absl::Hours(2));
  Exchange(kError);
  EXPECT_EQ(health_.state().failing_observed, absl::Hours(2));
}

TEST_F(SubscriberHealthTest, FewFailuresDisableNobody) {
  for (int i = 0; i < 19; ++i) {
    Exchange(kError);
    Pass(absl::Hours(6));
  }
  EXPECT_THAT(news_, ElementsAre("warning 1 after 24h", "warning 3 after 72h"));
}

TEST_F(SubscriberHealthTest, ASuccessIsANewBeginning) {
  Traffic(absl::Hours(72), absl::Minutes(1), [](int) { return false; });
  Pass(absl::Minutes(5));
  Exchange(kSuccess);
  EXPECT_FALSE(health_.state().failing_since.has_value());
  EXPECT_EQ(health_.state().failing_observed, absl::ZeroDuration());
  EXPECT_TRUE(health_.good(Now().monotonic + absl::Seconds(RateLimiter::kRampSeconds)));
}

TEST_F(SubscriberHealthTest, EnabledAgainItStartsWithAProbe) {
  Traffic(absl::Hours(24 * 6), absl::Minutes(1), [](int) { return false; });
  Subscription disabled = *subscription_;
  disabled.disabled_reason = "failing";
  health_.Configure(disabled, Now().wall);
  Pass(absl::Hours(1));
  health_.Configure(*subscription_, Now().wall);
  health_.OnTime(Now().wall);
  EXPECT_EQ(health_.state().failures, 0);
  EXPECT_FALSE(health_.state().failing_since.has_value());
  EXPECT_TRUE(health_.MayStart(0, Now().monotonic));
  EXPECT_FALSE(health_.MayStart(1, Now().monotonic));
  news_.clear();
  Exchange(kError);
  EXPECT_THAT(news_, IsEmpty()) << "the old count is forgotten";
  EXPECT_EQ(health_.waits_until(), Now().wall + absl::Seconds(5));
  Pass(absl::Minutes(10));
  health_.OnTime(Now().wall);
  Exchange(kSuccess);
  ASSERT_THAT(news_, SizeIs(1));
  EXPECT_THAT(news_[0], testing::StartsWith("recovered"));
}

// --- Across a restart ----------------------------------------------------------------------------

TEST_F(SubscriberHealthTest, AnOpenBreakerStaysOpen) {
  Exchanges(10, kError);
  SubscriberHealth restored(*subscription_, 10);
  restored.Restore(health_.state());
  restored.OnTime(Now().wall);
  EXPECT_TRUE(restored.waits());
  EXPECT_EQ(restored.waits_until(), kStart + absl::Seconds(5));
  EXPECT_EQ(restored.state().failures, 10);
}

// It was stored while the wall clock was wrong (T5).
TEST_F(SubscriberHealthTest, AProbeThatIsFurtherAwayThanAnyWaitIsDueAtOnce) {
  SubscriptionHealth stored;
  stored.breaker = Breaker::kOpen;
  stored.next_probe = Now().wall + absl::Hours(24);
  health_.Restore(stored);
  health_.OnTime(Now().wall);
  EXPECT_TRUE(health_.waits());
  health_.OnTime(Now().wall - absl::Seconds(1));
  EXPECT_FALSE(health_.waits());
}

TEST_F(SubscriberHealthTest, WhatWasObservedIsKeptAndTheTimeBetweenIsNot) {
  for (int i = 0; i < 12; ++i) {
    Exchange(kNotFound);
    Pass(absl::Hours(1));
  }
  SubscriberHealth restored(*subscription_, 10);
  restored.Restore(health_.state());
  EXPECT_EQ(restored.state().failing_observed, absl::Hours(11));
  restored.OnFailure(kError, Now());
  EXPECT_EQ(restored.state().failing_observed, absl::Hours(11));
  Pass(absl::Hours(1));
  restored.OnFailure(kError, Now());
  EXPECT_EQ(restored.state().failing_observed, absl::Hours(12));
}

}  // namespace
}  // namespace postrider
