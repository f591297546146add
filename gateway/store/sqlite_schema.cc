#include "gateway/store/sqlite_schema.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "gateway/store/sqlite_sql.h"
#include "gateway/store/sqlite_suspects_sql.h"

namespace postrider {
namespace {

// "Post" in SQLite's header: tells our files from others.
constexpr int kApplicationId = 0x506F7374;

constexpr int kBusyMilliseconds = 250;

absl::Status CreateStore(Database* database, uint32_t shard_count) {
  RETURN_IF_ERROR(database->Exec("BEGIN IMMEDIATE"));
  RETURN_IF_ERROR(database->Exec(sql::kSchema));
  RETURN_IF_ERROR(database->Exec(sql::kSuspectSchema));
  Statement insert_store(database, sql::kInsertStore);
  RETURN_IF_ERROR(Query(&insert_store).Uint(shard_count).Run());
  Statement insert_shard(database, sql::kInsertShard);
  for (uint32_t shard = 0; shard < shard_count; ++shard) {
    Query query(&insert_shard);
    RETURN_IF_ERROR(query.Uint(shard).Int(std::numeric_limits<int64_t>::min()).Run());
  }
  const std::string marks = absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                         "; PRAGMA user_version = ", kStoreFormat, "; COMMIT");
  return database->Exec(marks.c_str());
}

absl::Status CheckStore(Database* database, uint32_t shard_count) {
  ASSIGN_OR_RETURN(const std::string application, database->Scalar("PRAGMA application_id"));
  if (application != absl::StrCat(kApplicationId)) {
    return absl::FailedPreconditionError("store: postrider.db is a database of another program");
  }
  ASSIGN_OR_RETURN(const std::string format, database->Scalar("PRAGMA user_version"));
  if (format != absl::StrCat(kStoreFormat)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store: it has format ", format, "; this program reads and writes ", kStoreFormat));
  }
  ASSIGN_OR_RETURN(const std::string shards, database->Scalar("SELECT shard_count FROM store"));
  if (shards != absl::StrCat(shard_count)) {
    return absl::FailedPreconditionError(absl::StrCat("store: it was created with shard_count ",
                                                      shards, ", which can't be changed; ",
                                                      shard_count, " was asked for"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> ConnectStore(const std::string& path,
                                                       const SqliteOptions& options,
                                                       int cache_kibibytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   Database::Open(path, options.vfs, kBusyMilliseconds));
  // The page size takes effect in a new file only, and before anything else is said.
  RETURN_IF_ERROR(database->Exec("PRAGMA page_size = 4096"));
  ASSIGN_OR_RETURN(const std::string mode, database->Scalar("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(
        "store: the file system has no shared memory for SQLite's write-ahead log");
  }
  const bool synced = options.durability == Durability::kPowerLoss;
  const std::string settings =
      absl::StrCat("PRAGMA synchronous = ", synced ? "FULL" : "OFF",
                   "; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; "
                   "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF; PRAGMA cache_size = -",
                   cache_kibibytes);
  RETURN_IF_ERROR(database->Exec(settings.c_str()));
  return database;
}

absl::Status CreateOrCheckStore(Database* database, uint32_t shard_count) {
  if (shard_count < 1 || shard_count > 4096) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: shard_count ", shard_count, "; 1 to 4096 are possible"));
  }
  ASSIGN_OR_RETURN(const std::string tables,
                   database->Scalar("SELECT count(*) FROM sqlite_schema"));
  return tables == "0" ? CreateStore(database, shard_count) : CheckStore(database, shard_count);
}

}  // namespace postrider
