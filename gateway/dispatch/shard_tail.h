#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/messages.h"
#include "gateway/dispatch/subscription_directory.h"
#include "gateway/store/store.h"

namespace postrider {

// The newest stretch of a shard's log and the one position that all who keep up share.
//
// Takes events as they are committed, hands each to the subscriptions that want it, and moves the
// cursor over what is settled for all on the tail (R1, R2). Who holds the cursor back for too long
// reads by himself from then on (R5). Lives on one loop. Does no I/O: the Dispatcher feeds it,
// carries its messages, reads the log and submits the positions that it computes.
class ShardTail {
 public:
  // `directory` and `outbox` are the loop's and outlive this.
  ShardTail(ShardId shard, const ShardRecovery& recovery, const SubscriptionDirectory* directory,
            Outbox* outbox);

  // The event is handed to nobody: it has brought the process down too often (E8). Before it is
  // met; one that has been is not met again.
  void GiveUp(Seq seq) { given_up_.insert(seq); }

  // --- Events ---
  // New events, just committed; `now` is monotonic. What does not follow on what the tail has is
  // not taken: it will be read from the log (R6). Returns how many bytes of the hand-off are not
  // taken.
  size_t Receive(const std::vector<LogEntry>& entries, AttemptSeq attempt_head, absl::Duration now);
  // Committed events up to `head` exist; they are in the log only.
  void NoteHead(Seq head);
  // If events must be read from the log now: after which seq.
  std::optional<Seq> WantsLogAfter() const;
  // What was read after WantsLogAfter().
  void ReceiveRead(const std::vector<LogEntry>& entries, absl::Duration now);

  // Fans out until `pairs_max` pairs were sent in this turn, nothing is left, or the tail is as
  // long as it may be. True if there is more to do at once.
  bool FanOut(size_t pairs_max, absl::Duration now);

  // --- Messages and configuration ---
  void OnSettled(const SettledMessage& message);
  void OnAskLeave(const AskLeaveMessage& message);
  void OnLeft(const LeftMessage& message);
  void OnAskRejoin(const AskRejoinMessage& message, absl::Duration now);
  // Before the directory changes.
  void BeforeConfigured() { FinishFanOut(); }
  // After it has got a subscription that starts in the past: it reads by itself until it has caught
  // up (C2).
  void OnReader(SubscriptionNumber subscription) {
    members_[subscription].membership = Membership::kReading;
  }
  // After it has lost the subscription.
  void OnRemoved(SubscriptionNumber subscription);

  // Has those who have held the cursor for kTailAgeMax leave, if they are held up by themselves.
  // Returns when to ask again; nullopt: when something has changed.
  std::optional<absl::Duration> EnforceAge(absl::Duration now);

  // The position to make durable, if it has moved since it was last taken.
  std::optional<AdvanceCursor> TakeCursor();
  // Events at or below that position which matched nobody; to be written with it. Each once.
  std::vector<Seq> TakeUnmatched();
  bool cursor_moved() const { return cursor_ > cursor_taken_; }

  // For metrics and tests.
  ShardId shard() const { return shard_; }
  Seq head() const { return head_; }
  Seq cursor() const { return cursor_; }
  Seq next() const { return next_; }
  // Monotonic: since when the oldest unsettled event has been fanned out; nullopt: none.
  std::optional<absl::Duration> oldest_unsettled() const;
  // Bytes of hand-offs taken over but not fanned out yet; the part fanned out since the last call.
  size_t TakeFannedOutBytes();

 private:
  // Who holds the cursor at half of what the tail may be is asked to leave, so that the other half
  // lasts while his row is committed and nobody else has to wait.
  static constexpr uint64_t kLeaveEvents = kTailEventsMax / 2;
  static constexpr size_t kLeaveBytes = kTailBytesMax / 2;
  // Who owes more than one in so many of the events of a tail that is too long leaves in any case.
  static constexpr uint64_t kShareThatIsMany = 16;

