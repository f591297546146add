// The part of DeliveryQueue that gives up what is not kept any more (C7).

#include "gateway/dispatch/delivery_queue.h"

namespace postrider {

bool DeliveryQueue::OnLogBegins(const std::vector<Seq>& first_seqs) {
  bool expired = false;
  for (auto& [shard, lane] : lanes_) {
    // Elsewhere the shard's cursor is behind all that is read next.
    if (lane.progress.mode() == ShardProgress::Mode::kReading) {
      expired = lane.progress.JumpTo(first_seqs[shard]) || expired;
    }
  }
  expired_ = expired_ || expired;
  return expired;
}

void DeliveryQueue::OnLate(const LateException& late) {
  expired_ = true;
  MakeReady(order_.OnResolved(late.key.shard, late.ordering_key, late.key.seq,
                              DeliveryOrder::End::kDeleted));
}

}  // namespace postrider
