#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/random.h"
#include "gateway/dispatch/delivery_queue.h"
#include "gateway/dispatch/log_pages.h"
#include "gateway/dispatch/messages.h"
#include "gateway/dispatch/outcome_buffer.h"
#include "gateway/dispatch/read_budget.h"
#include "gateway/dispatch/send_turns.h"
#include "gateway/dispatch/shard_tail.h"
#include "gateway/dispatch/steady_time.h"
#include "gateway/dispatch/subscription_directory.h"
#include "gateway/dispatch/subscription_events.h"
#include "gateway/dispatch/suspects.h"
#include "gateway/model/poster.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/read_executor.h"

namespace postrider {

// What the engine's parts need from outside. All outlive the engine's work.
struct DispatchServices {
  const Clock* clock = nullptr;
  Random* random = nullptr;
  GroupCommit* commits = nullptr;
  ReadExecutor* reads = nullptr;
  SubscriptionEvents* events = nullptr;  // Null: nobody listens.
};

// How one loop reaches the others.
class Mesh {
 public:
  virtual ~Mesh() = default;
  virtual int LoopOfShard(ShardId shard) const = 0;
  // Hands `messages` to the dispatcher of `loop`. Thread-safe.
  virtual void Send(int loop, std::vector<Message> messages) = 0;
  // `bytes` of events that were handed over have left memory budgets (R6). Thread-safe.
  virtual void OnHandedOver(ShardId shard, size_t bytes) = 0;
};

// Counters of one loop, for metrics. Written on the loop, read anywhere.
struct DispatchCounters {
  std::atomic<uint64_t> delivered{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> dead{0};
  std::atomic<uint64_t> own_faults{0};
  std::atomic<uint64_t> quarantined{0};      // Of `dead`: by E8.
  std::atomic<uint64_t> events_given_up{0};  // Handed to nobody, since the start (E8).
  std::atomic<int64_t> suspects{0};
  std::atomic<int64_t> in_flight{0};
  std::atomic<int64_t> queues{0};
  std::atomic<int64_t> waiting_for_turn{0};
  std::atomic<int64_t> waiting_for_origin{0};
  std::atomic<int64_t> waiting_for_share{0};
  std::atomic<int64_t> exceptions_waiting{0};
  std::atomic<int64_t> read_bytes{0};  // As in ReadBudget::used().
  // Since when the oldest has been due, or will be, by lane; in nanoseconds of the monotonic clock.
  // Times and not ages: a loop that hangs does not change them, and they show it.
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> tail_due{kNever};
  std::atomic<int64_t> retry_due{kNever};
  std::atomic<int64_t> throttled_due{kNever};
};

// Everything that happens on one loop: the tails of its shards, the queues of its subscriptions,
// and the I/O that both ask for.
//
// Each entry is one turn: it changes the parts that it concerns, then EndTurn() lets those act that
// have something to do, and sends what they said. All calls but counters() are made on the loop.
class Dispatcher final : private Outbox {
 public:
  // A change of the configuration as a loop sees it; a null subscription was deleted.
  struct Configured {
    SubscriptionNumber number = 0;
    std::shared_ptr<const Subscription> subscription;
    int home = 0;
    std::vector<ReaderRow> readers;  // Of one that has just started, in the past (C2).
  };

  Dispatcher(Loop* loop, Poster* poster, const DispatchServices& services,
             const DeliveryQueue::Options& options, const SendTurns::Caps& caps, Mesh* mesh);

  // --- Before the loop runs ---
  void RestoreConfiguration(const std::vector<Configured>& subscriptions);
  void RestoreShard(ShardId shard, const ShardRecovery& recovery);
  void RestoreReader(const ReaderRow& row);
  void RestoreExceptions(const NextDue& next_due);
  void RestoreBlockedKey(const BlockedKey& blocked);
  void RestoreHealth(const StoredHealth& stored);
  void RestoreReplay(const ReplayRecord& record);
  // One of a subscription that lives here; or, without a subscription, of a shard. Last.
  void RestoreSuspect(const Suspect& suspect);

