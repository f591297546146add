#include "gateway/accept/names.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

TEST(Names, Organizations) {
  for (const char* name : {"5c138790ec944f05ff5f6d77", "a", "Acme.EU_1:~x@y-z"}) {
    EXPECT_TRUE(ValidateOrganization("organization", name).ok()) << name;
  }
  EXPECT_TRUE(ValidateOrganization("o", std::string(kOrganizationBytesMax, 'a')).ok());
  EXPECT_EQ(ValidateOrganization("o", std::string(kOrganizationBytesMax + 1, 'a')).message(),
            "o: 129 bytes; the limit is 128");
  EXPECT_EQ(ValidateOrganization("o", "").message(), "o: required");
  for (const char* name : {" ", "a b", "a#b", "a/b", "a\"", "a\n", "é", "\x7F"}) {
    EXPECT_FALSE(ValidateOrganization("o", name).ok()) << name;
  }
}

TEST(Names, SubscriptionIds) {
  for (const char* id : {"a", "0", "a-b", "my-hook-2"}) {
    EXPECT_TRUE(ValidateSubscriptionId("id", id).ok()) << id;
  }
  EXPECT_TRUE(ValidateSubscriptionId("id", std::string(63, 'a')).ok());
  for (const std::string& id : {std::string(), std::string("-a"), std::string("a-"),
                                std::string("A"), std::string("a_b"), std::string(64, 'a')}) {
    EXPECT_FALSE(ValidateSubscriptionId("id", id).ok()) << id;
  }
}

TEST(Names, TextHasNoControlCharacters) {
  EXPECT_TRUE(ValidateText("t", "Héllo 😀\u00A0", 64).ok());
  EXPECT_EQ(ValidateText("t", "a\nb", 64).message(), "t: a control character at byte 1");
  EXPECT_EQ(ValidateText("t", "é\x7F", 64).message(), "t: a control character at byte 2");
  EXPECT_EQ(ValidateText("t", "a\u0085", 64).message(), "t: a control character at byte 1");
  EXPECT_EQ(ValidateText("t", "ab\xFF", 64).message(), "t: invalid UTF-8 at byte 2");
  EXPECT_EQ(ValidateText("t", "abc", 2).message(), "t: 3 bytes; the limit is 2");
  EXPECT_TRUE(ValidateProse("t", "two\nlines", 64).ok());
}

TEST(Names, PathsStayReadable) {
  EXPECT_EQ(MapEntryPath("data", "message"), "data[\"message\"]");
  EXPECT_EQ(MapEntryPath("data", "a\"\n"), "data[\"a\\\"\\n\"]");
  EXPECT_LT(MapEntryPath("data", std::string(100000, 'x')).size(), 100u);
  EXPECT_EQ(ElementPath("targets", 3), "targets[3]");
}

}  // namespace
}  // namespace postrider
