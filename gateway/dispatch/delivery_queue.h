#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/delivery_order.h"
#include "gateway/dispatch/messages.h"
#include "gateway/dispatch/outcome_record.h"
#include "gateway/dispatch/read_budget.h"
#include "gateway/dispatch/replay_lanes.h"
#include "gateway/dispatch/retry_lane.h"
#include "gateway/dispatch/shard_progress.h"
#include "gateway/dispatch/subscriber_health.h"
#include "gateway/dispatch/subscription_directory.h"
#include "gateway/dispatch/suspects.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"
#include "gateway/store/store.h"

namespace postrider {

// What one subscription is owed, and the order in which it goes out.
//
// First attempts come from the tails of the shards or from its own reading, retries from its
// exceptions. Lives on one loop and does no I/O: the Dispatcher sends what Next() says, reads what
// NextRead() and NextLoad() say, stores what OnResult() returns and reports each step back.
class DeliveryQueue {
 public:
  struct Options {
    int max_in_flight_default = 10;                // How far slow start goes (T4).
    std::vector<absl::Duration> default_schedule;  // Empty: the built-in one.
    size_t read_bytes_max = kReadBytesMax;         // Of the process; the Engine parts it.
    // How long events are kept (C7). No delivery gets older than a day less.
    absl::Duration retention = absl::InfiniteDuration();
    absl::Duration first_deletion = absl::Hours(1);  // How long after the start.
  };

  // `options`, `directory`, `suspects` and `outbox` are the loop's and outlive this.
  DeliveryQueue(std::shared_ptr<const Subscription> subscription, const Options* options,
                const SubscriptionDirectory* directory, const Suspects* suspects, Outbox* outbox);

  // --- Configuration and recovery ---
  void Configure(std::shared_ptr<const Subscription> subscription, absl::Time now);
  void RestoreHealth(const SubscriptionHealth& health) { health_.Restore(health); }
  void RestoreReader(const ReaderRow& row);
  void RestoreExceptions(const NextDue& next_due) { retries_.Restore(next_due); }
  void RestoreBlockedKey(const BlockedKey& blocked) { order_.Restore(blocked); }
  const Subscription& subscription() const { return *subscription_; }

  // --- Messages from shards ---
  void OnPair(PairMessage message);
  // From now on ReaderRowOf() of the shard has a value; it must be written. `epoch`: a number that
  // no earlier leave had.
  void OnLeave(const LeaveMessage& message, uint64_t epoch);
  // Wants to leave the shard's tail, if it is there and has not asked yet.
  void AskLeave(ShardId shard);
  // Granted: the reader row must be erased, after all that was submitted before.
  void OnRejoinAnswer(const RejoinAnswerMessage& message);

  // --- Sending ---
  // How far the wall clock is ahead of the times that are given here, which are without its steps
  // (T5); negative: behind. Accept and expire times are the wall clock's.
  void SetWallOffset(absl::Duration offset) { wall_offset_ = offset; }
  // Ends the waits that are over: at the beginning of each turn, before anything is asked.
  void OnTime(absl::Time now) { health_.OnTime(now); }
  // The next exchange to make, if one may begin. It is in flight until OnResult(). With
  // `wire_is_empty` nothing is on the wire of the whole loop, so that a suspect may go (E8).
  std::optional<Exchange> Next(absl::Time now, absl::Duration monotonic, bool wire_is_empty = true);
  // Whether Next() gave nothing for that reason.
  bool waits_to_run_alone() const { return waits_to_run_alone_; }
  // What the exchange leaves behind; nothing if it was our own fault: it will be tried again (E7).
  std::optional<OutcomeRecord> OnResult(Exchange exchange, const PostResult& result, absl::Time now,
                                        absl::Duration monotonic, double chance);
  // Makes a parked exception of what waits behind a failed delivery of its key (E4), until there is
  // nothing to park. To be called before Next() and WantsRejoin().
  std::optional<OutcomeRecord> NextParked();
  // A parked exception waits for `due_time` from now on.
  void OnReleased(ShardId shard, absl::Time due_time) { retries_.OnReleased(shard, due_time); }
  // The record is committed.
  void OnCommitted(ShardId shard, const CommittedOutcome& outcome, AttemptSeq attempt_head);

