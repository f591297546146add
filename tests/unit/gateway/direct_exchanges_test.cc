// Goal: exchanges beside the deliveries are bounded, answer whatever happens, and give their place
// on. Method: a poster that answers when it is told to.
#include "gateway/direct_exchanges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "tests/support/manual_loop.h"

namespace postrider {
namespace {

class ScriptedRandom final : public Random {
 public:
  uint64_t Next() override { return ++last_; }

 private:
  uint64_t last_ = 0;
};

class HeldPoster final : public Poster {
 public:
  std::shared_ptr<const Endpoint> Prepare(const Subscription&) override {
    return std::make_shared<Endpoint>();
  }
  void Post(PostRequest request, Done done) override {
    posts.push_back(std::move(request));
    held.push_back(std::move(done));
  }
  void Challenge(std::shared_ptr<const Endpoint>, std::string challenge, Done done) override {
    challenges.push_back(std::move(challenge));
    held.push_back(std::move(done));
  }
  void AnswerNext() {
    Done done = std::move(held.front());
    held.pop_front();
    std::move(done)(PostResult());
  }

  std::vector<PostRequest> posts;
  std::vector<std::string> challenges;
  std::deque<Done> held;
};

class DirectExchangesTest : public testing::Test {
 protected:
  DirectExchangesTest()
      : exchanges_(
            [this](const std::string&) {
              return Engine::LoopParts{.loop = &loop_, .poster = &poster_};
            },
            &random_) {}

  // Notes the answers.
  DirectExchanges::Done Note() {
    return
        [this](const absl::StatusOr<PostResult>& result) { answers_.push_back(result.status()); };
  }
  void Test() {
    exchanges_.Test(std::make_shared<const Subscription>(), std::make_shared<const Event>(),
                    Note());
    loop_.Run();
  }
  void Challenge() {
    exchanges_.Challenge(std::make_shared<const Subscription>(), Note());
    loop_.Run();
  }
  void ChallengeNow() {
    exchanges_.ChallengeNow(std::make_shared<const Subscription>(), Note());
    loop_.Run();
  }
  void AnswerNext() {
    poster_.AnswerNext();
    loop_.Run();
  }
  void ExpectRefused() {
    ASSERT_FALSE(answers_.empty());
    EXPECT_EQ(answers_.back().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(answers_.back().GetPayload(kRetryPayload).has_value());
  }

  std::vector<absl::Status> answers_;  // First: what is still held answers at its end.
  ManualLoop loop_;
  HeldPoster poster_;
  ScriptedRandom random_;
  DirectExchanges exchanges_;
};

TEST_F(DirectExchangesTest, ATestKeepsTheResponse) {
  Test();
  ASSERT_EQ(poster_.posts.size(), 1U);
  EXPECT_TRUE(poster_.posts[0].keep_response);
  EXPECT_EQ(poster_.posts[0].attempt_number, 1);
  AnswerNext();
  EXPECT_THAT(answers_, testing::ElementsAre(absl::OkStatus()));
}

TEST_F(DirectExchangesTest, TestsBeyondTheirLimitAreRefusedUntilOneIsOver) {
  for (size_t i = 0; i < kTestsMax; ++i) Test();
  EXPECT_EQ(poster_.posts.size(), kTestsMax);
  EXPECT_TRUE(answers_.empty());
  Test();
  ExpectRefused();
  EXPECT_EQ(poster_.posts.size(), kTestsMax);
  AnswerNext();
  Test();
  EXPECT_EQ(poster_.posts.size(), kTestsMax + 1);
}

TEST_F(DirectExchangesTest, ChallengesBeyondTheirLimitWaitUnlessTheyAreForNow) {
  for (size_t i = 0; i < kChallengesMax + 1; ++i) Challenge();
  EXPECT_EQ(poster_.challenges.size(), kChallengesMax);
  ChallengeNow();
  ExpectRefused();
  AnswerNext();  // Its place goes to the one that waits.
  EXPECT_EQ(poster_.challenges.size(), kChallengesMax + 1);
  ChallengeNow();
  ExpectRefused();
  AnswerNext();
  ChallengeNow();
  EXPECT_EQ(poster_.challenges.size(), kChallengesMax + 2);
  EXPECT_NE(poster_.challenges[0], poster_.challenges[1]);
}

TEST_F(DirectExchangesTest, WhatIsDroppedIsAnswered) {
  Test();
  ChallengeNow();
  poster_.held.clear();
  EXPECT_EQ(answers_.size(), 2U);
  for (const absl::Status& answer : answers_) EXPECT_TRUE(absl::IsUnavailable(answer)) << answer;
}

}  // namespace
}  // namespace postrider
