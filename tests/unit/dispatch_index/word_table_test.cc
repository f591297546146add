#include "gateway/dispatch/word_table.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

TEST(WordTable, GivesOneNumberPerWord) {
  WordTable words;
  const WordTable::WordId a = words.Acquire("a");
  const WordTable::WordId b = words.Acquire("b");
  EXPECT_NE(a, WordTable::kUnknown);
  EXPECT_NE(a, b);
  EXPECT_EQ(words.Acquire("a"), a);
  EXPECT_EQ(words.Find("a"), a);
  EXPECT_EQ(words.Find("c"), WordTable::kUnknown);
}

TEST(WordTable, ForgetsAWordWhenNobodyUsesIt) {
  WordTable words;
  const WordTable::WordId a = words.Acquire("a");
  words.Acquire("a");
  words.Release(a);
  EXPECT_EQ(words.Find("a"), a);
  words.Release(a);
  EXPECT_EQ(words.Find("a"), WordTable::kUnknown);
  EXPECT_EQ(words.size(), 0u);
}

TEST(WordTable, DoesNotGrowWithWordsLongGone) {
  WordTable words;
  WordTable::WordId highest = 0;
  for (int i = 0; i < 1000; ++i) {
    const WordTable::WordId id = words.Acquire(absl::StrCat("word", i));
    highest = std::max(highest, id);
    words.Release(id);
  }
  EXPECT_EQ(highest, 1u);
}

}  // namespace
}  // namespace postrider
