#include "gateway/dispatch/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);
const absl::Time kNever = absl::InfiniteFuture();

PostResult Failed() { return PostResult{.outcome = Outcome::kHttpStatus, .http_status = 500}; }

TEST(RetryPolicy, DefaultScheduleHasTwelveAttemptsWithinADay) {
  absl::Duration total;
  for (const absl::Duration wait : DefaultSchedule()) total += wait;
  EXPECT_EQ(DefaultSchedule().size(), 12U);
  EXPECT_EQ(total, absl::Hours(23) + absl::Minutes(52) + absl::Seconds(35));
}

TEST(RetryPolicy, SuccessEndsIt) {
  EXPECT_EQ(DecideNextStep(PostResult{}, 1, kNow, DefaultSchedule(), kNever, 0.5).disposition,
            Disposition::kDelivered);
}

TEST(RetryPolicy, WaitsAsTheScheduleSaysAndUpToATenthLess) {
  const NextStep longest = DecideNextStep(Failed(), 2, kNow, DefaultSchedule(), kNever, 0);
  EXPECT_EQ(longest.disposition, Disposition::kException);
  EXPECT_EQ(longest.due_time, kNow + absl::Seconds(30));
  const NextStep shortest = DecideNextStep(Failed(), 2, kNow, DefaultSchedule(), kNever, 0.999999);
  EXPECT_GT(shortest.due_time, kNow + absl::Seconds(27));
  EXPECT_LT(shortest.due_time, kNow + absl::Seconds(27.001));
}

TEST(RetryPolicy, TheSubscriberMayAskForMoreTimeUpToADay) {
  PostResult result = Failed();
  result.retry_after = absl::Minutes(3);
  EXPECT_EQ(DecideNextStep(result, 2, kNow, DefaultSchedule(), kNever, 0).due_time,
            kNow + absl::Minutes(3));
  result.retry_after = absl::Seconds(1);
  EXPECT_EQ(DecideNextStep(result, 2, kNow, DefaultSchedule(), kNever, 0).due_time,
            kNow + absl::Seconds(30));
  result.retry_after = absl::Hours(1000);
  EXPECT_EQ(DecideNextStep(result, 2, kNow, DefaultSchedule(), kNever, 0).due_time,
            kNow + absl::Hours(24));
}

TEST(RetryPolicy, TheLastAttemptIsTheLast) {
  EXPECT_EQ(DecideNextStep(Failed(), 11, kNow, DefaultSchedule(), kNever, 0).disposition,
            Disposition::kException);
  const NextStep dead = DecideNextStep(Failed(), 12, kNow, DefaultSchedule(), kNever, 0);
  EXPECT_EQ(dead.disposition, Disposition::kDead);
  EXPECT_EQ(dead.dead_reason, DeadReason::kExhausted);
}

TEST(RetryPolicy, NothingIsDueAfterItsEnd) {
  const absl::Time end = kNow + absl::Seconds(7);
  EXPECT_EQ(DecideNextStep(Failed(), 2, kNow, DefaultSchedule(), end, 0).due_time, end);
  EXPECT_EQ(DecideNextStep(Failed(), 2, kNow, DefaultSchedule(), kNow - absl::Hours(1), 0).due_time,
            kNow);
}

TEST(RetryPolicy, WithoutAPolicyTheLongestAgeIsTwiceTheSchedule) {
  EXPECT_EQ(MaxAgeOf({}, {absl::ZeroDuration(), absl::Hours(3)}), absl::Hours(6));
  EXPECT_EQ(MaxAgeOf({}, {absl::ZeroDuration()}), absl::Hours(1));
  EXPECT_EQ(MaxAgeOf({}, {absl::Hours(24 * 10)}), absl::Hours(24 * 13));
  EXPECT_EQ(MaxAgeOf({}, {absl::Hours(20)}, absl::Hours(48)), absl::Hours(24)) << "a day less";
  EXPECT_EQ(MaxAgeOf({}, {absl::Hours(24 * 10)}, absl::Hours(24 * 100)), absl::Hours(24 * 13));
}

