#include "gateway/deliver/response_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"

namespace postrider {
namespace {

using State = ResponseReader::State;

// Feeds `bytes` in pieces of `piece` bytes until the response ends.
State Feed(ResponseReader* reader, absl::string_view bytes, size_t piece) {
  State state = reader->state();
  while (!bytes.empty() && state != State::kFailed && state != State::kDone) {
    const absl::Span<char> space = reader->Space();
    const size_t size = std::min({piece, bytes.size(), space.size()});
    bytes.copy(space.data(), size);
    bytes.remove_prefix(size);
    state = reader->Commit(size);
  }
  return state;
}

TEST(ResponseReader, ReadsTheSameHoweverItIsCut) {
  const std::string responses[] = {
      "HTTP/1.1 503 No\r\nRetry-After: 7\r\nDate: d\r\nKeep-Alive: timeout=5\r\n"
      "Content-Length: 5\r\n\r\nabcde",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nretry-after: 7\r\ndate: d\r\n"
      "keep-alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nRetry-After: 9\r\n\r\n",
  };
  for (const std::string& response : responses) {
    for (size_t piece = 1; piece <= response.size(); ++piece) {
      ResponseReader reader;
      reader.Begin(3);
      ASSERT_EQ(Feed(&reader, response, piece), State::kDone) << piece << reader.error();
      EXPECT_TRUE(reader.has_status());
      EXPECT_EQ(reader.status(), 503);
      EXPECT_EQ(reader.retry_after(), "7");
      EXPECT_EQ(reader.date(), "d");
      EXPECT_EQ(reader.keep_alive_header(), "timeout=5");
      EXPECT_EQ(reader.kept_body(), "abc");
      EXPECT_EQ(reader.body_bytes(), 5U);
      EXPECT_TRUE(reader.keep_alive());
      EXPECT_FALSE(reader.has_leftover());
    }
  }
}

TEST(ResponseReader, TellsTheStatusBeforeTheBody) {
  ResponseReader reader;
  reader.Begin(10);
  EXPECT_FALSE(reader.begun());
  EXPECT_EQ(Feed(&reader, "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n", 100), State::kHeader);
  EXPECT_TRUE(reader.begun());
  EXPECT_FALSE(reader.has_status());
  EXPECT_EQ(Feed(&reader, "\r\n", 100), State::kBody);
  EXPECT_TRUE(reader.has_status());
  EXPECT_TRUE(reader.length_is_over(16384));
  EXPECT_FALSE(reader.length_is_over(20000));
  EXPECT_EQ(Feed(&reader, "abc", 100), State::kBody);
  EXPECT_TRUE(reader.length_is_over(19999));
}

TEST(ResponseReader, AStatusStandsThoughTheBodyIsBroken) {
  ResponseReader reader;
  reader.Begin(10);
  EXPECT_EQ(Feed(&reader, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 1000),
            State::kFailed);
  EXPECT_TRUE(reader.has_status());
  EXPECT_EQ(reader.status(), 200);
}

TEST(ResponseReader, ABodyWithoutALengthEndsWithTheConnection) {
  ResponseReader reader;
  reader.Begin(10);
  EXPECT_EQ(Feed(&reader, "HTTP/1.0 200 OK\r\n\r\nabc", 1000), State::kBody);
  EXPECT_EQ(reader.End(), State::kDone);
  EXPECT_FALSE(reader.keep_alive());
  reader.Begin(10);
  EXPECT_EQ(Feed(&reader, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 1000), State::kBody);
  EXPECT_EQ(reader.End(), State::kFailed);
  reader.Begin(10);
  EXPECT_EQ(reader.End(), State::kFailed);
}

TEST(ResponseReader, HasNoBodyWhereThereCanBeNone) {
  for (const char* status : {"204", "304"}) {
    ResponseReader reader;
    reader.Begin(10);
    EXPECT_EQ(Feed(&reader, absl::StrCat("HTTP/1.1 ", status, " X\r\n\r\n"), 1000), State::kDone);
  }
}

TEST(ResponseReader, AHeaderIsBoundedHoweverItIsCut) {
  const size_t limit = kResponseHeaderBytesMax;
  const std::string start = "HTTP/1.1 200 OK\r\nX";
  ResponseReader reader;
  reader.Begin(10);
  ASSERT_EQ(Feed(&reader, start, start.size()), State::kHeader);
  size_t sent = start.size();
  // The parser has used up all but the `X` each time, and never looks for the header's end.
  constexpr absl::string_view kField = ": b\r\nX";
  while (Feed(&reader, kField, kField.size()) == State::kHeader && sent < 2 * limit) {
    sent += kField.size();
  }
  EXPECT_EQ(reader.state(), State::kFailed);
  EXPECT_LE(sent, limit);
  EXPECT_FALSE(reader.has_status());
}

TEST(ResponseReader, InterimResponsesAreOfTheHeader) {
  ResponseReader reader;
  reader.Begin(10);
  const std::string interim =
      absl::StrCat("HTTP/1.1 103 X\r\nA: ", std::string(3000, 'a'), "\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Feed(&reader, interim, interim.size()), State::kHeader) << i;
  }
  EXPECT_EQ(Feed(&reader, interim, interim.size()), State::kFailed);
}

TEST(ResponseReader, TheFramingOfABodyIsBounded) {
  ResponseReader reader;
  reader.Begin(10);
  const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(Feed(&reader, header, header.size()), State::kBody);
  const std::string chunk = absl::StrCat("1;", std::string(1000, 'e'), "\r\nx\r\n");
  size_t sent = header.size();
  while (Feed(&reader, chunk, chunk.size()) == State::kBody && sent < 2 * kResponseBytesMax) {
    sent += chunk.size();
  }
  EXPECT_EQ(reader.state(), State::kFailed);
  EXPECT_LE(sent, kResponseBytesMax);
  EXPECT_EQ(reader.error(), "the response is longer than 98304 bytes");
  EXPECT_TRUE(reader.has_status());
  // The next response has its own bounds.
  reader.Begin(10);
  EXPECT_EQ(reader.state(), State::kHeader);
}

TEST(ResponseReader, KnowsWhatIsLeftOver) {
  ResponseReader reader;
  reader.Begin(10);
  EXPECT_EQ(Feed(&reader, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP", 1000), State::kDone);
  EXPECT_TRUE(reader.has_leftover());
}

TEST(ResponseReader, ServesOneResponseAfterTheOther) {
  ResponseReader reader;
  for (int i = 0; i < 3; ++i) {
    reader.Begin(10);
    EXPECT_FALSE(reader.has_status());
    EXPECT_EQ(
        Feed(&reader, absl::StrCat("HTTP/1.1 20", i, " X\r\nContent-Length: 1\r\n\r\n", i), 9),
        State::kDone);
    EXPECT_EQ(reader.status(), 200 + i);
    EXPECT_EQ(reader.kept_body(), absl::StrCat(i));
    EXPECT_EQ(reader.retry_after(), "");
  }
}

}  // namespace
}  // namespace postrider
