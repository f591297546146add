#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "gateway/dispatch/shard_tail.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {

// The tail of shard 0, whose messages are kept as texts.
class ShardTailTest : public testing::Test {
 protected:
  ShardTailTest() { Start({}); }

  void Start(const ShardRecovery& recovery) {
    tail_ = std::make_unique<ShardTail>(0, recovery, &directory_, &outbox_);
  }
  void Subscribe(SubscriptionNumber number, bool paused = false) {
    auto subscription = SubscriptionNumbered(number);
    subscription->paused = paused;
    directory_.Put(subscription, 0);
  }
  void Commit(Seq first, Seq last) {
    tail_->Receive(EntriesFrom(first, last), 0, now_);
    tail_->FanOut(1'000'000, now_);
  }
  void Settle(SubscriptionNumber number, Seq seq, AttemptSeq attempt_head = 0) {
    tail_->OnSettled(
        {.subscription = number, .shard = 0, .seq = seq, .attempt_head = attempt_head});
  }
  void AskRejoin(SubscriptionNumber number, Seq scan, std::vector<Seq> unsettled) {
    tail_->OnAskRejoin(
        {.subscription = number, .shard = 0, .scan = scan, .unsettled = std::move(unsettled)},
        now_);
  }

  SubscriptionDirectory directory_;
  RecordingOutbox outbox_;
  std::unique_ptr<ShardTail> tail_;
  absl::Duration now_ = absl::Seconds(100);
};

}  // namespace postrider