TEST(RetryPolicy, TheLongestAgeOfThePolicyMayBeShorterThanItsSchedule) {
  EXPECT_EQ(MaxAgeOf({.max_age = absl::Minutes(1)}, {absl::Hours(3)}), absl::Minutes(1));
  EXPECT_EQ(MaxAgeOf({.max_age = absl::Hours(100)}, {absl::Hours(3)}), absl::Hours(100));
}

TEST(RetryPolicy, EndIsTheEventsOwnElseThatOfItsAge) {
  Event event;
  const std::vector<Pause> pauses = {{kNow, kNow + absl::Hours(2)}};
  EXPECT_EQ(ExpireTimeOf(event, kNow, absl::Hours(6), {}), kNow + absl::Hours(6));
  EXPECT_EQ(ExpireTimeOf(event, kNow, absl::Hours(6), pauses), kNow + absl::Hours(8));
  event.expire_time = kNow + absl::Hours(7);
  EXPECT_EQ(ExpireTimeOf(event, kNow, absl::Hours(6), pauses), kNow + absl::Hours(7));
}

TEST(RetryPolicy, OwnScheduleComesBeforeTheOperatorsAndThatBeforeTheBuiltIn) {
  Subscription subscription;
  EXPECT_EQ(ScheduleOf(subscription, {}).size(), 12U);
  EXPECT_EQ(ScheduleOf(subscription, {absl::Seconds(1)}).size(), 1U);
  subscription.policy.schedule = {absl::ZeroDuration(), absl::Seconds(1)};
  EXPECT_EQ(ScheduleOf(subscription, {absl::Seconds(1)}).size(), 2U);
}

PostResult Answered(int status, std::optional<absl::Duration> retry_after) {
  PostResult result = Failed();
  result.http_status = status;
  result.retry_after = retry_after;
  return result;
}

TEST(RetryPolicy, OnlySomeStatusesWithATimeAskToWait) {
  for (const int status : {429, 502, 503, 504}) {
    EXPECT_TRUE(AsksToWait(Answered(status, absl::Seconds(1)), 0)) << status;
    EXPECT_FALSE(AsksToWait(Answered(status, std::nullopt), 0)) << status;
  }
  for (const int status : {301, 404, 410, 500, 501}) {
    EXPECT_FALSE(AsksToWait(Answered(status, absl::Seconds(1)), 0)) << status;
  }
}

TEST(RetryPolicy, AHundredWishesAreGrantedADelivery) {
  EXPECT_TRUE(AsksToWait(Answered(429, absl::Seconds(1)), 99));
  EXPECT_FALSE(AsksToWait(Answered(429, absl::Seconds(1)), 100));
}

TEST(RetryPolicy, AWishIsForASecondToADay) {
  EXPECT_EQ(WaitEndOf(Answered(429, absl::ZeroDuration()), kNow), kNow + absl::Seconds(1));
  EXPECT_EQ(WaitEndOf(Answered(429, absl::Minutes(3)), kNow), kNow + absl::Minutes(3));
  EXPECT_EQ(WaitEndOf(Answered(429, absl::Hours(1000)), kNow), kNow + absl::Hours(24));
}

TEST(RetryPolicy, AWishIsNotChargedAndEndsWithTheDelivery) {
  const absl::Time until = kNow + absl::Minutes(3);
  EXPECT_FALSE(ThrottledStep(until, kNow, kNever).charged);
  EXPECT_EQ(ThrottledStep(until, kNow, kNever).due_time, until);
  EXPECT_EQ(ThrottledStep(until, kNow, kNow + absl::Minutes(1)).due_time, kNow + absl::Minutes(1));
}

TEST(RetryPolicy, AfterA410TheDeliveryIsKept) {
  const NextStep step =
      DecideNextStep(Answered(410, std::nullopt), 12, kNow, DefaultSchedule(), kNever, 0);
  EXPECT_EQ(step.disposition, Disposition::kException);
  EXPECT_EQ(step.due_time, kNow + absl::Hours(10));
}

}  // namespace
}  // namespace postrider
