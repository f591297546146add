#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/accept/json_text.h"
#include "gateway/accept/utf8.h"

namespace postrider {
namespace {

constexpr int kRounds = 20000;
constexpr uint32_t kSeed = 20181219;

const std::vector<std::string>& Corpus() {
  static const auto* const corpus = new std::vector<std::string>{
      R"({"id":"5c1a974dabcdb128d0e90e93","text":"Héllo <b> 😀","n":[0,-0,1e21,0.5]})",
      R"([[[[{"a":{"b":[{}, [], null, true, false]}}]]]])",
      R"("\ud83d\ude00\u0000\n\/\"\\\b\f\r\t\ud83d")",
      "  {\t\"a\" :\r\n -12.50E-3 , \"\" : \"\xF4\x8F\xBF\xBF\" }  ",
      std::string(62, '[') + "1" + std::string(62, ']'),
  };
  return *corpus;
}

std::string Mutate(std::string text, std::mt19937* random) {
  static constexpr char kSpiceText[] = "{}[]\",:\\u0123456789.eE+-tfn \n\0\x80\xC3\xED\xF0\xFF";
  static constexpr absl::string_view kSpice(kSpiceText, sizeof(kSpiceText) - 1);
  const auto below = [random](size_t bound) { return (*random)() % bound; };
  const size_t changes = 1 + below(4);
  for (size_t i = 0; i < changes && !text.empty(); ++i) {
    const size_t place = below(text.size());
    switch (below(5)) {
      case 0: text[place] = kSpice[below(kSpice.size())]; break;
      case 1: text.insert(place, 1, kSpice[below(kSpice.size())]); break;
      case 2: text.erase(place, 1 + below(3)); break;
      case 3: text.insert(place, text, below(text.size()), below(20)); break;
      default: text.resize(place);
    }
  }
  return text;
}

// What must hold whatever comes in.
void Check(const std::string& text) {
  std::string out = "before";
  const absl::Status status = AppendCompactJson("f", text, &out);
  if (!status.ok()) {
    ASSERT_EQ(out, "before");
    ASSERT_TRUE(absl::StrContains(status.message(), " at byte ")) << status;
    return;
  }
  const std::string compact = out.substr(6);
  ASSERT_LE(compact.size(), text.size());
  ASSERT_TRUE(IsValidUtf8(compact));
  std::string again;
  ASSERT_TRUE(AppendCompactJson("f", compact, &again).ok());
  ASSERT_EQ(again, compact);
}

TEST(JsonTextFuzz, HoldsUnderMutation) {
  std::mt19937 random(kSeed);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = Mutate(Corpus()[random() % Corpus().size()], &random);
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    ASSERT_NO_FATAL_FAILURE(Check(text));
    std::string ignored;
    accepted += AppendCompactJson("f", text, &ignored).ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, kRounds / 50);  // The mutations reach both sides.
  EXPECT_LT(accepted, kRounds / 2);
}

TEST(JsonTextFuzz, HoldsForEveryPrefix) {
  for (const std::string& text : Corpus()) {
    for (size_t size = 0; size <= text.size(); ++size) {
      // A copy of its own, so that the sanitizer sees a read behind the end.
      ASSERT_NO_FATAL_FAILURE(Check(std::string(text.data(), size)));
    }
  }
}

}  // namespace
}  // namespace postrider
