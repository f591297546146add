#include "gateway/store/sqlite_checkpoint.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"

namespace postrider {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kCheckpointPages = 1000;
constexpr uint64_t kWalPagesMax = 64ULL * 1024 * 1024 / kPageBytes;

}  // namespace

bool SqliteMonitor::CheckpointDue() const {
  return wal_pages_.load(std::memory_order_relaxed) >= checkpointed_ + kCheckpointPages;
}

void SqliteMonitor::SetWalPages(uint64_t pages) {
  const uint64_t before = wal_pages_.exchange(pages, std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  if (pages < before) {
    checkpointed_ = 0;  // The log was begun anew.
  }
  if (CheckpointDue()) {
    wake_.NotifyOne();
  }
}

uint64_t SqliteMonitor::AwaitCheckpoint() {
  MutexLock lock(&mutex_);
  while (!stopping_ && !CheckpointDue()) {
    wake_.Wait(&mutex_);
  }
  return stopping_ ? 0 : wal_pages_.load(std::memory_order_relaxed);
}

void SqliteMonitor::CheckpointDone(uint64_t pages) {
  checkpoints.fetch_add(1, std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  // Less if the log has been begun anew meanwhile.
  checkpointed_ = std::min(pages, wal_pages_.load(std::memory_order_relaxed));
}

void SqliteMonitor::Stop() {
  MutexLock lock(&mutex_);
  stopping_ = true;
  wake_.NotifyAll();
}

StoreStats SqliteMonitor::Stats() const {
  StoreStats stats;
  stats.wal_bytes = wal_pages_.load(std::memory_order_relaxed) * kPageBytes;
  stats.unindexed_rows = unindexed_rows.load(std::memory_order_relaxed);
  stats.free_bytes = free_bytes.load(std::memory_order_relaxed);
  stats.checkpoints = checkpoints.load(std::memory_order_relaxed);
  stats.writer_checkpoints = writer_checkpoints.load(std::memory_order_relaxed);
  return stats;
}

SqliteCheckpointer::SqliteCheckpointer(std::unique_ptr<Database> database,
                                       std::shared_ptr<SqliteMonitor> monitor)
    : database_(std::move(database)), monitor_(std::move(monitor)) {}

void SqliteCheckpointer::Run() {
  while (const uint64_t pages = monitor_->AwaitCheckpoint()) {
    const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr,
                                               SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    // Busy: the writer is at it.
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) {
      LogWarning(absl::StrCat("store: checkpoint: ", database_->Error(code).message()));
    }
    // After a failure too: the next one is due when the log has grown again.
    monitor_->CheckpointDone(pages);
  }
}

SqliteWalBound::SqliteWalBound(Database* database, std::shared_ptr<SqliteMonitor> monitor)
    : database_(database), monitor_(std::move(monitor)), bound_(kWalPagesMax) {
  const auto count = [](void* pages, sqlite3*, const char*, int value) {
    *static_cast<uint64_t*>(pages) = static_cast<uint64_t>(value);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_->handle(), count, &pages_);
}

SqliteWalBound::~SqliteWalBound() { sqlite3_wal_hook(database_->handle(), nullptr, nullptr); }

absl::Status SqliteWalBound::Keep() {
  monitor_->SetWalPages(pages_);
  if (pages_ < kWalPagesMax) {
    bound_ = kWalPagesMax;
  }
  if (pages_ < bound_) {
    return absl::OkStatus();
  }
  monitor_->writer_checkpoints.fetch_add(1, std::memory_order_relaxed);
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr,
                                             SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  if (code == SQLITE_OK) {
    return absl::OkStatus();
  }
  // A long read is in the way: not at every group, for the waiting costs.
  bound_ = pages_ + kWalPagesMax / 4;
  return (code & 0xFF) == SQLITE_BUSY ? absl::OkStatus() : database_->Error(code);
}

}  // namespace postrider
