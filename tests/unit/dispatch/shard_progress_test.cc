#include "gateway/dispatch/shard_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

// A row as text: the next seq, then the settled ones above it.
std::vector<Seq> Read(const ReaderRow& row) {
  std::vector<Seq> seqs = {row.next_seq};
  for (uint64_t offset = 0; offset < kReaderWindowMax; ++offset) {
    if (row.settled.Contains(offset)) seqs.push_back(row.next_seq + offset);
  }
  return seqs;
}

using testing::ElementsAre;

TEST(ShardProgress, RowOfALeaverHoldsWhatItHasSettledAboveTheLowestOwed) {
  ShardProgress progress;
  for (const Seq seq : {2, 3, 5, 6}) progress.Owe(seq);
  progress.Settle(5);
  progress.set_mode(ShardProgress::Mode::kLeaving);
  progress.StartReading(8, {});
  // 4 and 7 were not wanted, 5 is delivered: none of them is to be sent again.
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(2, 4, 5, 7));
  progress.Settle(2);
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(3, 4, 5, 7));
}

TEST(ShardProgress, RowOfOneThatOwesNothingIsTheScan) {
  ShardProgress progress;
  progress.StartReading(9, {});
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(9));
}

TEST(ShardProgress, GoesOnWhereTheLogBegins) {
  ShardProgress progress;
  for (const Seq seq : {2, 3}) progress.Owe(seq);
  progress.StartReading(4, {5, 6, 9});
  EXPECT_FALSE(progress.JumpTo(4)) << "it has got so far";
  EXPECT_TRUE(progress.JumpTo(6)) << "4 was owed";
  EXPECT_EQ(progress.scan(), 6U);
  EXPECT_FALSE(progress.JumpTo(7)) << "6 was settled";
  EXPECT_TRUE(progress.above_scan());
  EXPECT_TRUE(progress.Owes(2)) << "what is in memory can still be sent";
  EXPECT_TRUE(progress.JumpTo(10));
  EXPECT_FALSE(progress.above_scan()) << "nothing below the beginning is waited for";
}

TEST(ShardProgress, SurvivesARestartThroughItsRow) {
  ShardProgress before;
  for (const Seq seq : {2, 3, 4}) before.Owe(seq);
  before.Settle(3);
  before.StartReading(5, {7});
  ShardProgress after;
  after.Restore(before.Row(1, 0));
  EXPECT_EQ(after.scan(), 2U);
  EXPECT_FALSE(after.ReadPast(2));
  EXPECT_TRUE(after.ReadPast(3));
  EXPECT_TRUE(after.above_scan());
  EXPECT_FALSE(after.ReadPast(4));
  EXPECT_FALSE(after.ReadPast(5));
  EXPECT_FALSE(after.ReadPast(6));
  EXPECT_TRUE(after.ReadPast(7));
  EXPECT_FALSE(after.above_scan());
}

TEST(ShardProgress, RowKeepsWhatIsSettledAheadOfTheScan) {
  ShardProgress progress;
  progress.set_mode(ShardProgress::Mode::kReading);
  progress.StartReading(3, {4, 6});
  EXPECT_FALSE(progress.ReadPast(3));
  progress.Owe(3);
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(3, 4, 6));
}

TEST(ShardProgress, UnloadedPairsAreReadAgainAndTheirNeighboursAreNot) {
  ShardProgress progress;
  progress.set_mode(ShardProgress::Mode::kReading);
  progress.StartReading(7, {});
  for (const Seq seq : {1, 3, 4, 6}) progress.Owe(seq);
  // 1 and 4 are on the wire; 3 and 6 only wait in memory; 2 and 5 were settled.
  progress.Unload({3, 6});
  EXPECT_EQ(progress.scan(), 3U);
  EXPECT_TRUE(progress.above_scan());
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(1, 2, 5));
  EXPECT_FALSE(progress.ReadPast(3));
  EXPECT_TRUE(progress.ReadPast(4));  // On the wire: not to be sent twice.
  EXPECT_TRUE(progress.ReadPast(5));
  EXPECT_FALSE(progress.ReadPast(6));
}

TEST(ShardProgress, WhatSettlesAheadOfAnUnloadedScanIsRemembered) {
  ShardProgress progress;
  progress.set_mode(ShardProgress::Mode::kReading);
  progress.StartReading(5, {});
  for (const Seq seq : {2, 4}) progress.Owe(seq);
  progress.Unload({2});
  progress.Settle(4);
  EXPECT_THAT(Read(progress.Row(1, 0)), ElementsAre(2, 3, 4));
}

TEST(ShardProgress, WindowIsNoWiderThanARowCanSay) {
  ShardProgress progress;
  progress.Owe(10);
  EXPECT_FALSE(progress.WindowFull(10 + kReaderWindowMax - 1));
  EXPECT_TRUE(progress.WindowFull(10 + kReaderWindowMax));
}

TEST(ShardProgress, ARowNeverSaysMoreThanItCan) {
  ShardProgress progress;
  progress.Owe(1);
  progress.StartReading(1 + kReaderWindowMax + 500, {2 + kReaderWindowMax + 600});
  EXPECT_EQ(progress.Row(1, 0).next_seq, 1U);
}

TEST(ShardProgress, WhatIsOnTheWireAboveTheScanCounts) {
  ShardProgress progress;
  progress.set_mode(ShardProgress::Mode::kReading);
  progress.StartReading(3, {});
  for (const Seq seq : {1, 2}) progress.Owe(seq);
  EXPECT_FALSE(progress.above_scan());
  progress.Unload({1});
  EXPECT_TRUE(progress.above_scan());  // 2 is on the wire.
  progress.ReadPast(1);
  EXPECT_TRUE(progress.above_scan());
  progress.ReadPast(2);
  EXPECT_FALSE(progress.above_scan());
}

}  // namespace
}  // namespace postrider
