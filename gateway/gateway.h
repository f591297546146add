#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/accept/event_input.h"
#include "gateway/base/limits.h"
#include "gateway/model/event.h"
#include "gateway/model/health.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"
#include "gateway/store/store.h"

namespace postrider {

// What a gateway is to do, and how much it may take. Read once, at the start.
struct GatewayOptions {
  // --- Behaviour ---
  std::string data_dir = "data";
  size_t body_bytes_max = kBodyBytesMaxDefault;  // kBodyBytesMaxFloor to kBodyBytesMaxCeiling.
  std::vector<std::string> allow_cidrs;  // Addresses that may be delivered to although not public.
  bool allow_http = false;               // Whether URLs may be http and not only https.
  std::vector<absl::Duration> default_schedule;  // Empty: the built-in one.
  // How long events are kept (C7): kRetentionMin to …Max, and kRetentionMargin more than the
  // longest schedule, also of the subscriptions that there are.
  absl::Duration retention = kRetentionDefault;
  std::string ca_file;  // PEM roots for subscribers' certificates; empty: the system's.

  // --- Performance ---
  uint32_t shard_count = 16;  // Fixed at the store's creation: another number refuses to start.
  int loops = 0;              // 0: half of the cores, at least 1.
  int store_readers = 2;
  int max_in_flight_default = 10;                            // Per subscription.
  int max_in_flight_total = kInFlightTotalDefault;           // kInFlightTotalMin to …Max.
  int max_in_flight_per_origin = kInFlightPerOriginDefault;  // 1 to kInFlightPerOriginMax.
  uint64_t store_free_bytes_min = 256ULL * 1024 * 1024;
};

struct PublishReceipt {
  Uuid id;
  absl::Time accept_time;
  bool duplicate = false;
};

// Which fields of a subscription an update sets.
struct SubscriptionUpdate {
  Subscription subscription;       // `id` says which one.
  std::vector<std::string> paths;  // Names of proto fields, validated by the caller's schema.
  std::string etag;                // Empty: whatever version.
};

// Which subscription a call is about, and in which version.
struct SubscriptionTarget {
  std::string id;
  std::string etag;           // Empty: whatever version.
  bool skip_backlog = false;  // Resume and Enable: what is in the log is not owed any more.
};

// A new secret for a subscription.
struct SecretRotation {
  std::string id;
  std::string etag;                                // Empty: whatever version.
  std::string secret;                              // Empty: one is generated.
  absl::Duration overlap = kSecretOverlapDefault;  // How long the others still sign; 0 to 7 days.
};

struct SubscriptionTest {
  std::string id;
  std::string etag;     // Empty: whatever version.
  bool enable = false;  // Enable the subscription if the exchange is a success.
};

// What came of a test.
struct TestedSubscription {
  std::shared_ptr<const Subscription> subscription;  // As it is afterwards.
  Uuid event_id;
  PostResult result;  // With the response's beginning, also of a success.
};

struct ListSubscriptionsQuery {
  std::string organization;
  std::string after_id;  // Empty: from the beginning.
  size_t limit = 50;
};

// Which dead letters of a subscription to send again: that of one event, or, if no event is given,
// all. Those whose event has expired are left out.
struct RedriveOrder {
  std::string subscription_id;
  std::string organization;
  std::string event_id;
};

struct RedriveResult {
  uint64_t rows = 0;  // Redriven.
  bool more = false;  // Others are left: a call redrives at most kRedriveMax.
};

// What a subscription is not owed any more, of all that is accepted until now.
struct PurgeOrder {
  std::string subscription_id;
  PurgeFilter filter;              // Empty: everything.
  bool dead_letters_only = false;  // What waits stays owed.
};

struct DeliveryExplanation;  // delivery_explanation.h

// A stretch of the past that is to be sent to a subscription once more (C5).
struct ReplayWish {
  std::string subscription_id;
  absl::Time since;
  std::optional<absl::Time> until;       // Unset: now.
  std::vector<std::string> event_types;  // Patterns; empty: whatever the subscription wants.
  double rate = 0;                       // Events a second; 0: no limit.
};

// What a replay would send.
struct ReplayCount {
  uint64_t events = 0;
  uint64_t examined = 0;
  bool complete = true;  // False: kReplayCountedMax were examined, and there are more.
};

// The engine: owns the stages, wires them, starts and stops them; the only class that sees all.
//
// Every call may come from any thread and never blocks; `done` is called exactly once, from some
// thread of the engine's or before returning.
class Gateway {
 public:
  template <typename T>
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;

  // Opens the store, recovers, starts the threads. Fails if the data directory is locked by another
  // process or not a store of this version and shard count.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(GatewayOptions options);

  // Stop() must have been called.
  ~Gateway();

  // Checks, translates and appends. OK: the event is durable. Errors: INVALID_ARGUMENT (the field
  // is named), ALREADY_EXISTS (the id is known with other content), RESOURCE_EXHAUSTED and
  // UNAVAILABLE (with the time to wait; nothing was stored).
  //
  // `gate` as GroupCommit::Gate: who publishes in an order refuses with it what would overtake an
  // event that was refused.
  using PublishGate = std::function<absl::Status()>;
  void Publish(EventInput event, Done<PublishReceipt> done, PublishGate gate = nullptr);

