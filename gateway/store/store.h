#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"
#include "gateway/model/health.h"
#include "gateway/model/ids.h"
#include "gateway/model/position.h"
#include "gateway/model/purge.h"
#include "gateway/model/replay.h"
#include "gateway/model/subscription.h"
#include "gateway/model/suspect.h"
#include "gateway/store/delivery_record.h"
#include "gateway/store/retention.h"

namespace postrider {

// --- What can be written ------------------------------------------------------------------------

// Becomes the next seq of its shard, unless (id, organization) is known (L2, L5).
struct AppendEvent {
  std::shared_ptr<const Event> event;
};

// The path of an organization, for events that come without one (L6). Belongs to its shard.
struct PutOrganizationPath {
  std::string organization;
  std::vector<std::string> path;
};

// The next attempt of its shard. Nothing happens if its event is not kept any more.
struct RecordAttempt {
  Attempt attempt;
};

// Writes an exception whose key is new. One that exists is left as it is. If its event is not kept
// any more, it is an expired dead letter, whatever it says (C7, BatchResult::late).
//
// Of an ordering key that has exceptions one always waits: when a write leaves only parked ones,
// the lowest of them waits for no time from then on, in the same batch (E4, BatchResult::released).
struct PutException {
  ExceptionRow row;
};

// What a retry did to its exception: replaced by `next`, or gone. Applied only if the row still has
// `generation` (E1); otherwise nothing happens, for it was purged or redriven meanwhile.
struct ResolveException {
  ExceptionKey key;
  uint64_t generation = 0;
  std::optional<ExceptionRow> next;  // Its generation is set by the store.
  OrderingKey ordering_key = 0;      // The row's.
};

// Sends a dead letter again: it waits, due at once, as if it had never been tried, and outside of
// any order. One that isn't dead, or whose event is not kept any more, is left as it is.
struct RedriveException {
  ExceptionKey key;
};

// A seq and an origin: a place among the exceptions of a subscription in a shard.
using ExceptionPlace = std::pair<Seq, OriginId>;

// Looks at the subscription's exceptions in the batch's shard after `after`, up to the event
// `through`, and takes away those that `filter` covers: at most `limit` are looked at, the result
// says where to go on. Where the one goes that others of its ordering key are parked behind, the
// first of these waits, due at once (E4).
struct PurgeExceptions {
  SubscriptionNumber subscription = 0;
  Seq through = kSeqMax;
  PurgeFilter filter;
  bool dead_only = false;
  ExceptionPlace after;
  size_t limit = 500;
};

// Events of the batch's shard that matched no subscription when they came by.
struct NoteUnmatched {
  std::vector<Seq> seqs;
};

// Everything at or below `cursor` is settled for all on the tail. Never moves back.
struct AdvanceCursor {
  Seq cursor = 0;
  AttemptSeq attempt_floor = 0;
};

// A subscription reads the batch's shard by itself, from this position.
struct PutReader {
  ReaderRow row;
};

// The subscription is on the tail of the batch's shard again. No row: nothing happens.
struct EraseReader {
  SubscriptionNumber subscription = 0;
};

// Creates the subscription (number 0) or replaces the one of that number if its version is still
// `expected_version`. The store assigns number (new ones), version, and, where
// `start_at_heads`, start_seqs from the heads in this transaction (C2): or, if the subscription has
// a start time, from that, and its first readers with them, so that what is there already is read.
// Where `skip_backlog`, it raises the start_seqs that there are to these heads: what is in the log
// is not owed any more. Where there is a `purge`, a mark up to the same heads is added, or put in
// the place of one with the same filter; marks that all of the subscription's positions have passed
// go (C4).
struct PutSubscription {
  Subscription subscription;
  uint64_t expected_version = 0;
  bool start_at_heads = false;
  bool skip_backlog = false;
  std::optional<PurgeFilter> purge;
};

// Marks it deleted at once (C4). Its rows go in small steps later, its number is never reused.
struct DeleteSubscription {
  SubscriptionNumber number = 0;
  uint64_t expected_version = 0;  // 0: whatever it is.
};

// What is known of a subscriber, for the next start; of a good one nothing is kept. Nothing happens
// if the subscription is deleted. Answered by no entry of BatchResult::configured: it is no change
// of the configuration.
struct PutHealth {
  SubscriptionNumber subscription = 0;
  SubscriptionHealth health;
};

// A replay's position in the batch's shard, its range left as it is. Nothing happens if the replay
// is gone.
struct PutReplayPosition {
  ReplayPosition position;
};

// Creates a replay (C5). The store assigns its number and finds its ranges: in the shards of the
// subscription's scope, events accepted in [since, until), up to the heads in this transaction.
// Without `until` the heads are the end. Finished replays beyond the newest kReplaysKeptMax of the
// subscription go.
struct CreateReplay {
  Replay replay;
  bool until_now = false;
};

// Ends a replay: it is done, if it was running, or canceled, whatever it was. Of a canceled one no
// exception is written or read any more; its rows go in small steps.
struct EndReplay {
  OriginId number = kOriginLog;
  ReplayState state = ReplayState::kDone;
};

using Write = std::variant<AppendEvent, PutOrganizationPath, RecordAttempt, PutException,
                           ResolveException, RedriveException, PurgeExceptions, NoteUnmatched,
                           AdvanceCursor, PutReader, EraseReader, PutReplayPosition,
                           DeleteOldEvents, PutSubscription, DeleteSubscription, PutHealth,
                           CreateReplay, EndReplay, CountDeaths, ForgetSuspect>;

// What is written wholly or not at all (S1): writes to one shard, or, with no shard, to the
// configuration (PutSubscription, DeleteSubscription, PutHealth, CreateReplay, EndReplay,
// CountDeaths and nothing else).
struct Batch {
  std::optional<ShardId> shard;
  std::vector<Write> writes;
};

// --- What the store answers (S2) ----------------------------------------------------------------

enum class CommitState {
  kCommitted,
  kNotApplied,  // Nothing was written; try again, in order.
  kUnknown,     // Written or not: read the shard again. Embedded store: the process must end.
  kFenced,      // The shard is another gateway's.
};

// What became of one AppendEvent.
struct Appended {
  enum class Kind { kNew, kDuplicate, kConflict };
  Kind kind = Kind::kNew;
  Seq seq = 0;             // Of the new event, or of the one that was there before.
  absl::Time accept_time;  // Likewise.
};

// A parked exception that has become one that waits (E4).
struct Released {
  SubscriptionNumber subscription = 0;
  absl::Time due_time;
};

// What became of one PutSubscription or DeleteSubscription: the subscription as stored, or
// NOT_FOUND, ABORTED (another version), ALREADY_EXISTS (its string id is taken),
// FAILED_PRECONDITION (kPurgeMarksMax marks are in force).
using ConfigResult = absl::StatusOr<std::shared_ptr<const Subscription>>;

// What became of one CreateReplay or EndReplay: the replay as stored, or NOT_FOUND (it or its
// subscription), FAILED_PRECONDITION (kReplaysUnfinishedMax are unfinished).
using ReplayResult = absl::StatusOr<ReplayRecord>;

struct BatchResult {
  CommitState state = CommitState::kCommitted;
  std::string error;                     // Why not, when not committed. For our log.
  std::vector<Appended> appended;        // One an AppendEvent, in order.
  std::vector<ConfigResult> configured;  // One a PutSubscription or DeleteSubscription, in order.
  std::vector<ReplayResult> replays;     // One a CreateReplay or EndReplay, in order.
  std::vector<Released> released;
  // The shard's newest attempt after this batch. Events appended by it have no attempts at or
  // below.
  AttemptSeq attempt_head = 0;
  ExceptionChanges exceptions;      // By RedriveException and PurgeExceptions.
  std::vector<ExceptionKey> stale;  // Of each ResolveException that was not applied.
  std::vector<LateException> late;  // Of each PutException whose event is not kept any more.
  DeletedEvents deleted;            // By a DeleteOldEvents.
};

// What must outlive the process: the log, the positions in it, the exceptions to them.
//
// Commit() and Maintain() block and come from one thread at a time, the store thread.
class Store {
 public:
  virtual ~Store() = default;

