// What Commit() promises about subscriptions (docs/engine.md C2, C4).

#include <algorithm>
#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StoreConfiguration : public StoreContract {
 protected:
  ConfigResult Put(const Subscription& subscription, uint64_t expected_version,
                   bool start_at_heads = false) {
    return CommitTo(std::nullopt, PutSubscription{subscription, expected_version, start_at_heads})
        .configured[0];
  }
  ConfigResult Delete(SubscriptionNumber number, uint64_t expected_version = 0) {
    return CommitTo(std::nullopt, DeleteSubscription{number, expected_version}).configured[0];
  }
};

TEST_P(StoreConfiguration, NumbersGrowFromOneAndVersionsWithEachChange) {
  const auto first = Create("a");
  EXPECT_EQ(first->number, 1U);
  EXPECT_EQ(first->version, 1U);
  EXPECT_EQ(first->create_time, now_);
  EXPECT_EQ(Create("b")->number, 2U);
  Reopen();
  EXPECT_EQ(Create("c")->number, 3U);

  now_ += absl::Seconds(10);
  Subscription change = *first;
  change.url = "https://example.com/other";
  const ConfigResult changed = Put(change, 1);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ((*changed)->version, 2U);
  EXPECT_EQ((*changed)->update_time, now_);
  EXPECT_EQ((*changed)->create_time, first->create_time);
  EXPECT_EQ((*changed)->start_seqs, first->start_seqs);
}

TEST_P(StoreConfiguration, TimesOfRestAreKept) {
  Subscription change = *Create("a");
  const absl::Time begin = now_ += absl::Seconds(1);
  change.paused = true;
  ASSERT_TRUE(Put(change, 1).ok());
  now_ += absl::Seconds(1);
  change.disabled_reason = "failing";
  ASSERT_TRUE(Put(change, 2).ok());
  now_ += absl::Seconds(1);
  change.paused = false;
  ASSERT_TRUE(Put(change, 3).ok());
  const absl::Time end = now_ += absl::Seconds(1);
  change.disabled_reason.clear();
  ASSERT_TRUE(Put(change, 4).ok());
  const absl::Time second = now_ += absl::Seconds(1);
  change.paused = true;
  ASSERT_TRUE(Put(change, 5).ok());

  Reopen();
  change.paused = false;
  now_ += absl::Seconds(1);
  const ConfigResult stored = Put(change, 6);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ((*stored)->pauses, (std::vector<Pause>{{begin, end}, {second, now_}}));
}

TEST_P(StoreConfiguration, WhoIsCreatedPausedRestsFromThen) {
  Subscription given = NewSubscription("a", "root");
  given.paused = true;
  EXPECT_EQ((*Put(given, 0))->pauses, (std::vector<Pause>{{now_, {}}}));
}

