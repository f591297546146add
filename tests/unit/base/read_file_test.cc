// Goal: a file is read whole or not at all, whatever stands under its name.
#include "gateway/base/read_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

// Reads a file with this content back.
absl::StatusOr<std::string> WriteAndRead(const std::string& content) {
  std::string path = testing::TempDir() + "/read_file_XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path, std::ios::binary) << content;
  absl::StatusOr<std::string> read = ReadFile(path);
  unlink(path.c_str());
  return read;
}

TEST(ReadFile, ReadsEveryByte) {
  for (const std::string& content :
       {std::string(), std::string("a\r\n\0b\xFF", 6), std::string(4096, 'x'),
        std::string(10'000, 'y'), std::string(kFileBytesMax, 'z')}) {
    const absl::StatusOr<std::string> read = WriteAndRead(content);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(*read == content) << content.size();
  }
}

TEST(ReadFile, RefusesWhatIsNoFile) {
  for (const char* path : {"/", "/nowhere/at/all", ""}) {
    const absl::StatusOr<std::string> read = ReadFile(path);
    EXPECT_TRUE(absl::IsNotFound(read.status())) << path;
    EXPECT_TRUE(absl::StrContains(read.status().message(), path));
  }
}

TEST(ReadFile, IsBounded) {
  EXPECT_TRUE(absl::IsInvalidArgument(WriteAndRead(std::string(kFileBytesMax + 1, 'x')).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadFile("/dev/zero").status()));
}

}  // namespace
}  // namespace postrider
