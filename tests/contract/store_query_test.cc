// Lists of events and attempts: right whether or not the secondary indexes have caught up (L3).

#include <set>
#include <string>
#include <vector>

#include "tests/contract/store_contract.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StoreQuery : public StoreContract {
 protected:
  std::vector<Seq> List(const EventQuery& query) {
    const auto entries = reader().ListEvents(query);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<Seq> seqs;
    for (const LogEntry& entry : *entries) {
      EXPECT_EQ(entry.event->organization, query.organization);
      seqs.push_back(entry.seq);
    }
    return seqs;
  }

  AttemptPage Attempts(const AttemptQuery& query) {
    auto page = reader().ListAttempts(query);
    EXPECT_TRUE(page.ok()) << page.status();
    return *std::move(page);
  }

  // Runs `check` with no index, with an index of what is there now, and with a part of each.
  template <class Fill, class Check>
  void InEveryStateOfTheIndex(Fill fill, Check check) {
    fill(1);
    fill(2);
    {
      SCOPED_TRACE("nothing indexed");
      check(2);
    }
    Maintain();
    {
      SCOPED_TRACE("all indexed");
      check(2);
    }
    fill(3);
    {
      SCOPED_TRACE("a part indexed");
      check(3);
    }
    Reopen();
    {
      SCOPED_TRACE("opened again");
      check(3);
    }
  }

  // Another organization in the shard of "acme".
  std::string Neighbour() const {
    int number = 0;
    while (ShardOf("neighbour" + std::to_string(number), kShards) != shard()) {
      ++number;
    }
    return "neighbour" + std::to_string(number);
  }

  void ExpectEventsNewestFirst(uint64_t rounds) {
    // Round r has the seqs 3r-2 (a.b), 3r-1 (the neighbour's) and 3r (c).
    std::vector<Seq> all;
    std::vector<Seq> typed;
    for (uint64_t round = rounds; round > 0; --round) {
      all.insert(all.end(), {3 * round, 3 * round - 2});
      typed.push_back(3 * round - 2);
    }
    EXPECT_EQ(List({.organization = "acme", .type = ""}), all);
    EXPECT_EQ(List({.organization = "acme", .type = "a.b"}), typed);
    EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = 4}), ElementsAre(3, 1));
    EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = 1}), IsEmpty());
    EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = kSeqMax, .limit = 1}),
                ElementsAre(3 * rounds));
    EXPECT_THAT(List({.organization = "nobody", .type = ""}), IsEmpty());
    EXPECT_THAT(List({.organization = "acme", .type = "a"}), IsEmpty());
  }

  void ExpectAttemptsOfTheEvent(uint64_t rounds) {
    std::vector<int> numbers;
    std::vector<int> expected;
    for (uint64_t round = rounds; round > 0; --round) {
      for (int subscription = 3; subscription > 0; --subscription) {
        expected.push_back(static_cast<int>(10 * round) + subscription);
      }
    }
    AttemptQuery query{.event = std::make_pair(shard(), Seq{1}),
                       .subscription = std::nullopt,
                       .page = "",
                       .limit = 2};
    do {
      const AttemptPage page = Attempts(query);
      EXPECT_LE(page.attempts.size(), 2U);
      for (const ListedAttempt& listed : page.attempts) {
        numbers.push_back(listed.attempt.number);
        EXPECT_EQ(listed.attempt.seq, 1U);
        EXPECT_EQ(listed.event_id, EventId(1));
        EXPECT_EQ(listed.organization, "acme");
      }
      query.page = page.next_page;
    } while (!query.page.empty());
    EXPECT_EQ(numbers, expected);
  }

  void ExpectAttemptsOfTheSubscription(uint64_t rounds) {
    std::vector<absl::Time> times;
    AttemptQuery query{.event = std::nullopt, .subscription = 2, .page = "", .limit = 3};
    std::set<std::pair<ShardId, AttemptSeq>> seen;
    do {
      const AttemptPage page = Attempts(query);
      for (const ListedAttempt& listed : page.attempts) {
        EXPECT_EQ(listed.attempt.subscription, 2U);
        EXPECT_TRUE(seen.emplace(listed.shard, listed.attempt_seq).second);
        times.push_back(listed.attempt.time);
      }
      query.page = page.next_page;
    } while (!query.page.empty());
    EXPECT_THAT(times, SizeIs(rounds * kShards));
    EXPECT_TRUE(std::is_sorted(times.rbegin(), times.rend()));
  }
};

