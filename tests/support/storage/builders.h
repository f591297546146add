#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gateway/store/store.h"

namespace postrider {

// Writes that are short to say in a test.

// The id of number `n`: time-ordered for ascending numbers.
Uuid EventId(uint64_t n);

// Event `n` of an organization. Its content hash and body follow from `content`.
std::shared_ptr<const Event> NewEvent(uint64_t n, const std::string& organization = "acme",
                                      const std::string& content = "{}",
                                      const std::string& type = "message.create");

Attempt NewAttempt(SubscriptionNumber subscription, Seq seq,
                   Disposition disposition = Disposition::kDelivered);

ExceptionRow NewException(ShardId shard, SubscriptionNumber subscription, Seq seq, absl::Time due);

Subscription NewSubscription(const std::string& id, const std::string& organization = "acme");

// A batch of one shard, or, with none, of the configuration.
template <class... Writes>
Batch BatchOf(std::optional<ShardId> shard, Writes... writes) {
  Batch batch;
  batch.shard = shard;
  (batch.writes.push_back(std::move(writes)), ...);
  return batch;
}

}  // namespace postrider
