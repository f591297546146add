#include "gateway/accept/json_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

// The compact form of `text`, or the error.
std::string Compact(absl::string_view text) {
  std::string out;
  const absl::Status status = AppendCompactJson("field", text, &out);
  return status.ok() ? out : std::string(status.message());
}

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonText, DropsWhitespaceAndNothingElse) {
  EXPECT_EQ(
      Compact(" \t\r\n{ \"b\" : [ 1 , true , false , null , { } , [ ] ] , \"a\" : \"x y\" } \n"),
      R"({"b":[1,true,false,null,{},[]],"a":"x y"})");
  for (const char* text : {"0", "\"\"", "[]", "{}", "null", "true", "false", "[[],[{}]]"}) {
    EXPECT_EQ(Compact(text), text);
  }
}

TEST(JsonText, KeepsKeyOrderRepeatedKeysAndNumberText) {
  for (const char* text :
       {R"({"z":1,"a":2,"10":3,"2":4})", R"({"a":1,"a":2})", "12345678901234567890", "-0", "1e21",
        "1E+21", "1.0", "0.10", "-0.0e-0", "1e400", "9007199254740993", "[1,-1,0.5e7]"}) {
    EXPECT_EQ(Compact(text), text);
  }
}

TEST(JsonText, EscapesStringsAsStringify) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("\u00e9\u00E9é")", R"("ééé")"},
      {R"("\/\"\\")", R"("/\"\\")"},
      {R"("\b\f\n\r\t")", R"("\b\f\n\r\t")"},
      {R"("\u0008\u000C\u000a\u000D\u0009")", R"("\b\f\n\r\t")"},
      {R"("\u0000\u001F\u0022\u005c\u002F")", R"("\u0000\u001f\"\\/")"},
      {R"("\u0041\u007f\u0080\u2028")", "\"A\x7F\xC2\x80\u2028\""},
      {R"("\uD83D\uDE00\ud83d\ude00")", R"("😀😀")"},
      {R"("\uDBFF\uDFFF\uFFFF")", "\"\xF4\x8F\xBF\xBF\xEF\xBF\xBF\""},
      {R"("\uD83D")", R"("\ud83d")"},
      {R"("\uDE00\uD83D")", R"("\ude00\ud83d")"},
      {R"("\uD83D\uD83D\uDE00")", R"("\ud83d😀")"},
      {R"("\uD83Dx\uDE00")", R"("\ud83dx\ude00")"},
      {R"("\uD83D\n")", R"("\ud83d\n")"},
      {R"({"\u006b":1})", R"({"k":1})"},
  };
  for (const auto& [text, compact] : cases) {
    EXPECT_EQ(Compact(text), compact) << text;
  }
}

TEST(JsonText, NamesTheByteOfWhatIsMalformed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "0: the text ends too early"},
      {"  ", "2: the text ends too early"},
      {"\xEF\xBB\xBF{}", "0: expected a value"},
      {"{", "1: the text ends too early"},
      {"{]", "1: expected a key in quotes"},
      {"{a:1}", "1: expected a key in quotes"},
      {"{'a':1}", "1: expected a key in quotes"},
      {R"({"a" 1})", "5: expected ':'"},
      {R"({"a":})", "5: expected a value"},
      {R"({"a":1,})", "7: expected a key in quotes"},
      {R"({"a":1]})", "6: expected ',' or '}'"},
      {R"({"a":1)", "6: the text ends too early"},
      {"[1,]", "3: expected a value"},
      {"[1 2]", "3: expected ',' or ']'"},
      {"[1}", "2: expected ',' or ']'"},
      {"[,]", "1: expected a value"},
      {"]", "0: expected a value"},
      {"1 2", "2: more text after the value"},
      {"{}{}", "2: more text after the value"},
      {"nul", "0: expected a value"},
      {"nulls", "4: more text after the value"},
      {"True", "0: expected a value"},
      {"NaN", "0: expected a value"},
      {"-Infinity", "1: expected a digit"},
      {"01", "0: a number begins with 0"},
      {"-01", "1: a number begins with 0"},
      {"+1", "0: expected a value"},
      {".5", "0: expected a value"},
      {"1.", "2: the text ends too early"},
      {"1.e5", "2: expected a digit"},
      {"1e", "2: the text ends too early"},
      {"[1e+]", "4: expected a digit"},
      {"-", "1: the text ends too early"},
      {"0x10", "1: more text after the value"},
      {"/**/1", "0: expected a value"},
      {R"("abc)", "4: a string without its closing quote"},
      {R"("a\)", "3: the text ends too early"},
      {R"("a\x")", "2: an unknown escape"},
      {R"("\u12g4")", "1: \\u without four hex digits"},
      {R"("\u12)", "1: \\u without four hex digits"},
      {"\"a\nb\"", "2: a control character in a string"},
      {std::string("\"\0\"", 3), "1: a control character in a string"},
      {std::string("1\0", 2), "1: more text after the value"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_EQ(Compact(text), absl::StrCat("field: malformed JSON at byte ", problem)) << text;
  }
}

