#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/gateway.h"
#include "gateway/store/read_pool.h"
#include "gateway/store/store.h"

// What the engine's results are called towards callers.
namespace postrider {

// A caller's `done` that is called whatever happens: with UNAVAILABLE when it is destroyed before
// it was called, as what waits is when the gateway stops.
template <typename T>
class SureDone {
 public:
  explicit SureDone(Gateway::Done<T> done) : done_(std::move(done)) {}
  SureDone(SureDone&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  SureDone& operator=(SureDone&&) = delete;
  ~SureDone() {
    if (done_ != nullptr) {
      (*this)(absl::UnavailableError("the gateway is stopping"));
    }
  }

  // Once.
  void operator()(absl::StatusOr<T> result) { std::exchange(done_, nullptr)(std::move(result)); }

 private:
  Gateway::Done<T> done_;
};

// NOT_FOUND, with the resource.
absl::Status SubscriptionNotFound(absl::string_view id);

// UNAVAILABLE: a change of the configuration was not committed. With the time to wait, unless
// nobody knows whether it was stored. `result` is not kCommitted.
absl::Status NotCommitted(const BatchResult& result);

// UNAVAILABLE, with the time to wait: the store's readers have enough to do.
absl::Status TooManyQueries();

// Runs `query` on a reader thread; its result goes to `done`.
template <typename T, typename Query>
void ReadFor(ReadPool& reads, Query query, Gateway::Done<T> done) {
  auto sure_done = std::make_shared<SureDone<T>>(std::move(done));
  ReadExecutor::Read read = [query = std::move(query), sure_done](StoreReader& reader) mutable {
    (*sure_done)(query(reader));
  };
  if (!reads.TryQuery(read)) {
    (*sure_done)(TooManyQueries());
  }
}

// The event of an organization by the text of its id. INVALID_ARGUMENT on `event_id` if that is no
// UUID; NOT_FOUND with the resource. On a reader thread.
absl::StatusOr<LogEntry> FindEvent(StoreReader& reader, const std::string& organization,
                                   const std::string& id);

// What Publish() answers once the store has: a receipt, or ALREADY_EXISTS for an id that is known
// with other content (L5).
absl::StatusOr<PublishReceipt> ReceiptOf(const Event& event,
                                         const absl::StatusOr<Appended>& appended);

}  // namespace postrider
