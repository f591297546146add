// What Commit() promises about what is known of subscribers (docs/engine.md E9).

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StoreHealth : public StoreContract {
 protected:
  void Put(SubscriptionNumber number, const SubscriptionHealth& health) {
    EXPECT_THAT(CommitTo(std::nullopt, PutHealth{number, health}).configured, IsEmpty());
  }
  std::vector<StoredHealth> Stored() { return reader().ReadConfiguration()->health; }

  SubscriptionHealth failing_{.breaker = Breaker::kOpen,
                              .failing_since = absl::FromUnixSeconds(1000),
                              .failing_observed = absl::Hours(30),
                              .failures = 42,
                              .failures_in_a_row = 41,
                              .open_since = absl::FromUnixSeconds(1001),
                              .next_probe = absl::FromUnixSeconds(1002),
                              .last_error = "status 500"};
};

TEST_P(StoreHealth, ComesBackAsOfTheLastWrite) {
  Create("a");
  Create("b");
  Put(2, SubscriptionHealth{.breaker = Breaker::kOpen});
  Put(2, failing_);
  Reopen();
  ASSERT_THAT(Stored(), SizeIs(1));
  const StoredHealth stored = Stored()[0];
  EXPECT_EQ(stored.subscription, 2U);
  EXPECT_EQ(stored.health.breaker, failing_.breaker);
  EXPECT_EQ(stored.health.failing_since, failing_.failing_since);
  EXPECT_EQ(stored.health.failing_observed, failing_.failing_observed);
  EXPECT_EQ(stored.health.failures, failing_.failures);
  EXPECT_EQ(stored.health.failures_in_a_row, failing_.failures_in_a_row);
  EXPECT_EQ(stored.health.open_since, failing_.open_since);
  EXPECT_EQ(stored.health.next_probe, failing_.next_probe);
  EXPECT_EQ(stored.health.last_error, failing_.last_error);
}

TEST_P(StoreHealth, OfAGoodSubscriberNothingIsKept) {
  Create("a");
  Put(1, failing_);
  Put(1, SubscriptionHealth{.last_error = "long ago"});
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_P(StoreHealth, GoesWithItsSubscriptionAndDoesNotComeBack) {
  Create("a");
  Put(1, failing_);
  Commit({BatchOf(std::nullopt, DeleteSubscription{1, 0}),
          BatchOf(std::nullopt, PutHealth{1, failing_})});
  EXPECT_THAT(Stored(), IsEmpty());
  Reopen();
  Put(1, failing_);
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_P(StoreHealth, EnablingForgetsItInTheSameTransaction) {
  Subscription subscription = *Create("a");
  Put(1, failing_);
  subscription.disabled_reason = "failing";
  CommitTo(std::nullopt, PutSubscription{subscription, 1, false});
  EXPECT_THAT(Stored(), SizeIs(1));
  subscription.disabled_reason.clear();
  CommitTo(std::nullopt, PutSubscription{subscription, 2, false});
  EXPECT_THAT(Stored(), IsEmpty());
}

POSTRIDER_FOR_EACH_STORE(StoreHealth);

}  // namespace
}  // namespace postrider