  // Makes each batch durable wholly or not at all, in the order given per shard; one result a
  // batch. Appended events get `now`, or their shard's last accept time if that is later. Batches
  // of different shards may be joined in one transaction, or not: nothing relies on it. When this
  // returns kCommitted, the batch survives power loss.
  virtual std::vector<BatchResult> Commit(absl::Span<const Batch> batches, absl::Time now) = 0;

  // Does one small step of work that nobody waits for: indexes behind the log (L3), rows of deleted
  // subscriptions (C4). True if there is more to do. Takes at most about 5 ms.
  virtual bool Maintain() = 0;

  // Whether new events should be given to Commit() now (S5). False: the disk is nearly full, and
  // only what lets the backlog drain is to be written. From the store thread.
  virtual bool AcceptsAppends(absl::Time now) = 0;
};

// --- What can be read ---------------------------------------------------------------------------

// What a started gateway must know of a shard.
struct ShardRecovery {
  ShardPosition position;
  absl::Time last_accept_time;
  std::vector<ReaderRow> readers;
  // Pairs above the cursor that are settled by a committed attempt (R1), or parked without one.
  std::vector<std::pair<SubscriptionNumber, Seq>> settled;
};

// When the earliest exception of a subscription in a shard is due (E2), and how many it has
// waiting.
struct NextDue {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  absl::Time due_time;
  uint64_t waiting = 0;
  // How many of them are of which replay; those of canceled ones count nowhere.
  std::vector<std::pair<OriginId, uint64_t>> of_replays;
};

// An exception that waits or is parked, and blocks its ordering key (E4).
struct BlockedKey {
  SubscriptionNumber subscription = 0;
  ShardId shard = 0;
  OrderingKey key = 0;
  Seq seq = 0;
};

struct DueException {
  ExceptionRow row;
  LogEntry entry;
};

// A list of events ends with the one whose body makes it this long, so that a page of large events
// is no burden.
inline constexpr size_t kListedBodyBytesMax = 4 * 1024 * 1024;

// An event of the log as a query shows it.
struct EventQuery {
  std::string organization;
  std::string type;                          // Empty: every type.
  std::optional<absl::Time> accepted_since;  // Inclusive.
  std::optional<absl::Time> accepted_until;  // Exclusive.
  Seq before_seq = kSeqMax;                  // Newest first: those below this one.
  size_t limit = 50;
};

struct EventPage {
  std::vector<LogEntry> entries;
  Seq next_before = 0;  // EventQuery::before_seq of the next page; 0: the end.
};

struct AttemptQuery {
  // Exactly one of: an event (shard and seq), or a subscription.
  std::optional<std::pair<ShardId, Seq>> event;
  std::optional<SubscriptionNumber> subscription;
  // Where the last page ended; empty: from the newest. Opaque to callers.
  std::string page;
  size_t limit = 50;
};

struct ListedAttempt {
  ShardId shard = 0;
  AttemptSeq attempt_seq = 0;
  Attempt attempt;
  Uuid event_id;
  std::string organization;
  std::string event_type;
};

struct AttemptPage {
  std::vector<ListedAttempt> attempts;
  std::string next_page;  // Empty: the end.
};

struct StoredHealth {
  SubscriptionNumber subscription = 0;
  SubscriptionHealth health;
};

struct Configuration {
  std::vector<std::shared_ptr<const Subscription>> subscriptions;  // Deleted ones left out.
  std::vector<PutOrganizationPath> organizations;
  std::vector<StoredHealth> health;   // Of subscribers that are not good.
  std::vector<ReplayRecord> replays;  // Running ones of live subscriptions.
  std::vector<Suspect> suspects;
};

// Reads. Each call sees all that was committed before it began; any thread, several at a time.
class StoreReader {
 public:
  virtual ~StoreReader() = default;

