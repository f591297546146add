#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gateway/base/mutex.h"
#include "gateway/delivery_explanation.h"
#include "gateway/gateway.h"

namespace postrider {

// An engine of the tests' own behind the Gateway class: linked in its place. It keeps what it is
// given and answers at once, or, while it is held, when it is told to. Thread-safe.
class FakeEngine {
 public:
  struct Call {
    EventInput event;
    Gateway::Done<PublishReceipt> done;
    Gateway::PublishGate gate;
  };

  // A gateway that leads here. One at a time.
  std::unique_ptr<Gateway> MakeGateway();

  // From now on publishes wait for AnswerNext().
  void Hold() ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers the oldest that waits, with `status` if it is not OK, else with what its gate says now.
  // False if none waits.
  bool AnswerNext(const absl::Status& status = absl::OkStatus()) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes publishes of this type end with `status`, at once; OK: as the others again.
  void Refuse(const std::string& type, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns once `count` publishes have come in.
  void WaitForPublishes(size_t count) ABSL_LOCKS_EXCLUDED(mutex_);

  // The types and the ids of what came in, in order.
  std::vector<std::string> PublishedTypes() ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> PublishedIds() ABSL_LOCKS_EXCLUDED(mutex_);

  // What the last call of the other methods said; the subscriptions and events to answer with.
  std::map<std::string, Subscription> subscriptions;
  std::vector<LogEntry> events;
  AttemptPage attempts;
  EventPage unmatched;
  DeadLetterPage dead_letters;
  DeliveryExplanation explanation;
  RedriveOrder last_redrive;
  std::atomic<int> silence_seconds = 0;
  bool more_dead_letters = true;
  PurgeOrder last_purge;
  SubscriptionUpdate last_update;
  std::string last_call;  // Of those that take a target, or a test, or a rotation.
  SubscriptionTarget last_target;
  SubscriptionTest last_test;
  SecretRotation last_rotation;
  PostResult test_result;
  std::optional<SubscriptionHealth> health;
  ReplayRecord replay;  // The one that there is.
  ReplayCount replay_count;
  ReplayWish last_wish;
  std::string last_page;
  size_t last_limit = 0;

  // The Gateway's side.
  void Publish(Call call) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  static void Answer(Call call, const absl::Status& status);

  Mutex mutex_;
  CondVar came_;
  std::vector<std::string> types_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mutex_);
  std::deque<Call> held_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> refused_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace postrider
