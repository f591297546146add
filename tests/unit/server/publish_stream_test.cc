// Goal: a stream answers in order, each event by itself, holds to its bounds, and always ends.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postrider/v1/publisher.grpc.pb.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {
namespace {

using testing::ElementsAre;

v1::PublishStreamRequest RequestOf(uint64_t sequence, const std::string& type,
                                   const std::string& key = "") {
  v1::PublishStreamRequest request;
  request.set_sequence(sequence);
  request.mutable_event()->set_type(type);
  request.mutable_event()->set_organization("o");
  request.mutable_event()->set_ordering_key(key);
  return request;
}

class PublishStreamTest : public ServerTest {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>;

  PublishStreamTest()
      : stub_(v1::PublisherService::NewStub(channel_)), stream_(stub_->PublishStream(&context_)) {}

  // The next answer, as `sequence:code`; `end` if there is none.
  std::string Read() {
    v1::PublishStreamResponse response;
    if (!stream_->Read(&response)) return "end";
    return absl::StrCat(response.has_sequence() ? absl::StrCat(response.sequence()) : "none", ":",
                        response.error().code());
  }

  std::unique_ptr<v1::PublisherService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(PublishStreamTest, AnswersComeInOrderAndTheStreamEndsWithOk) {
  engine_.Hold();
  stream_->Write(RequestOf(10, "a"));
  stream_->Write(RequestOf(0, "b"));
  v1::PublishStreamRequest bad;
  stream_->Write(bad);  // Refused at once, yet answered in its turn.
  stream_->Write(RequestOf(5, "c"));
  stream_->WritesDone();
  engine_.WaitForPublishes(3);

  while (engine_.AnswerNext()) {
  }

  EXPECT_EQ(Read(), "10:0");
  EXPECT_EQ(Read(), "0:0");
  EXPECT_EQ(Read(), "none:3");
  EXPECT_EQ(Read(), "5:0");
  EXPECT_EQ(Read(), "end");
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_THAT(engine_.PublishedTypes(), ElementsAre("a", "b", "c"));
}

TEST_F(PublishStreamTest, AStreamWithoutEventsEndsWithOk) {
  stream_->WritesDone();
  EXPECT_EQ(Read(), "end");
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(PublishStreamTest, OneRefusedEventDoesNotEndTheStream) {
  engine_.Refuse("bad", InvalidField("type", "is bad"));
  stream_->Write(RequestOf(1, "bad"));
  v1::PublishStreamResponse response;
  ASSERT_TRUE(stream_->Read(&response));
  EXPECT_EQ(DetailOf<google::rpc::BadRequest>(response.error()).field_violations(0).field(),
            "event.type");
  stream_->Write(RequestOf(2, "a"));
  EXPECT_EQ(Read(), "2:0");
}

TEST_F(PublishStreamTest, KeepsTheOrderOfAKeyThatWasRefused) {
  engine_.Refuse("full", absl::UnavailableError("full"));
  stream_->Write(RequestOf(1, "full", "k"));
  EXPECT_EQ(Read(), "1:14");
  stream_->Write(RequestOf(2, "a", "k"));
  EXPECT_EQ(Read(), "2:10");
  stream_->Write(RequestOf(3, "a", "other"));
  EXPECT_EQ(Read(), "3:0");
}

TEST_F(PublishStreamTest, AnEventThatIsUnderWayIsNotLetPastARefusedOneOfItsKey) {
  engine_.Hold();
  stream_->Write(RequestOf(1, "a", "k"));
  stream_->Write(RequestOf(2, "b", "k"));
  stream_->Write(RequestOf(3, "c", "other"));
  engine_.WaitForPublishes(3);

  EXPECT_TRUE(engine_.AnswerNext(absl::UnavailableError("full")));
  EXPECT_TRUE(engine_.AnswerNext());
  EXPECT_TRUE(engine_.AnswerNext());

  EXPECT_EQ(Read(), "1:14");
  EXPECT_EQ(Read(), "2:10");
  EXPECT_EQ(Read(), "3:0");
}

TEST_F(PublishStreamTest, EndsWhenItCanHoldNoMoreKeys) {
  engine_.Refuse("full", absl::UnavailableError("full"));
  for (uint64_t i = 0; i < kRefusedKeysMax; ++i) {
    stream_->Write(RequestOf(i, "full", absl::StrCat("k", i)));
    ASSERT_EQ(Read(), absl::StrCat(i, ":14"));
  }
  stream_->Write(RequestOf(kRefusedKeysMax, "a", "other"));

  EXPECT_EQ(Read(), "end");
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "TOO_MANY_KEYS_REFUSED");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).retry_delay().seconds(), 1);
  EXPECT_EQ(engine_.PublishedTypes().size(), kRefusedKeysMax);
}

