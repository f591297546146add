#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gateway/answers.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/random.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/store/group_commit.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// Changes subscriptions: checks a wish, commits it in the order of events (C1), proves a new URL's
// owner where that is asked for, and answers when every loop knows.
//
// Thread-safe. Everything that it is given outlives its calls.
class SubscriptionAdmin {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    Random* random = nullptr;
    GroupCommit* commits = nullptr;
    Engine* engine = nullptr;
    std::vector<Engine::LoopParts> loops;
    const SubscriptionRegistry* registry = nullptr;
    const AddressGuard* guard = nullptr;
    bool allow_http = false;
  };
  using Record = SubscriptionRegistry::Record;
  using Done = Gateway::SubscriptionDone;

  explicit SubscriptionAdmin(Parts parts) : parts_(std::move(parts)) {}

  // As Gateway's calls of these names.
  void Create(Subscription subscription, Done done);
  void Update(SubscriptionUpdate update, Done done);
  void Delete(const std::string& id, const std::string& etag, Gateway::Done<bool> done);

  // Sends the challenge of an UNVERIFIED subscription; `done` gets it as it is afterwards.
  void Verify(Record subscription, Done done);

 private:
  // An UNVERIFIED subscription whose URL is asked for its consent.
  struct Challenge {
    Record subscription;
    SureDone<Record> done;
  };
  static constexpr int kChallengesMax = 64;  // Under way at a time; the others wait.

  // Completes and checks what is about to be stored.
  absl::Status Complete(Subscription& subscription) const;
  // What a create answers whose id exists: the same again, or `refusal`.
  absl::StatusOr<Record> Repeated(const Subscription& wish, const absl::Status& refusal) const;
  // What `update` makes of the subscription as it is now.
  absl::StatusOr<PutSubscription> Changed(const SubscriptionUpdate& update) const;
  void TryUpdate(std::shared_ptr<const SubscriptionUpdate> update, int tries, Done done);
  void Put(PutSubscription write, Done done);
  void AfterPut(Record subscription, Done done);
  void AnswerEverywhere(Record subscription, Done done);

  void Send(Challenge challenge);
  void SendNext() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnChallenged(Challenge challenge, const PostResult& result);

  const Parts parts_;
  Mutex mutex_;  // Between gRPC's threads, the store thread and the loops.
  int challenges_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Challenge> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace postrider
