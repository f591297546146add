// What the store promises about what earlier processes died of (docs/engine.md E8).

#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreSuspects : public StoreContract {
 protected:
  StoreSuspects() {
    Create("a");
    for (uint64_t n = 1; n <= 3; ++n) Append(n);
  }
  Death DeathOf(uint64_t boot, Seq seq, SubscriptionNumber subscription = 1) {
    return {.item = ItemOf(subscription, shard(), seq), .boot = boot};
  }
  Suspect Of(Seq seq, int deaths, SubscriptionNumber subscription = 1) {
    return {.item = ItemOf(subscription, shard(), seq), .deaths = deaths};
  }
  void Count(std::vector<Death> deaths) { CommitTo(std::nullopt, CountDeaths{std::move(deaths)}); }
  std::vector<Suspect> Suspects() { return reader().ReadConfiguration()->suspects; }
};

TEST_P(StoreSuspects, DeathsAddUpByItem) {
  Count({DeathOf(70, 2)});
  Count({DeathOf(71, 2), DeathOf(72, 3), DeathOf(73, 2), DeathOf(74, 1, /*subscription=*/0)});
  Reopen();
  EXPECT_THAT(Suspects(), ElementsAre(Of(1, 1, 0), Of(2, 3), Of(3, 1)));
}

TEST_P(StoreSuspects, AProcessIsCountedOnceAlsoIfTheFileIsReadAgain) {
  Count({DeathOf(70, 2), DeathOf(71, 2)});
  Count({DeathOf(70, 2), DeathOf(71, 2)});
  Count({DeathOf(70, 2), DeathOf(71, 2), DeathOf(72, 2)});
  Reopen();
  Count({DeathOf(70, 2), DeathOf(71, 2), DeathOf(72, 2)});
  EXPECT_THAT(Suspects(), ElementsAre(Of(2, 3)));
}

TEST_P(StoreSuspects, WhatIsForgottenDoesNotComeBackWithTheFile) {
  Count({DeathOf(70, 2)});
  CommitTo(shard(), ForgetSuspect{.subscription = 1, .seq = 2});
  Count({DeathOf(70, 2), DeathOf(71, 3)});
  EXPECT_THAT(Suspects(), ElementsAre(Of(3, 1)));
}

TEST_P(StoreSuspects, OfOneProcessAnItemDiesOnce) {
  Count({DeathOf(70, 2), DeathOf(70, 2), DeathOf(70, 3)});
  EXPECT_THAT(Suspects(), ElementsAre(Of(2, 1), Of(3, 1)));
}

TEST_P(StoreSuspects, OnlyTheItemItselfIsForgotten) {
  Count({DeathOf(70, 2), DeathOf(70, 2, /*subscription=*/0), DeathOf(70, 3)});
  CommitTo(shard(), ForgetSuspect{.subscription = 1, .seq = 2});
  CommitTo(shard(), ForgetSuspect{.subscription = 1, .seq = 1});
  EXPECT_THAT(Suspects(), ElementsAre(Of(2, 1, 0), Of(3, 1)));
}

TEST_P(StoreSuspects, WhatIsNotThereIsNotKept) {
  Count({DeathOf(70, 99),
         DeathOf(70, 2, /*subscription=*/7),
         {.item = {.shard = 4000, .subscription = 1, .seq = 1}, .boot = 70}});
  EXPECT_THAT(Suspects(), IsEmpty());
  Count({DeathOf(71, 2)});
  CommitTo(std::nullopt, DeleteSubscription{1, 0});
  Count({DeathOf(72, 3, /*subscription=*/0)});
  EXPECT_THAT(Suspects(), ElementsAre(Of(3, 1, 0)));
}

TEST_P(StoreSuspects, WhatIsRedrivenIsForgiven) {
  ExceptionRow row = NewException(shard(), 1, 2, now_);
  row.state = ExceptionState::kDead;
  row.dead_reason = DeadReason::kQuarantined;
  CommitTo(shard(), PutException{row});
  Count({DeathOf(70, 2), DeathOf(70, 3)});
  EXPECT_THAT(CommitTo(shard(), RedriveException{row.key}).exceptions.forgiven, ElementsAre(2));
  EXPECT_THAT(Suspects(), ElementsAre(Of(3, 1)));

  Count({DeathOf(71, 2)});  // It waits now: there is nothing to redrive.
  EXPECT_THAT(CommitTo(shard(), RedriveException{row.key}).exceptions.forgiven, IsEmpty());
  EXPECT_THAT(Suspects(), ElementsAre(Of(2, 1), Of(3, 1)));
}

POSTRIDER_FOR_EACH_STORE(StoreSuspects);

}  // namespace
}  // namespace postrider
