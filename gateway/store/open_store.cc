#include "gateway/store/open_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"
#include "gateway/store/data_dir.h"
#include "gateway/store/sqlite_checkpoint.h"
#include "gateway/store/sqlite_read_connection.h"
#include "gateway/store/sqlite_reader.h"
#include "gateway/store/sqlite_schema.h"
#include "gateway/store/sqlite_store.h"

namespace postrider {
namespace {

constexpr int kReaderCacheKibibytes = 8 * 1024;
constexpr int kCheckpointCacheKibibytes = 256;

// What opening and reading may need of the disk: the index of the write-ahead log.
constexpr uint64_t kOpeningBytes = 4ULL * 1024 * 1024;

absl::StatusOr<StoreHandle> OpenIn(const std::shared_ptr<DataDir>& directory,
                                   const SqliteOptions& options) {
  const std::string path = directory->StorePath();
  const auto monitor = std::make_shared<SqliteMonitor>();
  StoreHandle handle;
  ASSIGN_OR_RETURN(handle.store, SqliteStore::Open(directory, options, monitor));
  std::vector<std::unique_ptr<SqliteReadConnection>> connections;
  for (int i = 0; i < std::max(1, options.read_connections); ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                     ConnectStore(path, options, kReaderCacheKibibytes));
    RETURN_IF_ERROR(database->Exec("PRAGMA query_only = 1"));
    connections.push_back(
        std::make_unique<SqliteReadConnection>(std::move(database), options.shard_count));
  }
  handle.reader = std::make_unique<SqliteReader>(std::move(connections));
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   ConnectStore(path, options, kCheckpointCacheKibibytes));
  handle.checkpointer = std::make_unique<SqliteCheckpointer>(std::move(database), monitor);
  return handle;
}

}  // namespace

absl::StatusOr<StoreHandle> OpenSqlite(const SqliteOptions& options) {
  ASSIGN_OR_RETURN(const std::shared_ptr<DataDir> directory, DataDir::Open(options.data_dir));
  const uint64_t free = options.free_bytes ? options.free_bytes() : directory->FreeBytes();
  if (free < kOpeningBytes && directory->ReleaseBallast()) {
    LogError("store: the disk is full; the ballast is given up so that the store can be opened");
  }
  absl::StatusOr<StoreHandle> handle = OpenIn(directory, options);
  if (absl::IsUnavailable(handle.status()) && directory->ReleaseBallast()) {
    LogError(absl::StrCat("store: the ballast is given up, for it could not be opened: ",
                          handle.status().message()));
    handle = OpenIn(directory, options);
  }
  return handle;
}

}  // namespace postrider
