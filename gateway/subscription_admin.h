#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
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
  // Completes and checks what is about to be stored.
  absl::Status Complete(Subscription& subscription) const;
  void Put(PutSubscription write, Done done);
  void AfterPut(Record subscription, Done done);
  void OnChallenged(Record subscription, const PostResult& result, Done done);
  void AnswerEverywhere(Record subscription, Done done);

  const Parts parts_;
};

}  // namespace postrider
