#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace postrider {

// A connection to an SQLite database. One thread at a time.
class Database {
 public:
  // Opens `path`, creating it if need be, over the VFS of that name (empty: the system's). A
  // statement that finds the database locked waits up to `busy_milliseconds`.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const std::string& vfs,
                                                        int busy_milliseconds);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that give no rows.
  absl::Status Exec(const char* sql);
  // The first column of the first row, as text; empty if there is none.
  absl::StatusOr<std::string> Scalar(const std::string& sql);

  // What an SQLite result code means: UNAVAILABLE if the same may succeed later and nothing was
  // written (busy, full, out of memory, an I/O error), DATA_LOSS if the file is damaged, INTERNAL
  // otherwise. The text is for our log.
  absl::Status Error(int code) const;

  sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* const handle_;
};

// A prepared statement, compiled when it is first run. One thread at a time.
class Statement {
 public:
  // Both outlive this; `sql` is a literal.
  Statement(Database* database, const char* sql) : database_(database), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

 private:
  friend class Query;
  int Prepare();

  Database* const database_;
  const char* const sql_;
  sqlite3_stmt* statement_ = nullptr;
};

// One run of a statement: parameters in order, then rows, each read column by column. Resets the
// statement when it goes, so that no read stands in a checkpoint's way.
class Query {
 public:
  explicit Query(Statement* statement);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Sets the next parameter. Bytes must live as long as this.
  Query& Int(int64_t value);
  Query& Uint(uint64_t value) { return Int(static_cast<int64_t>(value)); }
  Query& Text(absl::string_view value);
  Query& Blob(absl::string_view value);
  Query& Null();

  // Goes to the next row. False at the end or after an error: status() tells.
  bool Row();
  // Runs a statement that gives no rows.
  absl::Status Run();
  absl::Status status() const;

  // The next column of the row. Bytes are valid until the next Row().
  int64_t NextInt();
  uint64_t NextUint() { return static_cast<uint64_t>(NextInt()); }
  absl::string_view NextBytes();
  bool NextIsNull() const;
  void Skip() { ++column_; }

 private:
  Statement* const statement_;
  int parameter_ = 0;
  int column_ = 0;
  int code_ = 0;
};

// A snapshot for several reads of one connection.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database* database);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  const absl::Status& status() const { return status_; }

 private:
  Database* const database_;
  absl::Status status_;
};

}  // namespace postrider
