#include "gateway/store/read_pool.h"

#include <utility>

#include "gateway/base/check.h"

namespace postrider {

ReadPool::ReadPool(StoreReader* reader, int threads) : reader_(reader) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

ReadPool::~ReadPool() { CHECK(threads_.empty()); }

void ReadPool::Run(Read read) {
  const MutexLock lock(&mutex_);
  if (!stopping_) {
    reads_.push_back(std::move(read));
    wake_.NotifyOne();
  }
}

bool ReadPool::TryQuery(Read& read) {
  const MutexLock lock(&mutex_);
  if (stopping_ || queries_.size() >= kQueriesMax) {
    return false;
  }
  queries_.push_back(std::move(read));
  wake_.NotifyOne();
  return true;
}

void ReadPool::Work() {
  while (true) {
    Read read;
    {
      const MutexLock lock(&mutex_);
      while (!stopping_ && reads_.empty() && queries_.empty()) {
        wake_.Wait(&mutex_);
      }
      if (stopping_) {
        return;
      }
      std::deque<Read>& queue = reads_.empty() ? queries_ : reads_;
      read = std::move(queue.front());
      queue.pop_front();
    }
    std::move(read)(*reader_);
  }
}

void ReadPool::Stop() {
  std::deque<Read> reads;
  std::deque<Read> queries;
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    reads.swap(reads_);
    queries.swap(queries_);
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

}  // namespace postrider