TEST_P(StoreQuery, EventsComeNewestFirst) {
  const auto fill = [&](uint64_t round) {
    Append(10 * round, "acme", "{}", "a.b");
    Append(10 * round + 1, Neighbour(), "{}", "a.b");
    Append(10 * round + 2, "acme", "{}", "c");
  };
  InEveryStateOfTheIndex(fill, [&](uint64_t rounds) { ExpectEventsNewestFirst(rounds); });
}

TEST_P(StoreQuery, LargeEventsMakeShortPages) {
  const std::string body(kListedBodyBytesMax / 4, ' ');
  for (uint64_t n = 1; n <= 3; ++n) {
    Append(n, "acme", body);
  }
  Maintain();  // Three in the index, three not.
  for (uint64_t n = 4; n <= 6; ++n) {
    Append(n, "acme", body);
  }
  EXPECT_THAT(List({.organization = "acme", .type = ""}), ElementsAre(6, 5, 4, 3));
  EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = 3}), ElementsAre(2, 1));
}

TEST_P(StoreQuery, EventsOfATimeRange) {
  const absl::Time begin = now_;
  const auto at = [&](int seconds) { return begin + absl::Seconds(seconds); };
  const auto fill = [&](uint64_t round) {
    for (uint64_t n = 1; n <= 4; ++n) {
      now_ = at(static_cast<int>(100 * round + n));
      Append(10 * round + n);
    }
    // Far enough for the log to begin another segment.
    now_ += absl::Hours(24);
  };
  const auto since_until = [&](absl::Time since, absl::Time until) {
    EventQuery query{.organization = "acme", .type = ""};
    query.accepted_since = since;
    query.accepted_until = until;
    return List(query);
  };
  const auto check = [&](uint64_t) {
    EXPECT_THAT(since_until(at(102), at(104)), ElementsAre(3, 2));
    EXPECT_THAT(since_until(at(104), at(202)), ElementsAre(5, 4));
    EXPECT_THAT(since_until(at(0), at(101)), IsEmpty());
    EXPECT_THAT(since_until(at(0), at(102)), ElementsAre(1));
    EXPECT_THAT(since_until(at(1'000'000), absl::InfiniteFuture()), IsEmpty());
    EXPECT_THAT(since_until(absl::InfinitePast(), at(102)), ElementsAre(1));
    EXPECT_THAT(since_until(at(104), at(102)), IsEmpty());
  };
  InEveryStateOfTheIndex(fill, check);
}

TEST_P(StoreQuery, PagesOfEventsAreStableUnderAppends) {
  for (uint64_t n = 1; n <= 6; ++n) {
    Append(n);
  }
  EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = kSeqMax, .limit = 2}),
              ElementsAre(6, 5));
  Append(7);
  EXPECT_THAT(List({.organization = "acme", .type = "", .before_seq = 5, .limit = 2}),
              ElementsAre(4, 3));
}

TEST_P(StoreQuery, AttemptsOfAnEvent) {
  const auto fill = [&](uint64_t round) {
    Append(round);
    for (SubscriptionNumber subscription = 1; subscription <= 3; ++subscription) {
      Attempt attempt = NewAttempt(subscription, 1, Disposition::kException);
      attempt.number = static_cast<int>(10 * round + subscription);
      CommitTo(shard(), RecordAttempt{attempt}, RecordAttempt{NewAttempt(subscription, 2)});
    }
  };
  InEveryStateOfTheIndex(fill, [&](uint64_t rounds) { ExpectAttemptsOfTheEvent(rounds); });
}