TEST_F(PublishStreamTest, ReadsNoFurtherWhileTooManyAreUnanswered) {
  engine_.Hold();
  for (uint64_t i = 0; i < kStreamUnackedEventsMax + 50; ++i) stream_->Write(RequestOf(i, "a"));
  stream_->WritesDone();
  engine_.WaitForPublishes(kStreamUnackedEventsMax);
  grpc::ClientContext context;  // Other calls go on; by then a bug would have shown.
  v1::PublishBatchRequest batch;
  v1::PublishBatchResponse ignored;
  EXPECT_FALSE(stub_->PublishBatch(&context, batch, &ignored).ok());
  EXPECT_EQ(engine_.PublishedTypes().size(), kStreamUnackedEventsMax);

  ASSERT_TRUE(engine_.AnswerNext());
  EXPECT_EQ(Read(), "0:0");
  engine_.WaitForPublishes(kStreamUnackedEventsMax + 1);
}

TEST_F(PublishStreamTest, ReadsNoFurtherWhileTooManyBytesAreUnanswered) {
  engine_.Hold();
  v1::PublishStreamRequest request = RequestOf(1, "a");
  (*request.mutable_event()->mutable_data())["x"].set_json(std::string(1024 * 1024, ' '));
  std::thread writer([this, &request] {
    for (int i = 0; i < 6; ++i) stream_->Write(request);
    stream_->WritesDone();
  });
  engine_.WaitForPublishes(4);
  grpc::ClientContext context;
  v1::PublishBatchResponse ignored;
  EXPECT_FALSE(stub_->PublishBatch(&context, {}, &ignored).ok());
  EXPECT_EQ(engine_.PublishedTypes().size(), 4u);

  for (size_t count = 4; count < 6; ++count) {
    ASSERT_TRUE(engine_.AnswerNext());
    EXPECT_EQ(Read(), "1:0");
    engine_.WaitForPublishes(count + 1);
  }
  writer.join();
}

TEST_F(PublishStreamTest, AClientThatNeverReadsIsCutOff) {
  std::atomic<bool> ended = false;
  std::thread writer([this, &ended] {
    while (stream_->Write(RequestOf(1, "a"))) {
    }
    ended = true;
  });
  while (!ended) {  // Most ticks come too early to find an answer stuck.
    clock_.Advance(kStreamUnreadAcksMax);
    server_->Tick();
    std::this_thread::yield();
  }
  writer.join();

  while (Read() != "end") {
  }
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(PublishStreamTest, AClientIsNotCutOffForAnEngineThatIsSlow) {
  engine_.Hold();
  stream_->Write(RequestOf(1, "a"));
  engine_.WaitForPublishes(1);
  clock_.Advance(absl::Hours(1));
  server_->Tick();

  ASSERT_TRUE(engine_.AnswerNext());

  EXPECT_EQ(Read(), "1:0");
}

TEST_F(PublishStreamTest, ACancelledStreamLetsTheEngineFinish) {
  engine_.Hold();
  stream_->Write(RequestOf(1, "a"));
  engine_.WaitForPublishes(1);
  context_.TryCancel();
  EXPECT_EQ(Read(), "end");
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);

  EXPECT_TRUE(engine_.AnswerNext());  // Into nothing.
}

TEST_F(PublishStreamTest, DrainingAnswersWhatWasReadAndEnds) {
  engine_.Hold();
  stream_->Write(RequestOf(1, "a"));
  stream_->Write(RequestOf(2, "b"));
  engine_.WaitForPublishes(2);

  server_->Drain();
  while (engine_.AnswerNext()) {
  }

  EXPECT_EQ(Read(), "1:0");
  EXPECT_EQ(Read(), "2:0");
  EXPECT_EQ(Read(), "end");
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).retry_delay().seconds(), 1);
}

TEST_F(PublishStreamTest, AStreamThatBeginsWhileDrainingEndsAtOnce) {
  server_->Drain();
  grpc::ClientContext context;
  const auto stream = stub_->PublishStream(&context);
  v1::PublishStreamResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace postrider