  // --- Reading by itself ---
  struct Read {
    ShardId shard = 0;
    Seq after = 0;
    size_t bytes = 0;  // At most, or one event.
  };
  std::optional<Read> NextRead(absl::Duration monotonic, size_t bytes = kReaderPageBytes);
  void OnRead(const Read& read, const absl::StatusOr<std::vector<LogEntry>>& entries,
              absl::Duration monotonic);
  // A shard whose log is read to the end: it should be asked to take the subscription back, once
  // all outcomes so far have been submitted, with AskRejoin().
  std::optional<ShardId> WantsRejoin() const;
  void AskRejoin(ShardId shard);

  // Whether outcomes in `shard` come with a position of our own.
  bool ReadsItself(ShardId shard) const;
  // The position to write with the next outcomes in `shard`: null while its tail feeds us.
  std::optional<ReaderRow> ReaderRowOf(ShardId shard) const;
  // Which leave the row of now belongs to; OnRowCommitted() wants it back.
  uint64_t EpochOf(ShardId shard) const;
  void OnRowCommitted(ShardId shard, uint64_t epoch);

  // --- Retries ---
  std::optional<RetryLane::Load> NextLoad(absl::Time now, size_t rows = kLoadedExceptionsMax);
  void OnLoaded(const RetryLane::Load& load, absl::StatusOr<std::vector<DueException>> rows,
                absl::Time now);
  // Exceptions in the shard were redriven or purged, and that is committed.
  void OnExceptionsChanged(ShardId shard, const ExceptionChanges& changes, absl::Time now);

  // --- Replays (delivery_queue_replays.cc) ---
  void StartReplay(const ReplayRecord& record) { replays_.Start(record); }
  void CancelReplay(OriginId replay);
  std::optional<ReplayRead> NextReplayRead(absl::Duration monotonic,
                                           size_t bytes = kReaderPageBytes);
  void OnReplayRead(const ReplayRead& read, const absl::StatusOr<std::vector<LogEntry>>& entries,
                    absl::Time now, absl::Duration monotonic);
  // The position to write with the next outcomes of the replay; none: it is not running.
  std::optional<ReplayPosition> ReplayPositionOf(OriginId replay, ShardId shard) const {
    return replays_.PositionOf(replay, shard);
  }
  // One that is finished, once: it must be recorded as done.
  std::optional<OriginId> TakeFinishedReplay() { return replays_.TakeFinished(); }

  // --- Retention (delivery_queue_retention.cc) ---
  // Where the shards' logs begin, by shard. Whether something is lost to it by that.
  bool OnLogBegins(const std::vector<Seq>& first_seqs);
  // An exception of its was not written as one that waits or is parked.
  void OnLate(const LateException& late);
  // Whether something has expired with its event since this was last asked.
  bool TakeExpired() { return std::exchange(expired_, false); }

  // --- How the subscriber does ---
  const SubscriptionHealth& health() const { return health_.state(); }
  // Monotonic: since when it has asked to wait, again and again, while it is owed something.
  std::optional<absl::Duration> throttled_since() const {
    return retries_.waiting() > 0 ? health_.throttled_since() : std::nullopt;
  }
  HealthChanges TakeHealthChanges() { return health_.TakeChanges(); }

  // When something may be to do that no event announces. Wall clock: the next retry that is due, or
  // the end of a wait (a probe is due, the subscriber may be sent to again).
  absl::Time next_due() const;
  // Monotonic: end of a pause after a fault of ours, the next look for new events, when the rate
  // lets an exchange begin, or the time of a first attempt that the schedule delays; nullopt: none.
  std::optional<absl::Duration> next_poll(absl::Time now, absl::Duration monotonic) const;

  // --- What it holds in memory that it has read by itself, for the ReadBudget ---
  // Of the log: ready or on the wire, and the full page that is being read.
  size_t page_bytes() const {
    return read_entries_.bytes() +
           (reading_ && reading_bytes_ == kReaderPageBytes ? reading_bytes_ : 0);
  }
  size_t retry_bytes() const { return retries_.held_bytes(); }
  size_t replay_bytes() const { return replays_.held_bytes(); }

  // Nothing waits, nothing is in flight, nothing is read: it can be forgotten and made anew.
  bool idle(absl::Duration monotonic) const;
  size_t ready() const { return ready_.size(); }
  int in_flight() const { return in_flight_; }
  // Whether a pair of the shard at or below `seq` has no outcome yet.
  bool Owes(ShardId shard, Seq seq) const;
  uint64_t exceptions_waiting() const { return retries_.waiting(); }

 private:
  struct Lane {
    ShardProgress progress;
    uint64_t epoch = 0;  // Counts leaves.
    bool asked_to_leave = false;
    bool caught_up = false;    // The last page was the end of the log.
    Seq refused_at = 0;        // The oldest owed seq when rejoining was refused; 0: none.
    absl::Duration next_read;  // Monotonic: not before.
    absl::Duration poll_delay;
  };

