#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/store/store.h"

namespace postrider {

// When a commit counts as durable.
enum class Durability {
  kPowerLoss,     // Synced: what a gateway runs with.
  kProcessDeath,  // Written, not synced: for simulations, which do not lose power.
};

struct SqliteOptions {
  std::string data_dir = "data";
  uint32_t shard_count = 16;  // Fixed at the store's creation.
  int read_connections = 2;
  uint64_t free_bytes_min = 256ULL * 1024 * 1024;  // Below: new events are refused (S5).
  uint64_t ballast_bytes = 32ULL * 1024 * 1024;    // Kept for a full disk; 0: none.
  Durability durability = Durability::kPowerLoss;

  // For tests. An SQLite VFS by name; empty: the system's.
  std::string vfs;
  // For tests. Bytes that may still be written to the data directory; null: asks the file system.
  std::function<uint64_t()> free_bytes;
};

// What the store can say about itself. Thread-safe snapshot.
struct StoreStats {
  uint64_t wal_bytes = 0;           // Of the write-ahead log's part that is in use.
  uint64_t unindexed_rows = 0;      // How far the secondary indexes are behind the log (L3).
  uint64_t free_bytes = 0;          // As of the last look.
  uint64_t checkpoints = 0;         // Run by the checkpointer.
  uint64_t writer_checkpoints = 0;  // Run by the writer, because the log had grown too long (S6).
};

// Moves committed pages from the write-ahead log to the database file (S6).
class Checkpointer {
 public:
  virtual ~Checkpointer() = default;

  // Checkpoints whenever the log has grown by 1 000 pages, until Stop(): the checkpoint thread's
  // whole life.
  virtual void Run() = 0;

  // Lets Run() return, after the checkpoint under way. Thread-safe.
  virtual void Stop() = 0;

  virtual StoreStats Stats() const = 0;
};

// An open store. The members may be destroyed in reverse order only, the store last.
struct StoreHandle {
  std::unique_ptr<Store> store;
  std::unique_ptr<StoreReader> reader;  // At most SqliteOptions::read_connections reads at a time.
  std::unique_ptr<Checkpointer> checkpointer;
};

// Opens the store in `options.data_dir`, and creates both if need be: the directory with mode 0700.
//
// One process at a time: FAILED_PRECONDITION names the directory and the process that has it. Also
// FAILED_PRECONDITION: a store of another format or shard count, a file that is no store, a
// directory with other files that others may read. DATA_LOSS, INTERNAL, UNAVAILABLE: as the disk
// says.
//
// Times are kept to the microsecond, but for an event's own, which keeps its nanoseconds.
absl::StatusOr<StoreHandle> OpenSqlite(const SqliteOptions& options);

}  // namespace postrider
