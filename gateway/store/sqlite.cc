#include "gateway/store/sqlite.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"

namespace postrider {

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const std::string& vfs,
                                                         int busy_milliseconds) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (handle == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": no memory to open it"));
  }
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) {
    return absl::UnavailableError(absl::StrCat(path, ": ", sqlite3_errmsg(handle)));
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_milliseconds);
  return database;
}

Database::~Database() {
  if (sqlite3_close(handle_) != SQLITE_OK) {
    LogError(absl::StrCat("store: a connection was not closed: ", sqlite3_errmsg(handle_)));
  }
}

absl::Status Database::Exec(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::StatusOr<std::string> Database::Scalar(const std::string& sql) {
  Statement statement(this, sql.c_str());
  Query query(&statement);
  if (!query.Row()) {
    const absl::Status status = query.status();
    if (!status.ok()) {
      return status;
    }
    return std::string();
  }
  return std::string(query.NextBytes());
}

absl::Status Database::Error(int code) const {
  const std::string text = absl::StrCat("sqlite: ", sqlite3_errmsg(handle_), " (",
                                        sqlite3_errstr(code), ", ", code, ")");
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT: return absl::UnavailableError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return absl::DataLossError(text);
    default: return absl::InternalError(text);
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

int Statement::Prepare() {
  if (statement_ != nullptr) {
    return SQLITE_OK;
  }
  return sqlite3_prepare_v3(database_->handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                            nullptr);
}

Query::Query(Statement* statement) : statement_(statement), code_(statement->Prepare()) {}

Query::~Query() {
  // The code repeats the last step's error, which has been seen.
  sqlite3_reset(statement_->statement_);
}

Query& Query::Int(int64_t value) {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_int64(statement_->statement_, ++parameter_, value);
  }
  return *this;
}

Query& Query::Text(absl::string_view value) {
  if (code_ == SQLITE_OK) {
    const char* data = value.data() == nullptr ? "" : value.data();
    code_ = sqlite3_bind_text64(statement_->statement_, ++parameter_, data, value.size(),
                                SQLITE_STATIC, SQLITE_UTF8);
  }
  return *this;
}

Query& Query::Blob(absl::string_view value) {
  if (code_ == SQLITE_OK) {
    const char* data = value.data() == nullptr ? "" : value.data();
    code_ = sqlite3_bind_blob64(statement_->statement_, ++parameter_, data, value.size(),
                                SQLITE_STATIC);
  }
  return *this;
}

Query& Query::Null() {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_null(statement_->statement_, ++parameter_);
  }
  return *this;
}

bool Query::Row() {
  if (code_ != SQLITE_OK && code_ != SQLITE_ROW) {
    return false;
  }
  column_ = 0;
  code_ = sqlite3_step(statement_->statement_);
  return code_ == SQLITE_ROW;
}

absl::Status Query::Run() {
  while (Row()) {
  }
  return status();
}

absl::Status Query::status() const {
  if (code_ == SQLITE_OK || code_ == SQLITE_ROW || code_ == SQLITE_DONE) {
    return absl::OkStatus();
  }
  return statement_->database_->Error(code_);
}

int64_t Query::NextInt() { return sqlite3_column_int64(statement_->statement_, column_++); }

absl::string_view Query::NextBytes() {
  sqlite3_stmt* const statement = statement_->statement_;
  const int column = column_++;
  const void* data = sqlite3_column_type(statement, column) == SQLITE_BLOB
                         ? sqlite3_column_blob(statement, column)
                         : static_cast<const void*>(sqlite3_column_text(statement, column));
  const int size = sqlite3_column_bytes(statement, column);
  return absl::string_view(static_cast<const char*>(data), static_cast<size_t>(size));
}

bool Query::NextIsNull() const {
  return sqlite3_column_type(statement_->statement_, column_) == SQLITE_NULL;
}

ReadTransaction::ReadTransaction(Database* database)
    : database_(database), status_(database->Exec("BEGIN")) {}

ReadTransaction::~ReadTransaction() {
  if (sqlite3_get_autocommit(database_->handle()) != 0) {
    return;  // It was never begun, or an error has ended it.
  }
  const absl::Status status = database_->Exec("COMMIT");
  if (!status.ok()) {
    LogError(absl::StrCat("store: a read did not end: ", status.message()));
  }
}

}  // namespace postrider