TEST_P(StoreQuery, AttemptsOfASubscriptionAcrossShards) {
  const auto fill = [&](uint64_t round) {
    for (ShardId each = 0; each < kShards; ++each) {
      for (SubscriptionNumber subscription = 1; subscription <= 2; ++subscription) {
        Attempt attempt = NewAttempt(subscription, 1);
        attempt.time = now_ + absl::Seconds(10 * round + each);
        CommitTo(each, RecordAttempt{attempt});
      }
    }
  };
  InEveryStateOfTheIndex(fill, [&](uint64_t rounds) { ExpectAttemptsOfTheSubscription(rounds); });
}

TEST_P(StoreQuery, PagesOfAttemptsAreStableUnderInserts) {
  for (int i = 1; i <= 4; ++i) {
    Attempt attempt = NewAttempt(1, 1);
    attempt.number = i;
    attempt.time = now_ + absl::Seconds(i);
    CommitTo(shard(), RecordAttempt{attempt});
  }
  AttemptQuery query{.event = std::nullopt, .subscription = 1, .page = "", .limit = 2};
  const AttemptPage first = Attempts(query);
  ASSERT_THAT(first.attempts, SizeIs(2));
  Attempt late = NewAttempt(1, 1);
  late.time = now_ + absl::Seconds(100);
  CommitTo(shard(), RecordAttempt{late});
  Maintain();
  query.page = first.next_page;
  const AttemptPage second = Attempts(query);
  ASSERT_THAT(second.attempts, SizeIs(2));
  EXPECT_EQ(second.attempts[0].attempt.number, 2);
  EXPECT_EQ(second.attempts[1].attempt.number, 1);
  EXPECT_EQ(second.next_page, "");
}

TEST_P(StoreQuery, AnAttemptComesBackAsItWasGiven) {
  Append(1, "acme", "{}", "some.type");
  Attempt given = NewAttempt(5, 1, Disposition::kException);
  given.origin = AttemptOrigin::kRetry;
  given.outcome = Outcome::kTimeout;
  given.number = 4;
  given.http_status = 0;
  given.latency = absl::Microseconds(20'000'123);
  given.next_attempt_time = now_ + absl::Minutes(2);
  given.error_text = "no answer within 20 s";
  given.response = std::string("\0binary\xFF", 8);
  CommitTo(shard(), RecordAttempt{given});
  Reopen();
  const AttemptPage page =
      Attempts({.event = std::nullopt, .subscription = 5, .page = "", .limit = 10});
  ASSERT_THAT(page.attempts, SizeIs(1));
  EXPECT_EQ(page.attempts[0].event_type, "some.type");
  const Attempt& stored = page.attempts[0].attempt;
  EXPECT_EQ(stored.subscription, 5U);
  EXPECT_EQ(stored.seq, 1U);
  EXPECT_EQ(stored.origin, given.origin);
  EXPECT_EQ(stored.disposition, given.disposition);
  EXPECT_EQ(stored.outcome, given.outcome);
  EXPECT_EQ(stored.number, 4);
  EXPECT_EQ(stored.http_status, 0);
  EXPECT_EQ(stored.time, given.time);
  EXPECT_EQ(stored.latency, given.latency);
  EXPECT_EQ(stored.next_attempt_time, given.next_attempt_time);
  EXPECT_EQ(stored.error_text, given.error_text);
  EXPECT_EQ(stored.response, given.response);
}

TEST_P(StoreQuery, AForeignPageTokenIsRefused) {
  for (const char* page : {"x", "-1", "99999999999999999999", "1.2.3", "0"}) {
    const auto result = reader().ListAttempts({.event = std::make_pair(shard(), Seq{1}),
                                               .subscription = std::nullopt,
                                               .page = page,
                                               .limit = 10});
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << page;
  }
  for (const char* page : {"x", "1", "1.x", "1.2.3"}) {
    const auto result = reader().ListAttempts(
        {.event = std::nullopt, .subscription = 1, .page = page, .limit = 10});
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << page;
  }
  EXPECT_FALSE(reader().ListAttempts({}).ok());
}

TEST_P(StoreQuery, MaintenanceComesToAnEnd) {
  for (uint64_t n = 1; n <= 5; ++n) {
    Append(n);
  }
  Maintain();
  EXPECT_FALSE(store().Maintain());
}

POSTRIDER_FOR_EACH_STORE(StoreQuery);

}  // namespace
}  // namespace postrider
