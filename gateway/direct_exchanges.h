#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "gateway/answers.h"
#include "gateway/base/mutex.h"
#include "gateway/base/random.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/model/poster.h"

namespace postrider {

// Exchanges with subscribers beside their deliveries: challenges, and tests. Each goes to the
// subscription's URL as it is now, over the loop on which that URL lives. So many of each are under
// way at a time.
//
// Thread-safe. `done` is called exactly once: on a loop with what came of the exchange, or else
// before returning or when the gateway stops, with a status. Everything that it is given outlives
// it.
class DirectExchanges {
 public:
  using Record = std::shared_ptr<const Subscription>;
  using Done = Gateway::Done<PostResult>;

  // Where a URL lives. Thread-safe.
  using HomeOfUrl = std::function<Engine::LoopParts(const std::string& url)>;

  DirectExchanges(HomeOfUrl home_of_url, Random* random)
      : home_of_url_(std::move(home_of_url)), random_(random) {}

  // Asks the URL for the echo of a new challenge, when it is its turn. RESOURCE_EXHAUSTED if
  // kChallengesWaitingMax wait for theirs.
  void Challenge(Record subscription, Done done) ABSL_LOCKS_EXCLUDED(mutex_);

  // The same at once. RESOURCE_EXHAUSTED with the time to wait if kChallengesMax are under way.
  void ChallengeNow(Record subscription, Done done) ABSL_LOCKS_EXCLUDED(mutex_);

  // POSTs `event`, and keeps the beginning of the response also of a success. RESOURCE_EXHAUSTED
  // with the time to wait if kTestsMax are under way.
  void Test(Record subscription, std::shared_ptr<const Event> event, Done done)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Job {
    Record subscription;
    SureDone<PostResult> done;
  };

  bool BeginChallenge() ABSL_LOCKS_EXCLUDED(mutex_);
  void SendChallenge(Job job);
  void EndChallenge() ABSL_LOCKS_EXCLUDED(mutex_);
  bool BeginTest() ABSL_LOCKS_EXCLUDED(mutex_);
  void SendTest(Job job, std::shared_ptr<const Event> event);
  void EndTest() ABSL_LOCKS_EXCLUDED(mutex_);

  const HomeOfUrl home_of_url_;
  Random* const random_;
  Mutex mutex_;  // Between gRPC's threads, the store thread and the loops.
  size_t challenges_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t tests_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Job> waiting_ ABSL_GUARDED_BY(mutex_);  // Challenges.
};

}  // namespace postrider
