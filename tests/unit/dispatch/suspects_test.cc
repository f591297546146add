// Goal: what has brought the process down goes alone, and is given up after its third time (E8).
#include "gateway/dispatch/suspects.h"

#include "gateway/base/limits.h"
#include "tests/unit/dispatch/delivery_queue_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Suspect SuspectAt(Seq seq, int deaths, SubscriptionNumber subscription = 1) {
  return {.item = ItemOf(subscription, /*shard=*/0, seq), .deaths = deaths};
}

TEST(Suspects, AreTakenForWhatTheirDeathsSay) {
  Suspects suspects;
  suspects.Add(SuspectAt(5, kDeathsMax - 1));
  suspects.Add(SuspectAt(6, kDeathsMax));
  EXPECT_TRUE(suspects.RunsAlone(ItemOf(1, 0, 5)));
  EXPECT_FALSE(suspects.Quarantined(ItemOf(1, 0, 5)));
  EXPECT_FALSE(suspects.RunsAlone(ItemOf(1, 0, 6)));
  EXPECT_TRUE(suspects.Quarantined(ItemOf(1, 0, 6)));
  for (const WorkItem& other : {ItemOf(2, 0, 5), ItemOf(1, 1, 5), ItemOf(1, 0, 7)}) {
    EXPECT_FALSE(suspects.RunsAlone(other));
    EXPECT_FALSE(suspects.Quarantined(other));
  }
  EXPECT_TRUE(suspects.Forget(ItemOf(1, 0, 6)));
  EXPECT_FALSE(suspects.Forget(ItemOf(1, 0, 6)));
  EXPECT_FALSE(suspects.Quarantined(ItemOf(1, 0, 6)));
}

TEST(Suspects, EventsAreTakenByShardUpToASeq) {
  Suspects suspects;
  suspects.Add(SuspectAt(3, 1, /*subscription=*/0));
  suspects.Add(SuspectAt(4, 3, /*subscription=*/0));
  suspects.Add(SuspectAt(5, 1, /*subscription=*/0));
  suspects.Add(SuspectAt(3, 1, /*subscription=*/1));
  suspects.Add({.item = ItemOf(0, /*shard=*/1, 3), .deaths = 1});
  EXPECT_THAT(suspects.TakeEvents(0, 4), ElementsAre(ItemOf(0, 0, 3), ItemOf(0, 0, 4)));
  EXPECT_THAT(suspects.TakeEvents(0, 4), IsEmpty());
  EXPECT_EQ(suspects.size(), 3U);
}

class SuspectsTest : public DeliveryQueueTest {
 protected:
  std::optional<Seq> Next(bool wire_is_empty) {
    std::optional<Exchange> exchange = queue_->Next(kNow, monotonic_, wire_is_empty);
    if (!exchange.has_value()) return std::nullopt;
    const Seq seq = exchange->entry.seq;
    on_wire_.push_back(*std::move(exchange));
    return seq;
  }
};

TEST_F(SuspectsTest, OneWaitsForAnEmptyWire) {
  suspects_.Add(SuspectAt(2, 1));
  Widen();
  Feed(1, 3);
  EXPECT_EQ(Next(/*wire_is_empty=*/false), 1U);
  EXPECT_FALSE(queue_->waits_to_run_alone());
  EXPECT_EQ(Next(/*wire_is_empty=*/false), std::nullopt);
  EXPECT_TRUE(queue_->waits_to_run_alone());
  End(1, kSucceeded);
  EXPECT_EQ(Next(/*wire_is_empty=*/true), 2U);
  EXPECT_FALSE(queue_->waits_to_run_alone());
}

TEST_F(SuspectsTest, ARetryWaitsToo) {
  suspects_.Add(SuspectAt(2, 2));
  Retry(2, {.attempts = 1});
  EXPECT_EQ(Next(/*wire_is_empty=*/false), std::nullopt);
  EXPECT_TRUE(queue_->waits_to_run_alone());
  EXPECT_EQ(Next(/*wire_is_empty=*/true), 2U);
}

TEST_F(SuspectsTest, TheThirdDeathMakesADeadLetterThatSettles) {
  suspects_.Add(SuspectAt(1, kDeathsMax));
  Feed(1, 2);
  EXPECT_EQ(Next(/*wire_is_empty=*/false), 1U);
  const Exchange& exchange = on_wire_.front();
  EXPECT_EQ(exchange.dead_reason, DeadReason::kQuarantined);
  const PostResult result = ResultWithoutPost(exchange);
  const OutcomeRecord record = *End(1, result);
  EXPECT_EQ(AttemptOf(record).outcome, Outcome::kQuarantined);
  EXPECT_EQ(AttemptOf(record).disposition, Disposition::kDead);
  EXPECT_TRUE(AttemptOf(record).settles());
  EXPECT_EQ(record.put_exception->row.state, ExceptionState::kDead);
  EXPECT_EQ(record.put_exception->row.dead_reason, DeadReason::kQuarantined);
  EXPECT_EQ(queue_->health().failures, 0) << "it is not the subscriber's fault";
  queue_->OnCommitted(0, NoticeOf(record), 1);
  EXPECT_THAT(outbox_.Take(), ElementsAre("settled 1:1"));
  EXPECT_EQ(Next(/*wire_is_empty=*/false), 2U);
}

TEST_F(SuspectsTest, ARetryThatIsGivenUpTakesItsRow) {
  suspects_.Add(SuspectAt(2, kDeathsMax));
  Retry(2, {.attempts = 1});
  ASSERT_EQ(Next(/*wire_is_empty=*/true), 2U);
  const PostResult result = ResultWithoutPost(on_wire_.front());
  const OutcomeRecord record = *End(2, result);
  EXPECT_EQ(record.resolve_exception->next->dead_reason, DeadReason::kQuarantined);
}

TEST_F(SuspectsTest, AReaderTakesWhatIsGivenUpForWantedWithoutALook) {
  auto picky = SubscriptionNumbered(1);
  picky->event_types = {"x.y"};
  Configure(picky);
  suspects_.Add(SuspectAt(2, kDeathsMax));
  suspects_.Add(SuspectAt(3, 1));
  Leave(1);
  const auto read = queue_->NextRead(monotonic_);
  ASSERT_TRUE(read.has_value());
  suspects_.Add(SuspectAt(4, kDeathsMax));
  std::vector<LogEntry> entries = EntriesFrom(1, 4);
  auto foreign = std::make_shared<Event>(*entries[3].event);
  foreign->organization = "p";
  foreign->organization_path = {"p"};
  entries[3].event = foreign;
  queue_->OnRead(*read, entries, monotonic_);
  EXPECT_THAT(Start(), ElementsAre(2)) << "what is another organization's is still not looked at";
  EXPECT_EQ(on_wire_[0].dead_reason, DeadReason::kQuarantined);
}

}  // namespace
}  // namespace postrider
