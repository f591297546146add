#include "gateway/model/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"

namespace postrider {
namespace {

using testing::HasSubstr;

std::string Whsec(size_t bytes) {
  return "whsec_" + absl::Base64Escape(std::string(bytes, '\x9a'));
}

std::string Problem(const std::string& text) {
  const absl::Status status = ValidateSecret(text);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(Secret, AcceptsBothForms) {
  for (const std::string text :
       {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "zICWczLmAOEDvh1DiPGSHw==", "z3krut", "x",
        "It's a Secret to Everybody", "pässwörd 😀"}) {
    EXPECT_TRUE(ValidateSecret(text).ok()) << text;
  }
  EXPECT_TRUE(ValidateSecret(Whsec(24)).ok());
  EXPECT_TRUE(ValidateSecret(Whsec(64)).ok());
  EXPECT_TRUE(ValidateSecret(std::string(256, 'x')).ok());
}

TEST(Secret, RefusesOthers) {
  EXPECT_THAT(Problem(""), HasSubstr("1 to 256"));
  EXPECT_THAT(Problem(std::string(257, 'x')), HasSubstr("257 bytes"));
  EXPECT_THAT(Problem(Whsec(23)), HasSubstr("24 to 64"));
  EXPECT_THAT(Problem(Whsec(65)), HasSubstr("65"));
  for (const std::string text :
       {"whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI o2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa_-"}) {
    EXPECT_NE(Problem(text), "") << text;
  }
  for (const std::string text : {"a\nb", "a\x7f", "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80",
                                 "\xc2\x85", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THAT(Problem(text), HasSubstr("UTF-8")) << absl::CHexEscape(text);
  }
  EXPECT_FALSE(absl::StrContains(Problem("hunter2\n"), "hunter2"));
}

TEST(Secret, DerivesTwoKeys) {
  const SecretKeys keys = DeriveKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(keys.hub, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(absl::BytesToHexString(keys.webhook),
            "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0");
  const SecretKeys plain = DeriveKeys("zICWczLmAOEDvh1DiPGSHw==");
  EXPECT_EQ(plain.hub, "zICWczLmAOEDvh1DiPGSHw==");
  EXPECT_EQ(plain.webhook, plain.hub);
}

TEST(Secret, GeneratesOnesThatDifferAndAreValid) {
  class Counting final : public Random {
   public:
    uint64_t Next() override { return ++count_; }

   private:
    uint64_t count_ = 0;
  } random;
  const std::string first = GenerateSecret(&random);
  const std::string second = GenerateSecret(&random);
  EXPECT_TRUE(ValidateSecret(first).ok());
  EXPECT_NE(first, second);
  EXPECT_EQ(DeriveKeys(first).webhook.size(), 32U);
  EXPECT_EQ(absl::BytesToHexString(DeriveKeys(first).webhook).substr(0, 34),
            "0100000000000000020000000000000003");
}

TEST(Secret, RedactionShowsNothing) {
  EXPECT_EQ(RedactSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "whsec_********");
  EXPECT_EQ(RedactSecret("z3krut"), "********");
}

}  // namespace
}  // namespace postrider
