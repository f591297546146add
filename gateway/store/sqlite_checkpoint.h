#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gateway/base/mutex.h"
#include "gateway/store/open_store.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// What the writer, the checkpointer and those who ask for metrics tell each other. Thread-safe; its
// mutex wakes the checkpointer.
class SqliteMonitor {
 public:
  // The write-ahead log has `pages` pages, of which none before the last checkpoint are new.
  void SetWalPages(uint64_t pages) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until the log has grown by a checkpoint's worth, and returns its pages; 0: stop.
  uint64_t AwaitCheckpoint() ABSL_LOCKS_EXCLUDED(mutex_);
  // `pages` of the log are in the database file now.
  void CheckpointDone(uint64_t pages) ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  StoreStats Stats() const;

  std::atomic<uint64_t> unindexed_rows{0};
  std::atomic<uint64_t> free_bytes{0};
  std::atomic<uint64_t> checkpoints{0};
  std::atomic<uint64_t> writer_checkpoints{0};

 private:
  bool CheckpointDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<uint64_t> wal_pages_{0};
  Mutex mutex_;
  CondVar wake_;
  uint64_t checkpointed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

// PASSIVE checkpoints on a connection and a thread of their own: they hold nobody up (S6).
class SqliteCheckpointer final : public Checkpointer {
 public:
  SqliteCheckpointer(std::unique_ptr<Database> database, std::shared_ptr<SqliteMonitor> monitor);

  void Run() override;
  void Stop() override { monitor_->Stop(); }
  StoreStats Stats() const override { return monitor_->Stats(); }

 private:
  const std::unique_ptr<Database> database_;
  const std::shared_ptr<SqliteMonitor> monitor_;
};

// The writer's part: keeps the log short when PASSIVE checkpoints can't, because there is always
// somebody writing (S6). Store thread, between transactions.
class SqliteWalBound {
 public:
  // `database` outlives this.
  SqliteWalBound(Database* database, std::shared_ptr<SqliteMonitor> monitor);
  ~SqliteWalBound();
  SqliteWalBound(const SqliteWalBound&) = delete;
  SqliteWalBound& operator=(const SqliteWalBound&) = delete;

  // Copies the whole log to the database file if it is over its bound.
  absl::Status Keep();

 private:
  Database* const database_;
  const std::shared_ptr<SqliteMonitor> monitor_;
  uint64_t pages_ = 0;
  uint64_t bound_;
};

}  // namespace postrider
