// Goal: a token leads to its own next page and to nothing else; texts and key orders hold to their
// bounds.
#include "server/page_token.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/event_service.pb.h"
#include "server/key_order.h"
#include "server/text.h"

namespace postrider {
namespace {

v1::ListEventsRequest Request(const std::string& organization) {
  v1::ListEventsRequest request;
  request.set_organization(organization);
  return request;
}

TEST(PageToken, LeadsToItsPosition) {
  v1::ListEventsRequest request = Request("o");
  request.set_page_token(EncodePageToken(request, "123"));
  request.set_page_size(7);  // May change between pages.

  EXPECT_EQ(*DecodePageToken(request), "123");
  EXPECT_EQ(*DecodePageToken(Request("o")), "");
}

TEST(PageToken, IsSafeInUrls) {
  EXPECT_THAT(EncodePageToken(Request("o"), "\xFF\xFE?>/+"),
              testing::MatchesRegex("[A-Za-z0-9_=-]+"));
}

TEST(PageToken, OfAnotherRequestIsRefused) {
  v1::ListEventsRequest request = Request("mine");
  request.set_page_token(EncodePageToken(Request("other"), "123"));
  EXPECT_EQ(DecodePageToken(request).status().code(), absl::StatusCode::kInvalidArgument);
  request = Request("mine");
  request.set_page_token(EncodePageToken(request, "123"));
  request.set_type("a.b");
  EXPECT_EQ(DecodePageToken(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PageToken, MadeUpOnesAreRefused) {
  for (const char* token : {"x", "####", "AAAA", "0000000000000000"}) {
    v1::ListEventsRequest request = Request("o");
    request.set_page_token(token);
    EXPECT_EQ(DecodePageToken(request).status().code(), absl::StatusCode::kInvalidArgument)
        << token;
  }
}

TEST(PageSize, HasADefaultAndABound) {
  EXPECT_EQ(*PageSize(0), kPageSizeDefault);
  EXPECT_EQ(*PageSize(1), 1u);
  EXPECT_EQ(*PageSize(1'000'000), kPageSizeMax);
  EXPECT_FALSE(PageSize(-1).ok());
}

TEST(Text, InvalidBytesAreReplaced) {
  EXPECT_EQ(ValidUtf8("h\xC3\xA9llo"), "h\xC3\xA9llo");
  EXPECT_EQ(ValidUtf8("a\xFFz\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(Truncated("short", 5), "short");
  EXPECT_EQ(Truncated("longer", 5), "lo\xE2\x80\xA6");
  EXPECT_EQ(Truncated("\xC3\xA9\xC3\xA9\xC3\xA9", 5), "\xC3\xA9\xE2\x80\xA6");
}

TEST(KeyOrder, HoldsLaterEventsOfARefusedKey) {
  KeyOrder order;
  order.Note("o", "k", absl::UnavailableError("full"));

  EXPECT_EQ(order.Check("o", "k").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(order.Check("o", "other").ok());
  EXPECT_TRUE(order.Check("p", "k").ok());
}

TEST(KeyOrder, HoldsNothingForReasonsThatDoNotPassOrWithoutAKey) {
  KeyOrder order;
  order.Note("o", "k", absl::InvalidArgumentError("bad"));
  order.Note("o", "k", absl::AlreadyExistsError("taken"));
  order.Note("o", "", absl::UnavailableError("full"));

  EXPECT_TRUE(order.Check("o", "k").ok());
  EXPECT_TRUE(order.Check("o", "").ok());
}

TEST(KeyOrder, RemembersABoundedNumberAndThenHoldsAll) {
  KeyOrder order;
  for (int i = 0; i < 5000; ++i) {
    order.Note("o", std::to_string(i), absl::ResourceExhaustedError("quota"));
  }
  EXPECT_EQ(order.Check("o", "never seen").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(order.Check("o", "").ok());
}

}  // namespace
}  // namespace postrider
