// The part of Dispatcher that runs the queues: exchanges, reads, outcomes, alarms.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
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
  auto slot = std::make_unique<Slot>(entry->subscription, &options_, &directory_, outbox);
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
  return !draining_ && !turns_.full() && !outcomes_.Congested(services_.clock->Monotonic());
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
}

int Dispatcher::StartExchanges(int limit, const Moment& now,
                               absl::btree_set<SubscriptionNumber>* picked) {
  int started = 0;
  while (started < limit && MayStartExchange()) {
    const std::optional<SubscriptionNumber> next = turns_.PickNext(now.monotonic);
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
  std::optional<Exchange> exchange = slot.queue.Next(now.wall, now.monotonic);
  if (!exchange.has_value()) {
    return false;
  }
  if (exchange->dead_reason != DeadReason::kNone) {
    const PostResult result = ResultWithoutPost(*exchange);
    turns_.Charge(number, 0);
    Finish(number, slot, *std::move(exchange), result);
    return true;
  }
  SendTurns::Origin* const origin =
      turns_.OnStarted(number, exchange->entry.event->body.size(), now.monotonic);
  Send(number, slot, *std::move(exchange), origin);
  return true;
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
  TellHealth(number, *slot, now.monotonic);
  if (slots_.size() > kQueuesAtRestMax && slot->queue.idle(now.monotonic)) {
    RemoveSlot(number);
  }
}

void Dispatcher::Send(SubscriptionNumber number, Slot& slot, Exchange exchange,
                      SendTurns::Origin* origin) {
  if (slot.endpoint == nullptr) {
    slot.endpoint = poster_->Prepare(slot.queue.subscription());
  }
  PostRequest request{.endpoint = slot.endpoint,
                      .event = exchange.entry.event,
                      .attempt_number = exchange.attempt_number};
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
  TellDead(number, entry, *record);
  AddRecord(number, slot, shard, *std::move(record), monotonic);
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
    if (Slot* const slot = FindSlot(outcome.subscription); slot != nullptr) {
      slot->queue.OnCommitted(notices.shard, outcome, commit.attempt_head);
      Wake(outcome.subscription);
    }
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

void Dispatcher::StartReads(SubscriptionNumber number, Slot& slot, const Moment& now) {
  if (draining_) {
    return;
  }
  StartReplayReads(number, slot, now);
  const auto account = [this, number, &queue = slot.queue] {
    read_budget_.SetHeld(number, queue.page_bytes() + queue.retry_bytes());
  };
  account();
  const bool pages_wait = !read_budget_.has_room() && slot.queue.page_bytes() > 0;
  if (!pages_wait) {
    StartRead(number, slot, read_budget_.has_room() ? kReaderPageBytes : kScarcePageBytes, now);
    account();
  }
  slot.loads_wait = !read_budget_.has_room() && slot.queue.retry_bytes() > 0;
  if (!slot.loads_wait) {
    StartLoad(number, slot, read_budget_.has_room() ? kLoadedExceptionsMax : 1, now);
    account();
  }
  if (pages_wait || slot.loads_wait) {
    read_budget_.Wait(number);
  } else {
    read_budget_.StopWaiting(number);
  }
}

void Dispatcher::StartRead(SubscriptionNumber number, Slot& slot, size_t bytes, const Moment& now) {
  const std::optional<DeliveryQueue::Read> next = slot.queue.NextRead(now.monotonic, bytes);
  if (!next.has_value()) {
    return;
  }
  services_.reads->Run([this, number, read = *next](StoreReader& reader) {
    auto entries = reader.ReadLog(read.shard, read.after, kReaderPageEvents, read.bytes);
    loop_->Post(
        [this, number, read, entries = std::move(entries)] { OnRead(number, read, entries); });
  });
}

void Dispatcher::StartLoad(SubscriptionNumber number, Slot& slot, size_t rows, const Moment& now) {
  const std::optional<RetryLane::Load> next = slot.queue.NextLoad(now.wall, rows);
  if (!next.has_value()) {
    return;
  }
  services_.reads->Run([this, number, load = *next](StoreReader& reader) {
    auto due = reader.ReadDue(number, load.shard, absl::InfiniteFuture(), load.limit, load.bytes);
    loop_->Post([this, number, load, due = std::move(due)]() mutable {
      OnLoaded(number, load, std::move(due));
    });
  });
}

// Wakes the first of those that wait for the read budget, if it has room.
bool Dispatcher::WakeReader() {
  const std::optional<SubscriptionNumber> number = read_budget_.TakeWaiting();
  if (number.has_value()) {
    Wake(*number);
  }
  return number.has_value();
}

void Dispatcher::OnRead(SubscriptionNumber number, const DeliveryQueue::Read& read,
                        const absl::StatusOr<std::vector<LogEntry>>& entries) {
  if (!entries.ok()) {
    LogError(absl::StrCat("reading the log for a subscription: ", entries.status().ToString()));
  }
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    slot->queue.OnRead(read, entries, services_.clock->Monotonic());
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::OnLoaded(SubscriptionNumber number, const RetryLane::Load& load,
                          absl::StatusOr<std::vector<DueException>> rows) {
  if (!rows.ok()) {
    LogError(absl::StrCat("reading exceptions: ", rows.status().ToString()));
  }
  if (Slot* const slot = FindSlot(number); slot != nullptr) {
    slot->queue.OnLoaded(load, std::move(rows), Now());
    Wake(number);
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
