#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/direct_exchanges.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/store/group_commit.h"
#include "gateway/subscription_changes.h"
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
    absl::Duration retention = kRetentionDefault;
  };
  using Record = SubscriptionRegistry::Record;
  using Done = Gateway::SubscriptionDone;

  explicit SubscriptionAdmin(Parts parts);

  // As Gateway's calls of these names.
  void Create(Subscription subscription, Done done);
  void Update(SubscriptionUpdate update, Done done);
  void Delete(const std::string& id, const std::string& etag, Gateway::Done<bool> done);
  void Pause(SubscriptionTarget target, Done done);
  void Resume(SubscriptionTarget target, Done done);
  void Enable(SubscriptionTarget target, Done done);
  void Verify(const SubscriptionTarget& target, Done done);
  void Test(const SubscriptionTest& test, Gateway::Done<TestedSubscription> done);
  void RotateSecret(SecretRotation rotation, Done done);

  // Sends the challenge of an UNVERIFIED subscription; `done` gets it as it is afterwards.
  void Challenge(Record subscription, Done done);

 private:
  // What is to become of one subscription, whatever version it has by then.
  struct Wish {
    std::string id;
    std::string etag;
    std::function<Change(const Subscription& current)> change;
  };

  // The subscription as it is now. NOT_FOUND; ABORTED if it has another etag.
  absl::StatusOr<Record> Find(const std::string& id, const std::string& etag) const;
  // Completes and checks what is about to be stored.
  absl::Status Complete(Subscription& subscription) const;
  // What a create answers whose id exists: the same again, or `refusal`.
  absl::StatusOr<Record> Repeated(const Subscription& wish, const absl::Status& refusal) const;

  // Commits what the wish makes of the subscription. `done` gets it before every loop has it.
  void Apply(Wish wish, Done done);
  void TryApply(std::shared_ptr<const Wish> wish, int tries, Done done);
  void Put(PutSubscription write, Done done);
  // Before it calls `done`, waits for all loops, and for the answer to the challenge of one that is
  // UNVERIFIED.
  Done OnceEverywhere(Done done);
  Done OnceChallenged(Done done);
  void AnswerEverywhere(Record subscription, Done done);
  void AfterChallenge(const Record& challenged, const PostResult& result, Done done);
  void MarkVerified(const Record& challenged, Done done);
  void AfterTest(TestedSubscription answer, bool enable, Gateway::Done<TestedSubscription> done);

  const Parts parts_;
  DirectExchanges exchanges_;
};

}  // namespace postrider
