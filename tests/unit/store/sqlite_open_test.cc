// Who may open a store, and which.

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/store/data_dir.h"
#include "gateway/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

using testing::HasSubstr;

class SqliteOpen : public testing::Test {
 protected:
  SqliteOpen() {
    options_.data_dir = directory_.path() + "/a/b/data";
    options_.ballast_bytes = 0;
  }

  absl::Status Open() const { return OpenSqlite(options_).status(); }
  std::string StoreFile() const { return options_.data_dir + "/postrider.db"; }
  int Mode() const {
    struct stat info {};
    return stat(options_.data_dir.c_str(), &info) == 0 ? info.st_mode & 0777 : -1;
  }
  void Execute(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(StoreFile().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  void ExpectRefusal(const absl::Status& status, const std::string& text) const {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  TempDir directory_;
  SqliteOptions options_;
};

TEST_F(SqliteOpen, MakesAPrivateDirectoryAndOpensAgain) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Mode(), 0700);
  ASSERT_TRUE(Open().ok());
}

TEST_F(SqliteOpen, MakesItsOwnDirectoryPrivateAgain) {
  ASSERT_TRUE(Open().ok());
  ASSERT_EQ(chmod(options_.data_dir.c_str(), 0755), 0);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Mode(), 0700);
}

TEST_F(SqliteOpen, LeavesASharedDirectoryAlone) {
  options_.data_dir = directory_.path();
  ASSERT_EQ(chmod(options_.data_dir.c_str(), 0755), 0);
  std::ofstream(options_.data_dir + "/letter.txt") << "mine";
  ExpectRefusal(Open(), "holds other files");
  EXPECT_EQ(Mode(), 0755);
}

TEST_F(SqliteOpen, RefusesAFileForADirectory) {
  options_.data_dir = directory_.path() + "/file";
  std::ofstream(options_.data_dir) << "x";
  ExpectRefusal(Open(), "is not a directory");
  options_.data_dir = "";
  ExpectRefusal(Open(), "data directory");
}

TEST_F(SqliteOpen, KeepsASecondOneOutAndSaysWho) {
  auto first = OpenSqlite(options_);
  ASSERT_TRUE(first.ok());
  const absl::Status second = Open();
  ExpectRefusal(second, options_.data_dir);
  ExpectRefusal(second, absl::StrCat("in use by process ", getpid()));
  *first = StoreHandle();
  EXPECT_TRUE(Open().ok());
}

// A limit on the size of files stands for a full disk.
TEST_F(SqliteOpen, TheLockIsTakenAlsoWhereItCannotSayByWhom) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  auto directory = DataDir::Open(options_.data_dir);
  const absl::Status second = DataDir::Open(options_.data_dir).status();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(directory.ok()) << directory.status();
  ExpectRefusal(second, "in use by process (unknown)");
}

TEST_F(SqliteOpen, RefusesAnotherShardCount) {
  ASSERT_TRUE(Open().ok());
  options_.shard_count = 8;
  ExpectRefusal(Open(), "created with shard_count 16");
  options_.shard_count = 16;
  EXPECT_TRUE(Open().ok()) << "a refused opening leaves the store alone";
}

TEST_F(SqliteOpen, RefusesAShardCountThatIsNone) {
  options_.shard_count = 0;
  ExpectRefusal(Open(), "shard_count 0");
  options_.shard_count = 5000;
  ExpectRefusal(Open(), "shard_count 5000");
}

TEST_F(SqliteOpen, RefusesAnotherFormat) {
  ASSERT_TRUE(Open().ok());
  Execute("PRAGMA user_version = 1");
  ExpectRefusal(Open(), "it has format 1");
}

TEST_F(SqliteOpen, RefusesAnotherProgramsDatabase) {
  std::filesystem::create_directories(options_.data_dir);
  Execute("CREATE TABLE photos(name)");
  ExpectRefusal(Open(), "another program");
}

TEST_F(SqliteOpen, RefusesAFileThatIsNoDatabase) {
  std::filesystem::create_directories(options_.data_dir);
  std::ofstream(StoreFile()) << std::string(8192, 'x');
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteOpen, ReportsDamage) {
  ASSERT_TRUE(Open().ok());
  Execute("DELETE FROM shard WHERE shard = 3");
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace postrider