  virtual absl::StatusOr<Configuration> ReadConfiguration() = 0;
  virtual absl::StatusOr<ShardRecovery> ReadShard(ShardId shard) = 0;
  virtual absl::StatusOr<std::vector<NextDue>> ReadNextDue() = 0;
  virtual absl::StatusOr<std::vector<BlockedKey>> ReadBlockedKeys() = 0;

  // Events of `shard` after `after` that are kept, oldest first: at most `events`, and at most
  // `bytes` of body, but at least one. Empty only at the end of the log.
  virtual absl::StatusOr<std::vector<LogEntry>> ReadLog(ShardId shard, Seq after, size_t events,
                                                        size_t bytes) = 0;

  // Waiting exceptions of a subscription in a shard that are due at `until` or before, by due time,
  // with their events: at most `limit`, and at most `bytes` of body, but at least one.
  virtual absl::StatusOr<std::vector<DueException>> ReadDue(SubscriptionNumber subscription,
                                                            ShardId shard, absl::Time until,
                                                            size_t limit, size_t bytes) = 0;

  // NOT_FOUND if there is none.
  virtual absl::StatusOr<LogEntry> ReadEvent(const Uuid& id, const std::string& organization) = 0;
  // At most `limit`, fewer if their bodies reach kListedBodyBytesMax.
  virtual absl::StatusOr<std::vector<LogEntry>> ListEvents(const EventQuery& query) = 0;
  // Those of them that matched no subscription when they came by. Looks at a bounded number of
  // events: a page may be short, or empty, before the end.
  virtual absl::StatusOr<EventPage> ListUnmatched(const EventQuery& query) = 0;
  virtual absl::StatusOr<AttemptPage> ListAttempts(const AttemptQuery& query) = 0;

  virtual absl::StatusOr<DeadLetterPage> ListDeadLetters(const DeadLetterQuery& query) = 0;
  // NOT_FOUND if there is no such event.
  virtual absl::StatusOr<DeliveryRecord> ReadDelivery(const Uuid& id,
                                                      const std::string& organization,
                                                      SubscriptionNumber subscription) = 0;
  // The events of `shard` that were accepted in [since, until) and are kept; up to the head without
  // `until`.
  virtual absl::StatusOr<SeqRange> FindRange(ShardId shard, absl::Time since,
                                             std::optional<absl::Time> until) = 0;
  // NOT_FOUND if there is none of this id, or its subscription was deleted.
  virtual absl::StatusOr<ReplayRecord> ReadReplay(const std::string& id) = 0;
  // Those of a subscription that are kept, newest first.
  virtual absl::StatusOr<std::vector<ReplayRecord>> ListReplays(
      SubscriptionNumber subscription) = 0;
};

}  // namespace postrider