  // Takes a pair that has come to where its order has it wait.
  void Accept(LogEntry entry);
  void MakeReady(std::optional<LogEntry> entry);
  // What follows from an outcome for those behind it in its order.
  void AdvanceOrder(const Exchange& exchange, const NextStep& step);
  // Of all pairs in memory that are not on the wire.
  size_t waiting_bytes() const { return ready_bytes_ + order_.held_bytes(); }
  bool MaySend(absl::Duration monotonic) const;
  bool MayRead() const;
  // Whether there is nothing to read in it.
  bool AtEnd(const Lane& lane) const;
  // Nothing may be sent now or be made ready for it.
  bool Rests() const { return !subscription_->may_send() || health_.waits(); }
  // Whether a probe must wait for a retry that is due and not in memory yet.
  bool RetryGoesFirst(absl::Time now) const { return health_.probing() && retries_.HasDue(now); }
  // When the first attempt in front may be made: the schedule's first wait after it was accepted.
  absl::Time FirstDue(absl::Time now) const;
  bool ExceptionsFull() const;
  // Of what kind the next exchange is; nullopt: none may begin.
  enum class Kind { kFirst, kRetry, kReplay };
  std::optional<Kind> NextKind(absl::Time now, absl::Duration monotonic) const;
  // Whether the next exchange of the kind is a suspect's.
  bool MustRunAlone(Kind kind, absl::Duration monotonic) const;
  WorkItem ItemOf(const LogEntry& entry) const {
    return postrider::ItemOf(subscription_->number, entry.shard, entry.seq);
  }
  // Whether an event of the log that was read is to be sent; one whose type may not be looked at
  // any more is, so that its turn makes it a dead letter (E8).
  bool WantsRead(const LogEntry& entry) const;
  Exchange StartFirst(absl::Time now);
  Exchange StartRetry(DueException exception, absl::Time now);
  Exchange StartReplayed(absl::Time now, absl::Duration monotonic);
  // Stamped, and marked if it is dead already.
  Exchange Started(Exchange exchange, absl::Time now) const;
  const std::vector<absl::Duration>& Schedule() const;
  absl::Time ExpireTime(const Exchange& exchange) const;
  // Why it is dead when it starts; kNone: it is to be sent.
  DeadReason DeadAtStart(const Exchange& exchange, absl::Time now) const;
  bool IsPurged(const Exchange& exchange) const;
  // Settles the ready pairs that a purge has taken from what is owed (C4).
  void DropNotOwed();
  // Tells the shard's tail that the pair is settled, if the tail waits for it.
  void TellSettled(ShardId shard, Seq seq, AttemptSeq attempt_head);
  void PutBack(Exchange exchange, absl::Duration monotonic);
  // What follows for the subscriber's health, and for the delivery.
  NextStep Judge(const Exchange& exchange, const PostResult& result,
                 const SubscriberHealth::Moment& now);
  // Leaves all tails if it has too much, or may not send for a while.
  void LeaveIfNeeded();
  // Forgets ready pairs of a lane that reads by itself, but for the first `keep`.
  void UnloadReady(ShardId shard, Lane& lane, size_t keep);
  void UnloadAll();

  std::shared_ptr<const Subscription> subscription_;
  const Options* const options_;
  const SubscriptionDirectory* const directory_;
  const Suspects* const suspects_;
  Outbox* const outbox_;

  std::deque<LogEntry> ready_;  // First attempts, in the order they came.
  size_t ready_bytes_ = 0;
  absl::flat_hash_map<ShardId, Lane> lanes_;
  DeliveryOrder order_;
  std::deque<LogEntry> to_park_;  // Became parked as they came.
  RetryLane retries_;
  SubscriberHealth health_;
  ReplayLanes replays_;
  bool expired_ = false;
  absl::Duration wall_offset_;
  int in_flight_ = 0;
  int uncommitted_ = 0;  // Outcomes submitted, or about to be.
  int retries_in_flight_ = 0;
  uint64_t turns_ = 0;  // Counts exchanges, for the shares of the lanes.
  bool waits_to_run_alone_ = false;
  bool reading_ = false;
  size_t reading_bytes_ = 0;  // What the read under way, or the last one, may bring.
  ReadEntries read_entries_;
  ShardId last_read_shard_ = 0;
  absl::Duration fault_until_;  // Monotonic: nothing is sent before (E7).
  absl::Duration fault_delay_;
};

}  // namespace postrider