  enum class Membership { kTail, kLeaving, kReading };
  struct Member {
    Membership membership = Membership::kTail;
    Seq feed_from = 0;     // Rejoined: events below were read by the subscription itself.
    Seq leaving_from = 0;  // kLeaving: events from here on are not fed.
    std::deque<Seq> owed;  // Unsettled pairs, ascending. Empty when kReading.
  };
  struct WindowEntry {
    LogEntry entry;
    AttemptSeq attempt_floor = 0;  // No attempt at or below is of this event or a later one.
    absl::Duration received;       // Monotonic.
    uint32_t owed = 0;             // Pairs that hold the cursor here.
    bool handed_off = false;       // Counted in the hand-off budget.
  };

  WindowEntry* At(Seq seq);
  Seq last_received() const { return window_first_ + window_.size() - 1; }
  void Push(const LogEntry& entry, AttemptSeq floor, absl::Duration now, bool handed_off);
  // Matches the event at next_, if that has not been done, and feeds at most `pairs_max` more of
  // those who want it. Once all have it, next_ moves on.
  size_t FanOutNext(size_t pairs_max, absl::Duration now);
  // What changes who is fed waits for the event that is half fanned out: ends that first.
  void FinishFanOut();
  void Owe(SubscriptionNumber number, WindowEntry& window_entry);
  void Feed(SubscriptionNumber number, Member& member, WindowEntry& window_entry);
  void StartLeaving(SubscriptionNumber number, Member& member, Seq from);
  // The tail is half as long as it may be: once for each stretch of it.
  void EnforceLength();
  // Of those who owe at or below `mark` on a tail that is too long, sends away who owes much of it;
  // the others are to leave if they are held up by themselves.
  void Sweep(Seq mark);
  // Whether the asker may come back (R4); `missed` gets what it must be fed at once.
  bool MayRejoin(const AskRejoinMessage& message, absl::Duration now, std::vector<Seq>* missed);
  void Hold(Member& member, Seq seq, absl::Duration now);
  void Release(Member& member);
  void MoveCursor();
  void MoveCursorBack(Seq cursor);
  void TrimWindow();
  bool TooLong(uint64_t events, size_t bytes) const;
  bool IsSettledBefore(SubscriptionNumber number, Seq seq) const;
  bool Wants(SubscriptionNumber number, const LogEntry& entry) const;

  const ShardId shard_;
  const SubscriptionDirectory* const directory_;
  Outbox* const outbox_;

  Seq head_;    // Newest committed event known.
  Seq next_;    // Next to fan out.
  Seq cursor_;  // All at or below is settled for all on the tail.
  Seq cursor_taken_;
  const Seq recovered_head_;
  AttemptSeq last_floor_;  // Of the newest event received.
  AttemptSeq attempt_head_;

  // Consecutive events from window_first_: a stretch behind the cursor that lets readers rejoin,
  // those fanned out but not settled, and those to fan out.
  std::deque<WindowEntry> window_;
  Seq window_first_;
  size_t behind_bytes_ = 0;      // Of those at or below the cursor.
  size_t unsettled_bytes_ = 0;   // Of those above the cursor and fanned out.
  Seq swept_ = 0;                // Up to where EnforceLength() has been.
  absl::Duration swept_at_;      // When EnforceAge() looked at the holders last.
  size_t fanned_out_bytes_ = 0;  // Of hand-offs, since TakeFannedOutBytes().

  std::multiset<Seq> leaving_from_;                          // Of the members that are leaving.
  absl::flat_hash_map<SubscriptionNumber, Member> members_;  // Who owes, leaves or reads.
  absl::flat_hash_set<std::pair<SubscriptionNumber, Seq>> settled_before_;  // Before the start.
  absl::flat_hash_set<Seq> given_up_;  // Mostly empty; kept for as long as it may be met.
  // Of the event at next_, when its fan-out is under way: who wants it, and how many have it.
  bool fanning_out_ = false;
  std::vector<SubscriptionNumber> matched_;
  std::deque<Seq> unmatched_;  // Fanned out to nobody, ascending, since TakeUnmatched().
  size_t fed_ = 0;
};

}  // namespace postrider