  void GetEvent(std::string organization, std::string id, Done<LogEntry> done);
  void ListEvents(EventQuery query, Done<std::vector<LogEntry>> done);
  void ListAttemptsOfEvent(std::string organization, std::string event_id, std::string page,
                           size_t limit, Done<AttemptPage> done);
  void ListAttemptsOfSubscription(std::string subscription_id, std::string page, size_t limit,
                                  Done<AttemptPage> done);

  // Those that matched no subscription when they came by.
  void ListUnmatchedEvents(EventQuery query, Done<EventPage> done);

  void ListDeadLetters(std::string subscription_id, std::string page, size_t limit,
                       Done<DeadLetterPage> done);
  // Answers with how many were redriven. One event: FAILED_PRECONDITION if it is no dead letter of
  // the subscription.
  void Redrive(RedriveOrder order, Done<RedriveResult> done);
  // Answers, once nothing of it is sent any more, with how many exceptions are gone. One that was
  // not answered may be done in part; it can be repeated. FAILED_PRECONDITION: kPurgeMarksMax
  // purges with other filters are in force.
  void Purge(PurgeOrder order, Done<uint64_t> done);
  void ExplainDelivery(std::string organization, std::string event_id, std::string subscription_id,
                       Done<DeliveryExplanation> done);

  // The answer comes when every loop has the change (C1). `subscription.id` may be empty; `secrets`
  // too, then one is generated. A repeated create with an id and equal content is OK.
  using SubscriptionDone = Done<std::shared_ptr<const Subscription>>;
  void CreateSubscription(Subscription subscription, SubscriptionDone done);
  void GetSubscription(std::string id, SubscriptionDone done);
  void ListSubscriptions(ListSubscriptionsQuery query,
                         Done<std::vector<std::shared_ptr<const Subscription>>> done);
  void UpdateSubscription(SubscriptionUpdate update, SubscriptionDone done);
  void DeleteSubscription(std::string id, std::string etag, Done<bool> done);

  // Each touches one fact and no other (C6). What changes nothing writes nothing, and is OK.
  // ABORTED if an etag is given and is not the current one.
  void PauseSubscription(SubscriptionTarget target, SubscriptionDone done);
  // FAILED_PRECONDITION if it is disabled.
  void ResumeSubscription(SubscriptionTarget target, SubscriptionDone done);
  void EnableSubscription(SubscriptionTarget target, SubscriptionDone done);
  // Challenges the URL now; one whose verification is kNone is answered as it is.
  // FAILED_PRECONDITION with what came instead of the echo, RESOURCE_EXHAUSTED beyond
  // kChallengesMax under way.
  void VerifySubscription(SubscriptionTarget target, SubscriptionDone done);

  // POSTs a sample event at once, in whatever state; OK whatever came of it. RESOURCE_EXHAUSTED
  // beyond kTestsMax under way.
  void TestSubscription(SubscriptionTest test, Done<TestedSubscription> done);

  // The new secret is the last one of the answer's. INVALID_ARGUMENT on `secret` and `overlap`;
  // FAILED_PRECONDITION if more than kSecretsMax have not ended.
  void RotateSecret(SecretRotation rotation, SubscriptionDone done);

  // How a subscriber has been answering; none if nothing is known. Thread-safe; not stored.
  std::optional<SubscriptionHealth> HealthOf(SubscriptionNumber number) const;

  // Replays. Starting one is answered when it is durable, canceling one when every loop knows.
  // FAILED_PRECONDITION: the subscription has kReplaysUnfinishedMax already.
  void StartReplay(ReplayWish wish, Done<ReplayRecord> done);
  void CountReplay(ReplayWish wish, Done<ReplayCount> done);
  void GetReplay(std::string id, Done<ReplayRecord> done);
  void ListReplays(std::string subscription_id, Done<std::vector<ReplayRecord>> done);
  void CancelReplay(std::string id, Done<ReplayRecord> done);

  // The string id of a subscription; empty if it was deleted. Thread-safe.
  std::string SubscriptionIdOf(SubscriptionNumber number) const;

  // Looks whether the delivering threads still run. To be called about once a second, by one
  // thread, until Stop().
  void Tick();
  // For how long a delivering thread has not answered, at the longest; about Tick()'s interval, or
  // less, while all is well. Thread-safe.
  absl::Duration Silence() const;

  // Prometheus text of all metrics.
  std::string MetricsText() const;

  // Refuses new publishes and commits what is queued; finishes what is on the wire within `budget`.
  // Once; more calls have no effect.
  void Stop(absl::Duration budget);

 private:
  class Impl;
  explicit Gateway(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The etag of a subscription's version: a quoted string, as HTTP's.
std::string EtagOf(const Subscription& subscription);

}  // namespace postrider