  // --- On the loop ---
  void Start();
  void OnConfigured(const std::vector<Configured>& changes);
  // After OnConfigured(): a subscription that lives here reads from these positions on.
  void OnFirstReaders(const std::vector<ReaderRow>& readers);
  // A replay of a subscription that lives here was created, or canceled.
  void OnReplay(const ReplayRecord& record);
  void OnEvents(const CommittedGroup::Shard& events);
  void OnHead(ShardId shard, Seq head);
  void OnMessages(std::vector<Message> messages);
  // Exceptions of a subscription that lives here were redriven or purged.
  void OnExceptionsChanged(SubscriptionNumber number, ShardId shard,
                           const ExceptionChanges& changes);
  // Where the shards' logs begin, by shard: what is older is deleted (C7).
  void OnLogBegins(const std::vector<Seq>& first_seqs);
  // Starts no more exchanges; calls `done` when none is on the wire and all outcomes are committed.
  void Drain(absl::AnyInvocable<void() &&> done);

  const SubscriptionDirectory& directory() const { return directory_; }
  const DispatchCounters& counters() const { return counters_; }

 private:
  struct Slot {
    Slot(std::shared_ptr<const Subscription> subscription, const DeliveryQueue::Options* options,
         const SubscriptionDirectory* directory, const Suspects* suspects, Outbox* outbox)
        : queue(std::move(subscription), options, directory, suspects, outbox) {}
    DeliveryQueue queue;
    std::shared_ptr<const Endpoint> endpoint;             // Made when first needed.
    absl::Time due = absl::InfiniteFuture();              // As in due_.
    absl::Duration poll = absl::InfiniteDuration();       // As in polls_.
    absl::Duration throttled = absl::InfiniteDuration();  // As in throttled_.
    uint64_t exceptions_counted = 0;
    bool loads_wait = false;     // Retries that are due wait for the read budget.
    bool limit_changed = false;  // Since it was shown.
    absl::Duration limit_shown;  // Monotonic.
  };

  // One reading of both clocks.
  struct Moment {
    absl::Time wall;  // Steady: no step of the wall clock is in it.
    absl::Duration monotonic;
  };

  void ToSubscription(SubscriptionNumber subscription, Message message) override;
  void ToShard(ShardId shard, Message message) override;

  // --- Turns ---
  void EndTurn();
  void RunTails();
  void RunTail(ShardTail& tail);
  void RunQueues();
  void ReadForTail(ShardId shard, Seq after);
  void OnTailRead(ShardId shard, const absl::StatusOr<std::vector<LogEntry>>& entries);
  void SendMessages();
  void Deliver(Message message);
  void FlushOutcomes();
  OutcomeBuffer::Row RowOf(SubscriptionNumber number, ShardId shard);
  void ArmTimer(const Moment& now);
  void OnTimer(absl::Duration timer);
  void TakeCursors();
  void UpdateGauges(const Moment& now);

  // --- Queues (dispatcher_queues.cc) ---
  Moment ReadClocks();
  absl::Time Now() { return ReadClocks().wall; }
  Slot* FindSlot(SubscriptionNumber number);
  Slot* SlotOf(SubscriptionNumber number);  // Makes one; null if the subscription was deleted.
  void RemoveSlot(SubscriptionNumber number);
  void RunQueue(SubscriptionNumber number, const Moment& now);
  // Starts exchanges in the order of turns, at most `limit`; adds those that had a turn to
  // `picked`.
  int StartExchanges(int limit, const Moment& now, absl::btree_set<SubscriptionNumber>* picked);
  bool StartExchange(SubscriptionNumber number, Slot& slot, const Moment& now);
  void Send(SubscriptionNumber number, Slot& slot, Exchange exchange, SendTurns::Origin* origin);
  void ContinueSoon();
  void Park(SubscriptionNumber number, Slot& slot, const Moment& now);
  void AddRecord(SubscriptionNumber number, const Slot& slot, ShardId shard, OutcomeRecord record,
                 absl::Duration monotonic);
  void StartReads(SubscriptionNumber number, Slot& slot, const Moment& now);
  void StartRead(SubscriptionNumber number, Slot& slot, size_t bytes, const Moment& now);
  void OnPage(const DeliveryQueue::Read& read, const LogPages::Page& page);
  void StartLoad(SubscriptionNumber number, Slot& slot, size_t rows, const Moment& now);
  bool WakeReader();
  void Finish(SubscriptionNumber number, Slot& slot, Exchange exchange, const PostResult& result);
  void OnPosted(SubscriptionNumber number, Exchange exchange, SendTurns::Origin* origin,
                const PostResult& result);
  void OnRead(SubscriptionNumber number, const DeliveryQueue::Read& read,
              const absl::StatusOr<std::vector<LogEntry>>& entries);
  void OnLoaded(SubscriptionNumber number, const RetryLane::Load& load,
                absl::StatusOr<std::vector<DueException>> rows);
  void OnOutcomesCommitted(const OutcomeNotices& notices, const OutcomeCommit& commit);

