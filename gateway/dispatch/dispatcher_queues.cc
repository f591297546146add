// The part of Dispatcher that runs the queues: exchanges, reads, outcomes, alarms.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/base/work_item.h"
#include "gateway/dispatch/dispatcher.h"

namespace postrider {
namespace {

// Queues that are at rest are kept up to this number, for what they have made ready.
constexpr size_t kQueuesAtRestMax = 10'000;

// Uniform in [0, 1).
double Fraction(Random* random) { return static_cast<double>(random->Next() >> 11) * 0x1.0p-53; }

}  // namespace

Dispatcher::Slot* Dispatcher::FindSlot(SubscriptionNumber number) {
  const auto found = slots_.find(number);
  return found == slots_.end() ? nullptr : found->second.get();
}

Dispatcher::Slot* Dispatcher::SlotOf(SubscriptionNumber number) {
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    return slot;
  }
  const SubscriptionDirectory::Entry* const entry = directory_.Find(number);
  if (entry == nullptr) {
    return nullptr;
  }
  Outbox* const outbox = this;
  auto slot =
      std::make_unique<Slot>(entry->subscription, &options_, &directory_, &suspects_, outbox);
  turns_.Put(*entry->subscription);
  return slots_.emplace(number, std::move(slot)).first->second.get();
}

void Dispatcher::RemoveSlot(SubscriptionNumber number) {
  const auto found = slots_.find(number);
  if (found == slots_.end()) {
    return;
  }
  due_.erase({found->second->due, number});
  polls_.erase({found->second->poll, number});
  throttled_.erase({found->second->throttled, number});
  counters_.exceptions_waiting -= static_cast<int64_t>(found->second->exceptions_counted);
  slots_.erase(found);
  turns_.Remove(number);
  read_budget_.Remove(number);
}

Dispatcher::Moment Dispatcher::ReadClocks() {
  const absl::Duration monotonic = services_.clock->Monotonic();
  const absl::Duration step = time_.Update(services_.clock->Now(), monotonic);
  if (step != absl::ZeroDuration()) {
    LogWarning(absl::StrCat("the wall clock has stepped by ", absl::FormatDuration(step),
                            "; what waits goes on waiting as it did"));
  }
  return {.wall = time_.now(), .monotonic = monotonic};
}

bool Dispatcher::MayStartExchange() const {
  return !draining_ && !turns_.full() && !WireIsReserved() &&
         !outcomes_.Congested(services_.clock->Monotonic());
}

void Dispatcher::RunQueues() {
  int limit = kExchangesPerTurn;
  do {
    // One reading of the clocks for the whole run: what is not yet due now has an alarm after it.
    const Moment now = ReadClocks();
    // What a queue does can wake another only through messages, which arrive in a later turn.
    absl::btree_set<SubscriptionNumber> active = std::exchange(active_queues_, {});
    for (const SubscriptionNumber number : active) {
      turns_.Wake(number, now.monotonic);
    }
    limit -= StartExchanges(limit, now, &active);
    for (const SubscriptionNumber number : active) {
      RunQueue(number, now);
    }
  } while (WakeReader() || !active_queues_.empty());
  if (!turns_.empty() && MayStartExchange()) {
    ContinueSoon();
  }
  counters_.in_flight = turns_.in_flight();
  counters_.queues = static_cast<int64_t>(slots_.size());
  counters_.waiting_for_turn = static_cast<int64_t>(turns_.waiting_for_turn());
  counters_.waiting_for_origin = static_cast<int64_t>(turns_.waiting_for_origin());
  counters_.waiting_for_share = static_cast<int64_t>(turns_.waiting_for_share());
  counters_.read_bytes = static_cast<int64_t>(read_budget_.used());
  counters_.suspects = static_cast<int64_t>(suspects_.size());
}

int Dispatcher::StartExchanges(int limit, const Moment& now,
                               absl::btree_set<SubscriptionNumber>* picked) {
  int started = 0;
  while (started < limit && MayStartExchange()) {
    const std::optional<SubscriptionNumber> next = NextInTurn(now);
    if (!next.has_value()) {
      return started;
    }
    picked->insert(*next);
    if (StartExchange(*next, *FindSlot(*next), now)) {
      ++started;
    } else {
      turns_.OnNothing(*next);
    }
  }
  return started;
}

