#include "gateway/model/attempt.h"

#include <gtest/gtest.h>

#include <vector>

namespace postrider {
namespace {

Attempt AttemptOf(AttemptOrigin origin, Disposition disposition) {
  Attempt attempt;
  attempt.origin = origin;
  attempt.disposition = disposition;
  return attempt;
}

TEST(AttemptTest, SettlesByDispositionWhenItComesFromTheLog) {
  EXPECT_TRUE(AttemptOf(AttemptOrigin::kLog, Disposition::kDelivered).settles());
  EXPECT_TRUE(AttemptOf(AttemptOrigin::kLog, Disposition::kException).settles());
  EXPECT_TRUE(AttemptOf(AttemptOrigin::kLog, Disposition::kDead).settles());
  EXPECT_FALSE(AttemptOf(AttemptOrigin::kLog, Disposition::kStillOwed).settles());
}

TEST(AttemptTest, OtherOriginsNeverSettle) {
  for (const AttemptOrigin origin : {AttemptOrigin::kRetry, AttemptOrigin::kReplay,
                                     AttemptOrigin::kRedrive, AttemptOrigin::kTest}) {
    for (const Disposition disposition : {Disposition::kDelivered, Disposition::kException,
                                          Disposition::kDead, Disposition::kStillOwed}) {
      EXPECT_FALSE(AttemptOf(origin, disposition).settles());
    }
  }
}

// These numbers are in stores: a change would read old rows wrongly.
TEST(AttemptTest, StoredNumbersStay) {
  EXPECT_EQ(static_cast<int>(AttemptOrigin::kLog), 0);
  EXPECT_EQ(static_cast<int>(AttemptOrigin::kTest), 4);
  EXPECT_EQ(static_cast<int>(Disposition::kDelivered), 0);
  EXPECT_EQ(static_cast<int>(Disposition::kStillOwed), 3);
  EXPECT_EQ(static_cast<int>(Outcome::kSuccess), 0);
  EXPECT_EQ(static_cast<int>(Outcome::kExpired), 10);
  EXPECT_EQ(static_cast<int>(Outcome::kTooLarge), 11);
  EXPECT_EQ(static_cast<int>(Outcome::kQuarantined), 12);
}

}  // namespace
}  // namespace postrider
