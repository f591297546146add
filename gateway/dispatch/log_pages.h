#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "gateway/model/ids.h"
#include "gateway/store/store.h"

namespace postrider {

// What events take of memory budgets.
size_t BytesOf(const std::vector<LogEntry>& entries);

// Whether a page that was to have `bytes_max` was cut by the end of the log and not by its limits.
bool IsLastPage(const std::vector<LogEntry>& entries, size_t bytes_max);

// The pages of the log that subscriptions of one loop read by themselves. Those that leave a tail
// together read the same stretch: each page is read and decoded once for all that ask for it before
// it is there, and the newest ones are kept for those that come a little later. The log does not
// change, so a kept page is as good as one that is read; one that ends with the log is not kept.
//
// Lives on one loop.
class LogPages {
 public:
  struct Key {
    ShardId shard = 0;
    Seq after = 0;
    size_t bytes = 0;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.shard, key.after, key.bytes);
    }
  };
  using Page = std::shared_ptr<const absl::StatusOr<std::vector<LogEntry>>>;

  // Keeps pages of at most `bytes_max`.
  explicit LogPages(size_t bytes_max) : bytes_max_(bytes_max) {}

  // A page that is kept; null: it must be asked for.
  Page Find(const Key& key) const;
  // Puts the subscription among those that wait for the page. True if it is the first: then the
  // page must be read, and OnRead() be called with it.
  bool Ask(const Key& key, SubscriptionNumber number);
  // Who waited for the page, in the order in which they asked.
  std::vector<SubscriptionNumber> OnRead(const Key& key, const Page& page);

  size_t kept_bytes() const { return bytes_; }

 private:
  const size_t bytes_max_;
  size_t bytes_ = 0;
  absl::flat_hash_map<Key, std::vector<SubscriptionNumber>> asked_;
  absl::flat_hash_map<Key, Page> kept_;
  std::deque<std::pair<Key, size_t>> order_;  // Of those kept, oldest first, with their bytes.
};

}  // namespace postrider
