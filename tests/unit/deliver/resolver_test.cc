#include "gateway/deliver/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "tests/support/manual_loop.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using Status = Resolution::Status;

Resolution Found(absl::Duration time_to_live) {
  Resolution resolution;
  resolution.status = Status::kOk;
  resolution.addresses = {IpAddress::V4(192, 0, 2, 1)};
  resolution.time_to_live = time_to_live;
  return resolution;
}

Resolution Not(Status status) {
  Resolution resolution;
  resolution.status = status;
  return resolution;
}

class ResolverTest : public testing::Test {
 protected:
  struct Asked {
    std::string name;
    absl::AnyInvocable<void(Resolution) &&> answer;
  };

  // Asks and keeps the question; the status goes to told_.
  void Ask(const std::string& name) {
    questions_.push_back(resolver_->Resolve(
        name, [this](const Resolution& resolution) { told_.push_back(resolution.status); }));
    loop_.Run();
  }

  Status AskAndAnswer(const std::string& name, Resolution answer) {
    Ask(name);
    std::move(asked_.back().answer)(std::move(answer));
    return told_.back();
  }

  // Asks for those of `count` names that are not known any more, and answers each with `answer`.
  void AskTheUnknown(const std::string& prefix, int count, const Resolution& answer) {
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat(prefix, i);
      if (resolver_->Cached(name) == nullptr) AskAndAnswer(name, answer);
    }
  }

  // How many were told that the server is at fault.
  int64_t Faults() const { return std::count(told_.begin(), told_.end(), Status::kServerFault); }

  ManualLoop loop_;
  std::vector<Asked> asked_;
  std::vector<Status> told_;
  std::vector<std::shared_ptr<Resolver::Question>> questions_;
  std::unique_ptr<Resolver> resolver_ =
      std::make_unique<Resolver>(&loop_, &loop_, [this](const std::string& name, auto done) {
        asked_.push_back({name, std::move(done)});
      });
};

TEST_F(ResolverTest, AsksOnceForAllWhoWait) {
  Ask("a.example");
  Ask("a.example");
  Ask("b.example");
  ASSERT_EQ(asked_.size(), 2U);
  EXPECT_EQ(asked_[0].name, "a.example");
  EXPECT_TRUE(told_.empty());
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  EXPECT_THAT(told_, ElementsAre(Status::kOk, Status::kOk));
}

TEST_F(ResolverTest, KeepsAnswersWithinBounds) {
  const auto kept = [this](const std::string& name, Resolution answer) {
    AskAndAnswer(name, std::move(answer));
    absl::Duration span;
    for (; resolver_->Cached(name) != nullptr; span += absl::Seconds(1)) {
      loop_.Advance(absl::Seconds(1));
    }
    return span;
  };
  EXPECT_EQ(kept("a", Found(absl::ZeroDuration())), absl::Seconds(30));
  EXPECT_EQ(kept("b", Found(absl::Seconds(45))), absl::Seconds(45));
  EXPECT_EQ(kept("c", Found(absl::Hours(24))), absl::Seconds(60));
  EXPECT_EQ(kept("d", Not(Status::kNotFound)), absl::Seconds(5));
  EXPECT_EQ(kept("e", Not(Status::kFailed)), absl::Seconds(5));
  EXPECT_EQ(kept("f", Not(Status::kServerFault)), absl::Seconds(1));
  // And asks again.
  AskAndAnswer("a", Found(absl::ZeroDuration()));
  EXPECT_NE(resolver_->Cached("a"), nullptr);
}

TEST_F(ResolverTest, GivesUpInTimeAndIgnoresWhatComesLater) {
  Ask("slow.example");
  loop_.Advance(kResolveTimeout - absl::Milliseconds(1));
  EXPECT_TRUE(told_.empty());
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(told_, ElementsAre(Status::kFailed));
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  EXPECT_THAT(told_, ElementsAre(Status::kFailed));
  EXPECT_EQ(resolver_->Cached("slow.example")->status, Status::kFailed);
}