TEST(JsonText, RefusesInvalidUtf8) {
  EXPECT_EQ(Compact("\"ab\xC3\""), "field: invalid UTF-8 at byte 3: not a UTF-8 sequence");
  EXPECT_EQ(Compact("{\"\xED\xA0\x80\":1}"),
            "field: invalid UTF-8 at byte 2: not a UTF-8 sequence");
  EXPECT_EQ(Compact("\"\xC0\xAF\""), "field: invalid UTF-8 at byte 1: not a UTF-8 sequence");
  EXPECT_EQ(Compact("\"\xF0\x9F\x98"), "field: invalid UTF-8 at byte 1: not a UTF-8 sequence");
}

TEST(JsonText, BoundsTheDepth) {
  EXPECT_EQ(Compact(Nested(64)), Nested(64));
  EXPECT_EQ(Compact(Nested(65)), "field: JSON at byte 64: nested deeper than 64");
  std::string objects;
  for (int i = 0; i < 64; ++i) objects += "{\"a\":";
  EXPECT_EQ(Compact(absl::StrCat(objects, "1", std::string(64, '}'))),
            absl::StrCat(objects, "1", std::string(64, '}')));
  EXPECT_EQ(Compact(absl::StrCat(objects, "[]", std::string(64, '}'))),
            "field: JSON at byte 320: nested deeper than 64");
  EXPECT_EQ(Compact(std::string(1'000'000, '[')), "field: JSON at byte 64: nested deeper than 64");
  EXPECT_EQ(Compact(absl::StrCat("[", Nested(60), ",", Nested(63), "]")),
            absl::StrCat("[", Nested(60), ",", Nested(63), "]"));
}

// Objects and arrays of each depth are told apart, also after deeper ones were closed.
TEST(JsonText, RemembersWhatIsOpen) {
  EXPECT_EQ(Compact(R"([{"a":[1,{"b":2}],"c":3},4])"), R"([{"a":[1,{"b":2}],"c":3},4])");
  EXPECT_EQ(Compact(R"([{"a":[1}])"), "field: malformed JSON at byte 8: expected ',' or ']'");
  EXPECT_EQ(Compact(R"({"a":[1,{"b":2}]])"),
            "field: malformed JSON at byte 16: expected ',' or '}'");
  EXPECT_EQ(Compact(R"({"a":[],1})"), "field: malformed JSON at byte 8: expected a key in quotes");
}

TEST(JsonText, LeavesTheOutputAloneOnAnError) {
  std::string out = "before";
  EXPECT_FALSE(AppendCompactJson("f", R"({"a":[1,2,)", &out).ok());
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(AppendCompactJson("f", "[1]", &out).ok());
  EXPECT_EQ(out, "before[1]");
}

}  // namespace
}  // namespace postrider