// False if the queue has nothing to send.
bool Dispatcher::StartExchange(SubscriptionNumber number, Slot& slot, const Moment& now) {
  slot.queue.SetWallOffset(time_.wall_offset());
  const bool wire_is_empty = turns_.in_flight() == 0;
  std::optional<Exchange> exchange = slot.queue.Next(now.wall, now.monotonic, wire_is_empty);
  if (!exchange.has_value()) {
    if (slot.queue.waits_to_run_alone()) {
      waits_to_run_alone_ = number;
    }
    return false;
  }
  if (exchange->dead_reason != DeadReason::kNone) {
    const PostResult result = ResultWithoutPost(*exchange);
    turns_.Charge(number, 0);
    Finish(number, slot, *std::move(exchange), result);
    return true;
  }
  runs_alone_ = suspects_.RunsAlone(ItemOf(number, exchange->entry.shard, exchange->entry.seq));
  SendTurns::Origin* const origin =
      turns_.OnStarted(number, exchange->entry.event->body.size(), now.monotonic);
  Send(number, slot, *std::move(exchange), origin);
  return true;
}

void Dispatcher::LeaveTails() {
  const absl::Duration now = services_.clock->Monotonic();
  const bool behind = turns_.waiting_for_turn() > 0 || turns_.full() || outcomes_.Congested(now);
  for (const HoldsUpMessage& message : std::exchange(holding_up_, {})) {
    Slot* const slot = FindSlot(message.subscription);
    // What it does not owe any more waits for the store.
    if (slot != nullptr && slot->queue.Owes(message.shard, message.seq) &&
        !(behind && turns_.WaitsForUs(message.subscription, now))) {
      slot->queue.AskLeave(message.shard);
    }
  }
}

void Dispatcher::ContinueSoon() {
  if (continues_soon_) {
    return;
  }
  continues_soon_ = true;
  loop_->Post([this] {
    continues_soon_ = false;
    EndTurn();
  });
}

void Dispatcher::RunQueue(SubscriptionNumber number, const Moment& now) {
  Slot* const slot = FindSlot(number);
  if (slot == nullptr) {
    return;
  }
  slot->queue.SetWallOffset(time_.wall_offset());
  slot->queue.OnTime(now.wall);
  Park(number, *slot, now);
  StartReads(number, *slot, now);
  EndReplays(*slot);
  if (const std::optional<ShardId> shard = slot->queue.WantsRejoin(); shard.has_value()) {
    FlushOutcomes();  // The asked position may rest on outcomes that are still gathered.
    slot->queue.AskRejoin(*shard);
    Wake(number);
  }
  UpdateAlarms(number, *slot, now);
  UpdateThrottled(number, *slot);
  TellHealth(number, *slot, now.monotonic);
  TellExpired(number, *slot, now.wall);
  if (slots_.size() > kQueuesAtRestMax && slot->queue.idle(now.monotonic)) {
    RemoveSlot(number);
  }
}

void Dispatcher::Send(SubscriptionNumber number, Slot& slot, Exchange exchange,
                      SendTurns::Origin* origin) {
  const WorkItem item = ItemOf(number, exchange.entry.shard, exchange.entry.seq);
  const WorkScope scope(item);
  if (slot.endpoint == nullptr) {
    slot.endpoint = poster_->Prepare(slot.queue.subscription());
  }
  PostRequest request{.endpoint = slot.endpoint,
                      .event = exchange.entry.event,
                      .attempt_number = exchange.attempt_number,
                      .item = item};
  auto done = [this, number, origin,
               exchange = std::move(exchange)](const PostResult& result) mutable {
    OnPosted(number, std::move(exchange), origin, result);
  };
  poster_->Post(std::move(request), std::move(done));
}