  // --- What others hear (dispatcher_health.cc) ---
  void TellHealth(SubscriptionNumber number, Slot& slot, absl::Duration monotonic);
  void TellDead(SubscriptionNumber number, const LogEntry& entry, const OutcomeRecord& record);

  // --- Retention (dispatcher_retention.cc) ---
  void TellExpired(SubscriptionNumber number, Slot& slot, absl::Time now);
  void TakeLate(const LateException& late);

  // Those who hold up a tail by themselves ask to leave it (R5).
  void LeaveTails();
  void UpdateAlarms(SubscriptionNumber number, Slot& slot, const Moment& now);
  void UpdateThrottled(SubscriptionNumber number, Slot& slot);
  bool MayStartExchange() const;
  void Wake(SubscriptionNumber number) { active_queues_.insert(number); }

  // --- What brought earlier processes down (dispatcher_suspects.cc) ---
  // Whether what is on the wire is there alone, or somebody waits for it to be empty.
  bool WireIsReserved() const;
  // Whose turn it is; whoever has waited for an empty wire comes first. Only if not
  // WireIsReserved().
  std::optional<SubscriptionNumber> NextInTurn(const Moment& now);
  void ForgetSuspect(const WorkItem& item, absl::Duration monotonic);
  // What is up to the cursor has been fanned out.
  void ForgetEvents(ShardId shard, Seq cursor, absl::Duration monotonic);
  void TellQuarantined(const Subscription& subscription, const LogEntry& entry);

  // --- Replays (dispatcher_replays.cc) ---
  bool StartReplayRead(SubscriptionNumber number, Slot& slot, size_t bytes, const Moment& now);
  void OnReplayRead(SubscriptionNumber number, const ReplayRead& read,
                    const absl::StatusOr<std::vector<LogEntry>>& entries);
  void EndReplays(Slot& slot);
  // Writes that it is done, until the store takes it.
  void EndReplay(OriginId replay);
  std::optional<ReplayPosition> PositionOf(const OutcomeBuffer::ReplayKey& key, ShardId shard);

  Loop* const loop_;
  Poster* const poster_;
  const DispatchServices services_;
  const DeliveryQueue::Options options_;
  Mesh* const mesh_;

  SubscriptionDirectory directory_;
  Suspects suspects_;
  absl::flat_hash_map<ShardId, std::unique_ptr<ShardTail>> tails_;
  absl::flat_hash_map<SubscriptionNumber, std::unique_ptr<Slot>> slots_;
  OutcomeBuffer outcomes_;
  SendTurns turns_;
  ReadBudget read_budget_;
  LogPages pages_;

  // Who may have something to do in this turn.
  absl::btree_set<ShardId> active_tails_;
  absl::btree_set<SubscriptionNumber> active_queues_;
  absl::btree_set<ShardId> tails_reading_;
  absl::btree_set<ShardId> tails_fanning_out_;  // In slices: the next one has been posted.
  std::vector<HoldsUpMessage> holding_up_;      // Of this turn.
  bool continues_soon_ = false;                 // A turn that starts more exchanges was posted.
  std::vector<std::vector<Message>> outgoing_;  // One a loop.

  // Alarms: what is to be looked at when.
  std::set<std::pair<absl::Time, SubscriptionNumber>> due_;
  std::set<std::pair<absl::Duration, SubscriptionNumber>> polls_;
  // Since when those have been held back that asked to wait and are owed something.
  std::set<std::pair<absl::Duration, SubscriptionNumber>> throttled_;
  std::set<absl::Duration> timers_;  // Monotonic; those under way.
  absl::Duration cursor_due_ = absl::InfiniteDuration();
  absl::Duration tail_age_due_ = absl::InfiniteDuration();

  SteadyTime time_;
  uint64_t leaves_ = 0;  // Numbers the leaves of all queues: their epochs.
  // What is on the wire is a suspect, alone; who waits to send one (E8).
  bool runs_alone_ = false;
  std::optional<SubscriptionNumber> waits_to_run_alone_;

  bool draining_ = false;
  absl::AnyInvocable<void() &&> drained_;
  DispatchCounters counters_;
};

}  // namespace postrider
