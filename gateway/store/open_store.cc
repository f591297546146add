#include "gateway/store/open_store.h"

#include <algorithm>
#include <utility>
#include <vector>

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

}  // namespace

absl::StatusOr<StoreHandle> OpenSqlite(const SqliteOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<DataDir> directory, DataDir::Open(options.data_dir));
  const std::string path = directory->StorePath();
  const auto monitor = std::make_shared<SqliteMonitor>();
  StoreHandle handle;
  ASSIGN_OR_RETURN(handle.store, SqliteStore::Open(std::move(directory), options, monitor));
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

}  // namespace postrider
