#include "gateway/dispatch/log_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"
#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsNull;
using testing::NotNull;

LogPages::Page PageAfter(Seq after, size_t events) {
  std::vector<LogEntry> entries;
  for (Seq seq = after + 1; seq <= after + events; ++seq) {
    entries.push_back(EntryAt(seq));
  }
  return std::make_shared<const absl::StatusOr<std::vector<LogEntry>>>(std::move(entries));
}

LogPages::Key KeyAfter(Seq after) {
  return {.shard = 1, .after = after, .bytes = kReaderPageBytes};
}

TEST(LogPages, AreReadOnceForAllThatAskMeanwhile) {
  LogPages pages(kKeptPagesBytesMax);
  EXPECT_TRUE(pages.Ask(KeyAfter(0), 7));
  EXPECT_FALSE(pages.Ask(KeyAfter(0), 3));
  EXPECT_TRUE(pages.Ask(KeyAfter(256), 4));
  EXPECT_THAT(pages.OnRead(KeyAfter(0), PageAfter(0, 10)), ElementsAre(7, 3));
  EXPECT_THAT(pages.OnRead(KeyAfter(0), PageAfter(0, 10)), IsEmpty());
  EXPECT_TRUE(pages.Ask(KeyAfter(0), 3));
}

TEST(LogPages, AFullOneIsKeptForThoseThatComeLater) {
  LogPages pages(kKeptPagesBytesMax);
  EXPECT_THAT(pages.Find(KeyAfter(0)), IsNull());
  (void)pages.OnRead(KeyAfter(0), PageAfter(0, kReaderPageEvents));
  EXPECT_THAT(pages.Find(KeyAfter(0)), NotNull());
  EXPECT_THAT(pages.Find(KeyAfter(1)), IsNull());
}

TEST(LogPages, TheEndOfTheLogIsReadAnew) {
  LogPages pages(kKeptPagesBytesMax);
  (void)pages.OnRead(KeyAfter(0), PageAfter(0, 10));
  EXPECT_THAT(pages.Find(KeyAfter(0)), IsNull());
}

TEST(LogPages, AFailureIsToldToAllAndNotKept) {
  LogPages pages(kKeptPagesBytesMax);
  EXPECT_TRUE(pages.Ask(KeyAfter(0), 7));
  EXPECT_FALSE(pages.Ask(KeyAfter(0), 3));
  const auto failed = std::make_shared<const absl::StatusOr<std::vector<LogEntry>>>(
      absl::UnavailableError("the disk is busy"));
  EXPECT_THAT(pages.OnRead(KeyAfter(0), failed), ElementsAre(7, 3));
  EXPECT_THAT(pages.Find(KeyAfter(0)), IsNull());
}

TEST(LogPages, TheOldestGoWhenTheyAreTooMany) {
  const LogPages::Page page = PageAfter(0, kReaderPageEvents);
  size_t bytes = 0;
  for (const LogEntry& entry : **page) {
    bytes += entry.bytes();
  }
  LogPages pages(2 * bytes);
  for (const Seq after : {0, 256, 512}) {
    (void)pages.OnRead(KeyAfter(after), page);
  }
  EXPECT_THAT(pages.Find(KeyAfter(0)), IsNull());
  EXPECT_THAT(pages.Find(KeyAfter(512)), NotNull());
  EXPECT_LE(pages.kept_bytes(), 2 * bytes);
}

}  // namespace
}  // namespace postrider