void Dispatcher::OnPosted(SubscriptionNumber number, Exchange exchange, SendTurns::Origin* origin,
                          const PostResult& result) {
  const bool began = result.outcome != Outcome::kInternalError;
  turns_.OnEnded(number, origin, began ? std::make_optional(result.latency) : std::nullopt,
                 services_.clock->Monotonic());
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    Finish(number, *slot, std::move(exchange), result);
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::Finish(SubscriptionNumber number, Slot& slot, Exchange exchange,
                        const PostResult& result) {
  const LogEntry entry = exchange.entry;
  const ShardId shard = entry.shard;
  const WorkItem item = ItemOf(number, shard, entry.seq);
  const WorkScope scope(item);
  const auto [now, monotonic] = ReadClocks();
  slot.queue.SetWallOffset(time_.wall_offset());
  std::optional<OutcomeRecord> record =
      slot.queue.OnResult(std::move(exchange), result, now, monotonic, Fraction(services_.random));
  if (!record.has_value()) {
    ++counters_.own_faults;
    LogError(absl::StrCat("a fault of our own, will try again: ", result.error_text));
    return;
  }
  switch (record->attempt->disposition) {
    case Disposition::kDelivered: ++counters_.delivered; break;
    case Disposition::kDead: ++counters_.dead; break;
    case Disposition::kException:
    case Disposition::kStillOwed: ++counters_.failed; break;
  }
  if (record->attempt->outcome == Outcome::kQuarantined) {
    TellQuarantined(slot.queue.subscription(), entry);
  }
  TellDead(number, entry, *record);
  AddRecord(number, slot, shard, *std::move(record), monotonic);
  ForgetSuspect(item, monotonic);
}

// What waits behind a failed delivery of its key leaves the memory as a row (E4).
void Dispatcher::Park(SubscriptionNumber number, Slot& slot, const Moment& now) {
  while (std::optional<OutcomeRecord> record = slot.queue.NextParked()) {
    const ShardId shard = record->put_exception->row.key.shard;
    AddRecord(number, slot, shard, *std::move(record), now.monotonic);
  }
}

void Dispatcher::AddRecord(SubscriptionNumber number, const Slot& slot, ShardId shard,
                           OutcomeRecord record, absl::Duration monotonic) {
  const OriginId replay = record.replay;
  outcomes_.Add(shard, std::move(record), monotonic);
  if (replay != kOriginLog) {
    outcomes_.AddReplayPosition(shard, {number, replay}, monotonic);
  } else if (slot.queue.ReadsItself(shard)) {
    outcomes_.AddReaderRow(shard, number, monotonic);
  }
}

void Dispatcher::OnExceptionsChanged(SubscriptionNumber number, ShardId shard,
                                     const ExceptionChanges& changes) {
  for (const Seq seq : changes.forgiven) {
    suspects_.Forget(ItemOf(number, shard, seq));
  }
  if (Slot* const slot = SlotOf(number); slot != nullptr) {
    slot->queue.OnExceptionsChanged(shard, changes, Now());
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::OnOutcomesCommitted(const OutcomeNotices& notices, const OutcomeCommit& commit) {
  outcomes_.OnCommitted(notices);
  for (CommittedOutcome outcome : notices.outcomes) {
    outcome.stale = outcome.resolved.has_value() &&
                    std::find(commit.stale.begin(), commit.stale.end(), *outcome.resolved) !=
                        commit.stale.end();
    const auto is_late = [&](const LateException& late) { return late.key == outcome.added; };
    if (std::any_of(commit.late.begin(), commit.late.end(), is_late)) {
      outcome.added.reset();
    }
    if (Slot* const slot = FindSlot(outcome.subscription); slot != nullptr) {
      slot->queue.OnCommitted(notices.shard, outcome, commit.attempt_head);
      Wake(outcome.subscription);
    }
  }
  for (const LateException& late : commit.late) {
    TakeLate(late);
  }
  for (const Released& release : commit.released) {
    if (Slot* const slot = FindSlot(release.subscription); slot != nullptr) {
      slot->queue.OnReleased(notices.shard, Now());
      Wake(release.subscription);
    }
  }
  for (const auto& [number, epoch] : notices.rows) {
    if (Slot* const slot = FindSlot(number); slot != nullptr) {
      slot->queue.OnRowCommitted(notices.shard, epoch);
      Wake(number);
    }
  }
  EndTurn();
}

void Dispatcher::UpdateAlarms(SubscriptionNumber number, Slot& slot, const Moment& now) {
  // Who waits for the read budget is woken by it: an alarm that is past would go off at once.
  const bool no_loads = draining_ || slot.loads_wait;
  const absl::Time due = no_loads ? absl::InfiniteFuture() : slot.queue.next_due();
  if (due != slot.due) {
    due_.erase({slot.due, number});
    if (due != absl::InfiniteFuture()) {
      due_.insert({due, number});
    }
    slot.due = due;
  }
  std::optional<absl::Duration> next_poll;
  if (!draining_) {
    next_poll = slot.queue.next_poll(now.wall, now.monotonic);
  }
  const absl::Duration poll = next_poll.value_or(absl::InfiniteDuration());
  if (poll != slot.poll) {
    polls_.erase({slot.poll, number});
    if (poll != absl::InfiniteDuration()) {
      polls_.insert({poll, number});
    }
    slot.poll = poll;
  }
  const uint64_t waiting = slot.queue.exceptions_waiting();
  counters_.exceptions_waiting +=
      static_cast<int64_t>(waiting) - static_cast<int64_t>(slot.exceptions_counted);
  slot.exceptions_counted = waiting;
}

}  // namespace postrider
