#include "gateway/direct_exchanges.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

absl::Status TooMany(absl::string_view what, size_t limit) {
  return WithRetry(absl::ResourceExhaustedError(
                       absl::StrCat("too many ", what, " are under way; the limit is ", limit)),
                   absl::Seconds(1));
}

}  // namespace

// --- Challenges ----------------------------------------------------------------------------------

void DirectExchanges::Challenge(Record subscription, Done done) {
  Job job{.subscription = std::move(subscription), .done = SureDone<PostResult>(std::move(done))};
  bool refused = false;
  {
    const MutexLock lock(&mutex_);
    if (challenges_under_way_ < kChallengesMax) {
      ++challenges_under_way_;
    } else if (waiting_.size() < kChallengesWaitingMax) {
      waiting_.push_back(std::move(job));
      return;
    } else {
      refused = true;
    }
  }
  if (refused) {
    job.done(TooMany("challenges", kChallengesWaitingMax));
  } else {
    SendChallenge(std::move(job));
  }
}

void DirectExchanges::ChallengeNow(Record subscription, Done done) {
  if (!BeginChallenge()) {
    std::move(done)(TooMany("challenges", kChallengesMax));
    return;
  }
  SendChallenge(
      {.subscription = std::move(subscription), .done = SureDone<PostResult>(std::move(done))});
}

bool DirectExchanges::BeginChallenge() {
  const MutexLock lock(&mutex_);
  if (challenges_under_way_ >= kChallengesMax) {
    return false;
  }
  ++challenges_under_way_;
  return true;
}

void DirectExchanges::SendChallenge(Job job) {
  const Engine::LoopParts home = home_of_url_(job.subscription->url);
  std::string token = absl::StrFormat("%016x%016x", random_->Next(), random_->Next());
  home.loop->Post(
      [this, poster = home.poster, token = std::move(token), job = std::move(job)]() mutable {
        std::shared_ptr<const Endpoint> endpoint = poster->Prepare(*job.subscription);
        auto answer = [this, done = std::move(job.done)](PostResult result) mutable {
          EndChallenge();
          done(std::move(result));
        };
        poster->Challenge(std::move(endpoint), std::move(token), std::move(answer));
      });
}

// The place goes to who has waited longest.
void DirectExchanges::EndChallenge() {
  std::optional<Job> next;
  {
    const MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      --challenges_under_way_;
      return;
    }
    next.emplace(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  SendChallenge(*std::move(next));
}

// --- Tests ---------------------------------------------------------------------------------------

void DirectExchanges::Test(Record subscription, std::shared_ptr<const Event> event, Done done) {
  if (!BeginTest()) {
    std::move(done)(TooMany("tests", kTestsMax));
    return;
  }
  SendTest({.subscription = std::move(subscription), .done = SureDone<PostResult>(std::move(done))},
           std::move(event));
}

bool DirectExchanges::BeginTest() {
  const MutexLock lock(&mutex_);
  if (tests_under_way_ >= kTestsMax) {
    return false;
  }
  ++tests_under_way_;
  return true;
}

void DirectExchanges::SendTest(Job job, std::shared_ptr<const Event> event) {
  const Engine::LoopParts home = home_of_url_(job.subscription->url);
  PostRequest request{.event = std::move(event), .attempt_number = 1, .keep_response = true};
  home.loop->Post([this, poster = home.poster, request = std::move(request),
                   job = std::move(job)]() mutable {
    request.endpoint = poster->Prepare(*job.subscription);
    poster->Post(std::move(request), [this, done = std::move(job.done)](PostResult result) mutable {
      EndTest();
      done(std::move(result));
    });
  });
}

void DirectExchanges::EndTest() {
  const MutexLock lock(&mutex_);
  --tests_under_way_;
}

}  // namespace postrider
