#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/base/limits.h"
#include "gateway/dispatch/delivery_queue.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {

// The time of everything unless a test says otherwise.
inline const absl::Time kNow = absl::FromUnixSeconds(2000);

inline const PostResult kSucceeded{};
inline const PostResult kFailed{.outcome = Outcome::kHttpStatus, .http_status = 500};
inline const PostResult kOwnFault{.outcome = Outcome::kInternalError};
inline const PostResult kThrottled{
    .outcome = Outcome::kHttpStatus, .http_status = 503, .retry_after = absl::Minutes(2)};

inline Attempt AttemptOf(const OutcomeRecord& record) { return record.attempt.value_or(Attempt()); }

class DeliveryQueueTest : public testing::Test {
 protected:
  DeliveryQueueTest() { Configure(SubscriptionNumbered(1)); }

  void Configure(std::shared_ptr<const Subscription> subscription) {
    directory_.Put(subscription, 0);
    if (queue_ == nullptr) {
      queue_ = std::make_unique<DeliveryQueue>(subscription, &options_, &directory_, &suspects_,
                                               &outbox_);
    } else {
      queue_->Configure(subscription, kNow);
    }
  }
  void Feed(Seq first, Seq last) {
    for (const LogEntry& entry : EntriesFrom(first, last)) {
      queue_->OnPair({.subscription = 1, .entry = entry});
    }
  }
  // Starts all that may start; their seqs.
  std::vector<Seq> Start() {
    std::vector<Seq> seqs;
    while (std::optional<Exchange> exchange = queue_->Next(kNow, monotonic_)) {
      seqs.push_back(exchange->entry.seq);
      on_wire_.push_back(*std::move(exchange));
    }
    return seqs;
  }
  // Ends the exchange on the wire for `seq`.
  std::optional<OutcomeRecord> End(Seq seq, const PostResult& result) {
    for (auto place = on_wire_.begin(); place != on_wire_.end(); ++place) {
      if (place->entry.seq == seq) {
        Exchange exchange = std::move(*place);
        on_wire_.erase(place);
        return queue_->OnResult(std::move(exchange), result, kNow, monotonic_, 0);
      }
    }
    ADD_FAILURE() << seq << " is not on the wire";
    return std::nullopt;
  }
  // A success in another shard: two may be in flight from now on (T4).
  void Widen() {
    LogEntry entry = EntryAt(1);
    entry.shard = 1;
    queue_->OnPair({.subscription = 1, .entry = entry});
    Start();
    queue_->OnCommitted(1, NoticeOf(*End(1, kSucceeded)), 1);
    outbox_.Take();
  }
  // Loads a retry of `seq` that is due.
  void Retry(Seq seq, ExceptionRow row) {
    queue_->RestoreExceptions({.subscription = 1, .shard = 0, .due_time = kNow, .waiting = 1});
    DueException due{.row = std::move(row), .entry = EntryAt(seq)};
    due.row.key = {.shard = 0, .subscription = 1, .seq = seq, .origin = 0};
    due.row.due_time = kNow;
    queue_->OnLoaded(*queue_->NextLoad(kNow), std::vector<DueException>{due}, kNow);
  }
  std::vector<OutcomeRecord> FailInARow(int count) {
    std::vector<OutcomeRecord> records;
    while (count-- > 0) records.push_back(*End(Start().at(0), kFailed));
    return records;
  }
  std::vector<Seq> RowSeqs() {
    const ReaderRow row = *queue_->ReaderRowOf(0);
    std::vector<Seq> seqs = {row.next_seq};
    for (uint64_t offset = 0; offset < kReaderWindowMax; ++offset) {
      if (row.settled.Contains(offset)) seqs.push_back(row.next_seq + offset);
    }
    return seqs;
  }
  void Leave(Seq from) {
    queue_->OnLeave({.subscription = 1, .shard = 0, .from = from, .settled = {}}, ++epoch_);
    queue_->OnRowCommitted(0, epoch_);
  }

  DeliveryQueue::Options options_{.max_in_flight_default = 2, .default_schedule = {}};
  SubscriptionDirectory directory_;
  Suspects suspects_;
  RecordingOutbox outbox_;
  std::unique_ptr<DeliveryQueue> queue_;
  std::vector<Exchange> on_wire_;
  absl::Duration monotonic_ = absl::Seconds(100);
  uint64_t epoch_ = 0;
};

}  // namespace postrider
