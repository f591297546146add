#pragma once

#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gateway/base/mutex.h"
#include "gateway/store/read_executor.h"

namespace postrider {

// The store's reader threads.
//
// The engine's reads are never refused: it has a bounded number under way. Queries of callers from
// outside are, once kQueriesMax wait, and they wait behind the engine's.
class ReadPool final : public ReadExecutor {
 public:
  static constexpr size_t kQueriesMax = 256;

  // `reader` outlives this.
  ReadPool(StoreReader* reader, int threads);
  ~ReadPool() override;  // Stop() must have been called.

  void Run(Read read) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Like Run(), for a query from outside: false, and nothing done, if too many wait or the pool is
  // stopping.
  bool TryQuery(Read& read) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the threads after the reads under way; those that wait are destroyed without being run.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  StoreReader* const reader_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Read> reads_ ABSL_GUARDED_BY(mutex_);    // The engine's.
  std::deque<Read> queries_ ABSL_GUARDED_BY(mutex_);  // At most kQueriesMax.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace postrider
