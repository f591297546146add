#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/answers.h"
#include "gateway/base/clock.h"
#include "gateway/delivery_explanation.h"
#include "gateway/dispatch/engine.h"
#include "gateway/gateway.h"
#include "gateway/health_board.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/read_pool.h"
#include "gateway/subscription_registry.h"

namespace postrider {

// What people do to deliveries: looks at dead letters, sends them again, purges what is owed, and
// explains one delivery.
//
// Work on many exceptions goes in bounded steps, each a batch of one shard; the next one is made
// when it is committed, and the subscription's queue hears of each. Thread-safe. Everything that it
// is given outlives its calls.
class DeliveryAdmin {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    GroupCommit* commits = nullptr;
    ReadPool* reads = nullptr;
    Engine* engine = nullptr;
    const SubscriptionRegistry* registry = nullptr;
    const HealthBoard* health = nullptr;
  };

  explicit DeliveryAdmin(const Parts& parts) : parts_(parts) {}

  // As Gateway's calls of these names.
  void ListDeadLetters(const std::string& subscription_id, std::string page, size_t limit,
                       Gateway::Done<DeadLetterPage> done);
  void Redrive(RedriveOrder order, Gateway::Done<RedriveResult> done);
  void Purge(const PurgeOrder& order, Gateway::Done<uint64_t> done);
  void Explain(std::string organization, std::string event_id, const std::string& subscription_id,
               Gateway::Done<DeliveryExplanation> done);

 private:
  using Record = SubscriptionRegistry::Record;

  // A redrive or a purge under way.
  struct Work {
    Work(Record of, Gateway::Done<RedriveResult> then)
        : subscription(std::move(of)), done(std::move(then)) {}
    // Once; more calls have no effect.
    void Answer(absl::StatusOr<RedriveResult> result) {
      if (!std::exchange(answered, true)) done(std::move(result));
    }
    Record subscription;
    SureDone<RedriveResult> done;
    bool answered = false;
    RedriveResult so_far;
  };
  struct PurgeWork : Work {
    using Work::Work;
    std::vector<Seq> through;  // By shard.
    ShardId shard = 0;         // The next step's.
    PurgeExceptions step;
  };

  // Commits a step of `work`, tells the subscription's queue, then goes on with `next`; or answers,
  // if the gateway is stopping.
  using Next = std::function<void(const ExceptionChanges&)>;
  void Commit(const std::shared_ptr<Work>& work, Batch batch, Next next);
  void Finish(const std::shared_ptr<Work>& work);

  void RedriveOne(const RedriveOrder& order, const std::shared_ptr<Work>& work);
  void RedriveAfter(const std::string& page, const std::shared_ptr<Work>& work);
  void RedrivePage(const DeadLetterPage& page, const std::shared_ptr<Work>& work);

  // Makes what is owed until now end with a mark, then takes the exceptions away.
  void Mark(const PurgeOrder& order, Record current, int tries, Gateway::Done<uint64_t> done);
  void OnMarkTried(const PurgeOrder& order, const BatchResult& result, int tries,
                   Gateway::Done<uint64_t> done);
  void OnMarked(const PurgeOrder& order, Record marked, Gateway::Done<uint64_t> done);
  void PurgeNext(const std::shared_ptr<PurgeWork>& work);

  const Parts parts_;
};

}  // namespace postrider