TEST_F(ResolverTest, AnOldAnswerIsNotTheNextQuestions) {
  Ask("slow.example");
  loop_.Advance(kResolveTimeout + kResolutionFailureKept);
  Ask("slow.example");
  ASSERT_EQ(asked_.size(), 2U);
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  EXPECT_EQ(told_.size(), 1U);
  std::move(asked_[1].answer)(Not(Status::kNotFound));
  EXPECT_THAT(told_, ElementsAre(Status::kFailed, Status::kNotFound));
}

TEST_F(ResolverTest, AWithdrawnQuestionIsNotAnswered) {
  Ask("a.example");
  Ask("a.example");
  questions_[0].reset();
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ResolverTest, TheToldMayAskAgain) {
  Ask("a.example");
  auto inner = resolver_->Resolve("a.example", [this](const Resolution&) {
    questions_.clear();
    for (int i = 0; i < 100; ++i) {
      questions_.push_back(resolver_->Resolve(absl::StrCat("n", i), [](const Resolution&) {}));
    }
  });
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  loop_.Run();
  EXPECT_EQ(asked_.size(), 101U);
}

TEST_F(ResolverTest, WithoutAddressesThereIsNothing) {
  EXPECT_EQ(AskAndAnswer("a.example", Not(Status::kOk)), Status::kNotFound);
}

TEST_F(ResolverTest, ASingleFailingNameIsTheSubscribersFault) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(AskAndAnswer("bad.example", Not(Status::kFailed)), Status::kFailed);
    loop_.Advance(kResolutionFailureKept);
  }
}

TEST_F(ResolverTest, WhenMostNamesFailItIsOurs) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(AskAndAnswer(absl::StrCat("bad", i), Not(Status::kFailed)), Status::kFailed);
  }
  EXPECT_EQ(AskAndAnswer("bad4", Not(Status::kFailed)), Status::kServerFault);
  // Later they do not count any more.
  loop_.Advance(kResolverWindow + absl::Seconds(1));
  EXPECT_EQ(AskAndAnswer("bad5", Not(Status::kFailed)), Status::kFailed);
}

TEST_F(ResolverTest, HalfOfTheNamesIsNotMost) {
  for (int i = 0; i < 3; ++i) {
    AskAndAnswer(absl::StrCat("good", i), Found(absl::Minutes(1)));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(AskAndAnswer(absl::StrCat("bad", i), Not(Status::kFailed)), Status::kFailed);
  }
  EXPECT_EQ(AskAndAnswer("bad3", Not(Status::kFailed)), Status::kServerFault);
}

TEST_F(ResolverTest, AMinorityThatFailsOftenIsNotMost) {
  for (int second = 0; second < 180; ++second) {
    AskTheUnknown("good", 20, Found(kResolutionKeptMax));
    AskTheUnknown("bad", 8, Not(Status::kFailed));
    loop_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(Faults(), 0);
}

TEST_F(ResolverTest, AFaultOfOursShowsBeforeAllNamesAreForgotten) {
  AskTheUnknown("good", 20, Found(kResolutionKeptMin));
  for (absl::Duration time; time <= kResolutionKeptMin; time += absl::Seconds(1)) {
    loop_.Advance(absl::Seconds(1));
    AskTheUnknown("good", 20, Not(Status::kFailed));
  }
  EXPECT_GT(Faults(), 0);
}

TEST_F(ResolverTest, ANameThatRecoversCountsNoMore) {
  for (int i = 0; i < 4; ++i) {
    AskAndAnswer(absl::StrCat("name", i), Not(Status::kFailed));
  }
  loop_.Advance(kResolutionFailureKept);
  for (int i = 0; i < 4; ++i) {
    AskAndAnswer(absl::StrCat("name", i), Found(kResolutionKeptMax));
  }
  EXPECT_EQ(AskAndAnswer("name4", Not(Status::kFailed)), Status::kFailed);
}

TEST_F(ResolverTest, NamesThatDoNotExistAreNotOurFault) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(AskAndAnswer(absl::StrCat("gone", i), Not(Status::kNotFound)), Status::kNotFound);
  }
}

TEST_F(ResolverTest, OutlivesNoAnswer) {
  Ask("a.example");
  resolver_.reset();
  std::move(asked_[0].answer)(Found(absl::Minutes(1)));
  loop_.Advance(absl::Minutes(1));
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace postrider
