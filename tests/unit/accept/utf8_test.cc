#include "gateway/accept/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace postrider {
namespace {

TEST(Utf8, AcceptsTheFirstAndLastOfEachLength) {
  for (const char* text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatIsNoSequence) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_EQ(ValidUtf8Prefix(text), 0u) << text;
  }
}

// Whatever stands before, the fast path of eight bytes and the slow one meet at the right place.
TEST(Utf8, FindsTheFirstBadByteAtEveryPlace) {
  for (size_t place = 0; place < 40; ++place) {
    std::string text(40, 'a');
    text[place] = '\xFF';
    EXPECT_EQ(ValidUtf8Prefix(text), place);
    text.replace(place, 1, "\xC3\xA9");
    EXPECT_TRUE(IsValidUtf8(text));
  }
}

TEST(Utf8, WritesCodePoints) {
  std::string text;
  for (const char32_t code_point : {U'a', U'é', U'€', U'😀', U'\uFFFF', U'\U0010FFFF'}) {
    AppendUtf8(code_point, &text);
  }
  EXPECT_EQ(text, "aé€😀\xEF\xBF\xBF\xF4\x8F\xBF\xBF");
}

}  // namespace
}  // namespace postrider