TEST_P(StoreConfiguration, EveryFieldComesBack) {
  Subscription given = NewSubscription("a", "root");
  given.scope = Scope::kSelf;
  given.description = "what for";
  given.event_types = {"a.*", "**"};
  given.secrets.push_back(
      {.text = "new", .create_time = now_, .expire_time = now_ + absl::Hours(1)});
  given.headers = {{.name = "X-One", .value = "1"}};
  given.policy.schedule = {absl::ZeroDuration(), absl::Milliseconds(1500)};
  given.policy.timeout = absl::Seconds(7);
  given.policy.max_in_flight = 3;
  given.policy.order = OrderMode::kByKey;
  given.policy.rate = 0.25;
  given.policy.max_age = absl::Hours(3);
  given.policy.max_body_bytes = 100'000;
  given.verification = Verification::kChallenge;
  given.verified = false;
  given.paused = true;
  given.disabled_reason = "410";
  ASSERT_TRUE(Put(given, 0).ok());
  Reopen();
  const auto configuration = reader().ReadConfiguration();
  ASSERT_TRUE(configuration.ok()) << configuration.status();
  ASSERT_THAT(configuration->subscriptions, SizeIs(1));
  const Subscription& stored = *configuration->subscriptions[0];
  EXPECT_EQ(stored.id, "a");
  EXPECT_EQ(stored.organization, "root");
  EXPECT_EQ(stored.scope, Scope::kSelf);
  EXPECT_EQ(stored.description, given.description);
  EXPECT_EQ(stored.url, given.url);
  EXPECT_EQ(stored.event_types, given.event_types);
  ASSERT_THAT(stored.secrets, SizeIs(2));
  EXPECT_EQ(stored.secrets[0].text, "secret");
  EXPECT_EQ(stored.secrets[0].expire_time, std::nullopt);
  EXPECT_EQ(stored.secrets[1].expire_time, given.secrets[1].expire_time);
  ASSERT_THAT(stored.headers, SizeIs(1));
  EXPECT_EQ(stored.headers[0].value, "1");
  EXPECT_EQ(stored.policy.schedule, given.policy.schedule);
  EXPECT_EQ(stored.policy.timeout, given.policy.timeout);
  EXPECT_EQ(stored.policy.max_in_flight, 3);
  EXPECT_EQ(stored.policy.order, OrderMode::kByKey);
  EXPECT_EQ(stored.policy.rate, 0.25);
  EXPECT_EQ(stored.policy.max_age, absl::Hours(3));
  EXPECT_EQ(stored.policy.max_body_bytes, 100'000U);
  EXPECT_EQ(stored.verification, Verification::kChallenge);
  EXPECT_FALSE(stored.verified);
  EXPECT_TRUE(stored.paused);
  EXPECT_EQ(stored.disabled_reason, "410");
  EXPECT_EQ(stored.create_time, now_);
  EXPECT_THAT(stored.start_seqs, IsEmpty());
}

TEST_P(StoreConfiguration, ItStartsAtTheHeadsOfItsPlaceInTheOrder) {
  Append(1);
  const auto results =
      Commit({BatchOf(shard(), AppendEvent{NewEvent(2)}),
              BatchOf(std::nullopt, PutSubscription{NewSubscription("a"), 0, true}),
              BatchOf(shard(), AppendEvent{NewEvent(3)})});
  const ConfigResult& created = results[1].configured[0];
  ASSERT_TRUE(created.ok());
  std::vector<Seq> expected(kShards, 0);
  expected[shard()] = 2;
  EXPECT_EQ((*created)->start_seqs, expected);
  Reopen();
  EXPECT_EQ(reader().ReadConfiguration()->subscriptions[0]->start_seqs, expected);
}

TEST_P(StoreConfiguration, SkippingTheBacklogRaisesTheStartToTheHeads) {
  const auto created = Create("a");
  Append(1);
  const auto results = Commit({BatchOf(shard(), AppendEvent{NewEvent(2)}),
                               BatchOf(std::nullopt, PutSubscription{.subscription = *created,
                                                                     .expected_version = 1,
                                                                     .skip_backlog = true}),
                               BatchOf(shard(), AppendEvent{NewEvent(3)})});
  const ConfigResult& changed = results[1].configured[0];
  ASSERT_TRUE(changed.ok()) << changed.status();
  std::vector<Seq> expected(kShards, 0);
  expected[shard()] = 2;
  EXPECT_EQ((*changed)->start_seqs, expected);
  Reopen();
  EXPECT_EQ(reader().ReadConfiguration()->subscriptions[0]->start_seqs, expected);
}

TEST_P(StoreConfiguration, WhoHasNoStartGetsNoneBySkipping) {
  const ConfigResult created = Put(NewSubscription("a"), 0);
  ASSERT_TRUE(created.ok()) << created.status();
  Append(1);
  const BatchResult result = CommitTo(
      std::nullopt,
      PutSubscription{.subscription = **created, .expected_version = 1, .skip_backlog = true});
  ASSERT_TRUE(result.configured[0].ok());
  EXPECT_THAT((*result.configured[0])->start_seqs, IsEmpty());
}

TEST_P(StoreConfiguration, AnotherVersionIsAbortedAndChangesNothing) {
  Subscription subscription = *Create("a");
  subscription.url = "https://example.com/second";
  ASSERT_TRUE(Put(subscription, 1).ok());
  subscription.url = "https://example.com/third";
  EXPECT_EQ(Put(subscription, 1).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Put(subscription, 0).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Delete(1, 1).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(reader().ReadConfiguration()->subscriptions[0]->url, "https://example.com/second");
}

TEST_P(StoreConfiguration, WhatIsNotThereIsNotFound) {
  Subscription subscription = NewSubscription("a");
  subscription.number = 17;
  EXPECT_EQ(Put(subscription, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Delete(17).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConfiguration, AnIdIsTakenForEver) {
  Create("a");
  EXPECT_EQ(Put(NewSubscription("a"), 0).status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_EQ(Put(NewSubscription("a"), 0).status().code(), absl::StatusCode::kAlreadyExists);
  Maintain();
  Reopen();
  EXPECT_EQ(Put(NewSubscription("a"), 0).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Create("b")->number, 2U) << "a refused creation must not use up a number";
}

TEST_P(StoreConfiguration, AFailedChangeFailsNoOther) {
  Create("a");
  const auto results =
      Commit({BatchOf(std::nullopt, PutSubscription{NewSubscription("a"), 0, false}),
              BatchOf(std::nullopt, PutSubscription{NewSubscription("b"), 0, false},
                      DeleteSubscription{99, 0}),
              BatchOf(shard(), AppendEvent{NewEvent(1)})});
  EXPECT_EQ(results[0].configured[0].status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(results[1].configured[0].ok());
  EXPECT_EQ(results[1].configured[1].status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(results[2].appended[0].kind, Appended::Kind::kNew);
  EXPECT_THAT(reader().ReadConfiguration()->subscriptions, SizeIs(2));
}

TEST_P(StoreConfiguration, TwoChangesOfOneVersionInAGroupTheSecondIsAborted) {
  const Subscription subscription = *Create("a");
  const auto results = Commit({BatchOf(std::nullopt, PutSubscription{subscription, 1, false}),
                               BatchOf(std::nullopt, PutSubscription{subscription, 1, false})});
  EXPECT_TRUE(results[0].configured[0].ok());
  EXPECT_EQ(results[1].configured[0].status().code(), absl::StatusCode::kAborted);
}

TEST_P(StoreConfiguration, DeletedIsGoneAtOnceAndItsRowsGoLater) {
  Append(1);
  const auto subscription = Create("a");
  const auto other = Create("b");
  std::vector<Batch> batches;
  for (Seq seq = 1; seq <= 2000; ++seq) {
    batches.push_back(BatchOf(shard(), PutException{NewException(shard(), 1, seq, now_)}));
  }
  batches.push_back(
      BatchOf(shard(), PutReader{{.subscription = 1, .shard = shard(), .next_seq = 5}}));
  batches.push_back(BatchOf(shard(), PutException{NewException(shard(), 2, 1, now_)}));
  Commit(batches);
  const ConfigResult deleted = Delete(1);
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ((*deleted)->id, "a");

  const auto check = [&] {
    EXPECT_THAT(reader().ReadConfiguration()->subscriptions, SizeIs(1));
    EXPECT_THAT(reader().ReadShard(shard())->readers, IsEmpty());
    const auto due = reader().ReadNextDue();
    ASSERT_TRUE(due.ok());
    ASSERT_THAT(*due, SizeIs(1));
    EXPECT_EQ((*due)[0].subscription, other->number);
  };
  check();
  Reopen();
  EXPECT_TRUE(store().Maintain()) << "2000 rows are more than one step";
  check();
  Maintain();
  check();
  EXPECT_THAT(*reader().ReadDue(1, shard(), now_, 10, 1 << 20), IsEmpty());
  EXPECT_EQ(Delete(1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Put(*subscription, 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConfiguration, LateOutcomesOfADeletedOneAreDropped) {
  Append(1);
  Create("a");
  ASSERT_TRUE(Delete(1).ok());
  Maintain();
  const auto late = [&] {
    CommitTo(shard(), RecordAttempt{NewAttempt(1, 1, Disposition::kException)},
             PutException{NewException(shard(), 1, 1, now_)},
             PutReader{{.subscription = 1, .shard = shard(), .next_seq = 1}}, EraseReader{1});
  };
  late();
  Reopen();
  late();
  EXPECT_THAT(*reader().ReadDue(1, shard(), now_, 10, 1 << 20), IsEmpty());
  EXPECT_THAT(reader().ReadShard(shard())->readers, IsEmpty());
}

TEST_P(StoreConfiguration, AnOutcomeAfterTheDeletionInOneGroupIsDropped) {
  Append(1);
  Create("a");
  Commit({BatchOf(std::nullopt, DeleteSubscription{1, 0}),
          BatchOf(shard(), PutException{NewException(shard(), 1, 1, now_)})});
  Maintain();
  EXPECT_THAT(*reader().ReadDue(1, shard(), now_, 10, 1 << 20), IsEmpty());
}

POSTRIDER_FOR_EACH_STORE(StoreConfiguration);

}  // namespace
}  // namespace postrider
