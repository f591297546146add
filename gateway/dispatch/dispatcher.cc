#include "gateway/dispatch/dispatcher.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/base/work_item.h"

namespace postrider {
namespace {

// The cursor may be this much older than what is settled: it only shortens recovery.
constexpr absl::Duration kCursorDelay = absl::Milliseconds(50);
constexpr absl::Duration kReadRetryDelay = absl::Seconds(1);
constexpr size_t kTailReadEvents = 1000;
constexpr size_t kTailReadBytes = 4 * 1024 * 1024;
constexpr size_t kOutcomesPerFlush = 256;

}  // namespace

Dispatcher::Dispatcher(Loop* loop, Poster* poster, const DispatchServices& services,
                       const DeliveryQueue::Options& options, const SendTurns::Caps& caps,
                       Mesh* mesh)
    : loop_(loop),
      poster_(poster),
      services_(services),
      options_(options),
      mesh_(mesh),
      turns_(caps),
      read_budget_(options.read_bytes_max),
      pages_(kKeptPagesBytesMax) {}

void Dispatcher::RestoreConfiguration(const std::vector<Configured>& subscriptions) {
  for (const Configured& change : subscriptions) {
    directory_.Put(change.subscription, change.home);
  }
}

void Dispatcher::RestoreShard(ShardId shard, const ShardRecovery& recovery) {
  Outbox* const outbox = this;
  tails_[shard] = std::make_unique<ShardTail>(shard, recovery, &directory_, outbox);
  active_tails_.insert(shard);
}

void Dispatcher::RestoreReader(const ReaderRow& row) {
  if (Slot* const slot = SlotOf(row.subscription); slot != nullptr) {
    slot->queue.RestoreReader(row);
    Wake(row.subscription);
  }
}

void Dispatcher::RestoreExceptions(const NextDue& next_due) {
  if (Slot* const slot = SlotOf(next_due.subscription); slot != nullptr) {
    slot->queue.RestoreExceptions(next_due);
    Wake(next_due.subscription);
  }
}

void Dispatcher::RestoreBlockedKey(const BlockedKey& blocked) {
  if (Slot* const slot = SlotOf(blocked.subscription); slot != nullptr) {
    slot->queue.RestoreBlockedKey(blocked);
    Wake(blocked.subscription);
  }
}

void Dispatcher::Start() { EndTurn(); }

// --- What comes in -------------------------------------------------------------------------------

void Dispatcher::OnConfigured(const std::vector<Configured>& changes) {
  for (const auto& [shard, tail] : tails_) {
    tail->BeforeConfigured();
  }
  // What was judged by the old configuration is on its way to the store before whoever waits for
  // all loops goes on: a purge finds the exceptions that it made.
  FlushOutcomes();
  for (const Configured& change : changes) {
    if (change.subscription == nullptr) {
      directory_.Remove(change.number);
      for (auto& [shard, tail] : tails_) {
        tail->OnRemoved(change.number);
        active_tails_.insert(shard);
      }
      RemoveSlot(change.number);
      if (services_.events != nullptr) {
        services_.events->OnRemoved(change.number);
      }
      continue;
    }
    directory_.Put(change.subscription, change.home);
    for (const ReaderRow& row : change.readers) {
      if (const auto tail = tails_.find(row.shard); tail != tails_.end()) {
        tail->second->OnReader(change.number);
      }
    }
    if (Slot* const slot = FindSlot(change.number); slot != nullptr) {
      slot->queue.Configure(change.subscription, Now());
      slot->endpoint = nullptr;
      turns_.Put(*change.subscription);
      Wake(change.number);
    }
  }
  EndTurn();
}

void Dispatcher::OnFirstReaders(const std::vector<ReaderRow>& readers) {
  for (const ReaderRow& row : readers) {
    RestoreReader(row);
  }
  EndTurn();
}

void Dispatcher::OnEvents(const CommittedGroup::Shard& events) {
  ShardTail& tail = *tails_.at(events.shard);
  const size_t not_taken =
      tail.Receive(events.entries, events.attempt_head, services_.clock->Monotonic());
  if (not_taken > 0) {
    mesh_->OnHandedOver(events.shard, not_taken);
  }
  active_tails_.insert(events.shard);
  EndTurn();
}

void Dispatcher::OnHead(ShardId shard, Seq head) {
  tails_.at(shard)->NoteHead(head);
  active_tails_.insert(shard);
  EndTurn();
}

void Dispatcher::OnMessages(std::vector<Message> messages) {
  for (Message& message : messages) {
    Deliver(std::move(message));
  }
  EndTurn();
}

void Dispatcher::Deliver(Message message) {
  const absl::Duration now = services_.clock->Monotonic();
  struct Visitor {
    Dispatcher* self;
    absl::Duration now;

    ShardTail& Tail(ShardId shard) const {
      self->active_tails_.insert(shard);
      return *self->tails_.at(shard);
    }
    void operator()(PairMessage& pair) const {
      const SubscriptionNumber number = pair.subscription;
      if (Slot* const slot = self->SlotOf(number); slot != nullptr) {
        slot->queue.OnPair(std::move(pair));
        self->Wake(number);
      }
    }
    void operator()(const HoldsUpMessage& message) const { self->holding_up_.push_back(message); }
    void operator()(const LeaveMessage& leave) const {
      if (Slot* const slot = self->SlotOf(leave.subscription); slot != nullptr) {
        slot->queue.OnLeave(leave, ++self->leaves_);
        self->outcomes_.AddReaderRow(leave.shard, leave.subscription, now);
        self->Wake(leave.subscription);
      }
    }
    void operator()(const RejoinAnswerMessage& answer) const {
      Slot* const slot = self->FindSlot(answer.subscription);
      if (slot == nullptr) return;
      slot->queue.OnRejoinAnswer(answer);
      if (answer.granted) {
        self->outcomes_.AddEraseReader(answer.shard, answer.subscription, now);
      }
      self->Wake(answer.subscription);
    }
    void operator()(const SettledMessage& settled) const { Tail(settled.shard).OnSettled(settled); }
    void operator()(const AskLeaveMessage& ask) const { Tail(ask.shard).OnAskLeave(ask); }
    void operator()(const LeftMessage& left) const { Tail(left.shard).OnLeft(left); }
    void operator()(const AskRejoinMessage& ask) const { Tail(ask.shard).OnAskRejoin(ask, now); }
  };
  std::visit(Visitor{this, now}, message);
}

// --- The turn ------------------------------------------------------------------------------------

void Dispatcher::EndTurn() {
  const WorkScope nothing({});  // Of what was just done to its end.
  RunTails();
  RunQueues();
  LeaveTails();
  const Moment now = ReadClocks();
  if (!outcomes_.empty() &&
      (outcomes_.size() >= kOutcomesPerFlush || now.monotonic >= outcomes_.due())) {
    FlushOutcomes();
  }
  SendMessages();
  ArmTimer(now);
  UpdateGauges(now);
  if (draining_ && drained_ != nullptr && turns_.in_flight() == 0) {
    TakeCursors();
    FlushOutcomes();
    if (outcomes_.all_committed()) {
      std::exchange(drained_, nullptr)();
    }
  }
}

void Dispatcher::RunTails() {
  const absl::btree_set<ShardId> active = std::exchange(active_tails_, {});
  for (const ShardId shard : active) {
    RunTail(*tails_.at(shard));
  }
}

void Dispatcher::RunTail(ShardTail& tail) {
  const absl::Duration now = services_.clock->Monotonic();
  const ShardId shard = tail.shard();
  // While its next slice is posted the shard has no other: what comes in meanwhile must not give it
  // more turns than the shards and sockets beside it.
  if (!tails_fanning_out_.contains(shard) && tail.FanOut(kFanOutPairsPerTurn, now)) {
    tails_fanning_out_.insert(shard);
    loop_->Post([this, shard] {
      tails_fanning_out_.erase(shard);
      active_tails_.insert(shard);
      EndTurn();
    });
  }
  if (const size_t bytes = tail.TakeFannedOutBytes(); bytes > 0) {
    mesh_->OnHandedOver(shard, bytes);
  }
  if (!tails_fanning_out_.contains(shard)) {  // Its last slice asks.
    if (const std::optional<absl::Duration> due = tail.EnforceAge(now); due.has_value()) {
      tail_age_due_ = std::min(tail_age_due_, *due);
    }
  }
  if (tail.cursor_moved()) {
    cursor_due_ = std::min(cursor_due_, now + kCursorDelay);
  }
  const std::optional<Seq> after = tail.WantsLogAfter();
  if (after.has_value() && !tails_reading_.contains(shard)) {
    ReadForTail(shard, *after);
  }
}

void Dispatcher::ReadForTail(ShardId shard, Seq after) {
  tails_reading_.insert(shard);
  services_.reads->Run([this, shard, after](StoreReader& reader) {
    auto entries = reader.ReadLog(shard, after, kTailReadEvents, kTailReadBytes);
    loop_->Post([this, shard, entries = std::move(entries)] { OnTailRead(shard, entries); });
  });
}

void Dispatcher::OnTailRead(ShardId shard, const absl::StatusOr<std::vector<LogEntry>>& entries) {
  if (!entries.ok()) {
    LogError(absl::StrCat("reading the log of shard ", shard, ": ", entries.status().ToString()));
    loop_->After(kReadRetryDelay, [this, shard] {
      tails_reading_.erase(shard);
      active_tails_.insert(shard);
      EndTurn();
    });
    return;
  }
  tails_reading_.erase(shard);
  tails_.at(shard)->ReceiveRead(*entries, services_.clock->Monotonic());
  active_tails_.insert(shard);
  EndTurn();
}

void Dispatcher::ToSubscription(SubscriptionNumber subscription, Message message) {
  const SubscriptionDirectory::Entry* const entry = directory_.Find(subscription);
  if (entry != nullptr) {
    outgoing_.resize(std::max<size_t>(outgoing_.size(), entry->home + 1));
    outgoing_[entry->home].push_back(std::move(message));
  }
}

void Dispatcher::ToShard(ShardId shard, Message message) {
  const int loop = mesh_->LoopOfShard(shard);
  outgoing_.resize(std::max<size_t>(outgoing_.size(), loop + 1));
  outgoing_[loop].push_back(std::move(message));
}

void Dispatcher::SendMessages() {
  for (size_t loop = 0; loop < outgoing_.size(); ++loop) {
    if (!outgoing_[loop].empty()) {
      mesh_->Send(static_cast<int>(loop), std::exchange(outgoing_[loop], {}));
    }
  }
}

OutcomeBuffer::Row Dispatcher::RowOf(SubscriptionNumber number, ShardId shard) {
  const Slot* const slot = FindSlot(number);
  if (slot == nullptr) {
    return std::nullopt;
  }
  std::optional<ReaderRow> row = slot->queue.ReaderRowOf(shard);
  if (!row.has_value()) {
    return std::nullopt;
  }
  return std::make_pair(*std::move(row), slot->queue.EpochOf(shard));
}

void Dispatcher::FlushOutcomes() {
  const auto row_of = [this](SubscriptionNumber number, ShardId shard) {
    return RowOf(number, shard);
  };
  const auto position_of = [this](const OutcomeBuffer::ReplayKey& key, ShardId shard) {
    return PositionOf(key, shard);
  };
  for (auto& [batch, notices] : outcomes_.Take(row_of, position_of)) {
    services_.commits->Submit(
        std::move(batch), [this, notices = std::move(notices)](const BatchResult& result) mutable {
          if (result.state != CommitState::kCommitted) return;  // The process is stopping.
          OutcomeCommit commit{.attempt_head = result.attempt_head,
                               .stale = result.stale,
                               .released = result.released,
                               .late = result.late};
          loop_->Post([this, notices = std::move(notices), commit = std::move(commit)] {
            OnOutcomesCommitted(notices, commit);
          });
        });
  }
}

// --- Time ----------------------------------------------------------------------------------------

void Dispatcher::ArmTimer(const Moment& now) {
  absl::Duration next = std::min(cursor_due_, tail_age_due_);
  if (!outcomes_.empty()) {
    next = std::min(next, outcomes_.due());
  }
  if (!polls_.empty()) {
    next = std::min(next, polls_.begin()->first);
  }
  if (!due_.empty()) {
    const absl::Duration wait = due_.begin()->first - now.wall;
    next = std::min(next, now.monotonic + std::max(wait, absl::ZeroDuration()));
  }
  if (next == absl::InfiniteDuration() || (!timers_.empty() && *timers_.begin() <= next)) {
    return;  // One that fires in time is under way.
  }
  timers_.insert(next);
  const absl::Duration delay = std::max(next - now.monotonic, absl::ZeroDuration());
  loop_->After(delay, [this, next] { OnTimer(next); });
}

void Dispatcher::OnTimer(absl::Duration timer) {
  timers_.erase(timer);
  const absl::Duration now = services_.clock->Monotonic();
  if (cursor_due_ <= now) {
    TakeCursors();
  }
  if (tail_age_due_ <= now) {
    tail_age_due_ = absl::InfiniteDuration();
    for (const auto& [shard, tail] : tails_) {
      active_tails_.insert(shard);
    }
  }
  const absl::Time wall = Now();
  while (!due_.empty() && due_.begin()->first <= wall) {
    const SubscriptionNumber number = due_.begin()->second;
    slots_.at(number)->due = absl::InfiniteFuture();
    due_.erase(due_.begin());
    Wake(number);
  }
  while (!polls_.empty() && polls_.begin()->first <= now) {
    const SubscriptionNumber number = polls_.begin()->second;
    slots_.at(number)->poll = absl::InfiniteDuration();
    polls_.erase(polls_.begin());
    Wake(number);
  }
  EndTurn();
}

void Dispatcher::TakeCursors() {
  cursor_due_ = absl::InfiniteDuration();
  for (auto& [shard, tail] : tails_) {
    if (std::optional<AdvanceCursor> cursor = tail->TakeCursor(); cursor.has_value()) {
      outcomes_.AddUnmatched(shard, tail->TakeUnmatched(), services_.clock->Monotonic());
      outcomes_.AddCursor(shard, *cursor, services_.clock->Monotonic());
      ForgetEvents(shard, cursor->cursor, services_.clock->Monotonic());
    }
  }
}

void Dispatcher::Drain(absl::AnyInvocable<void() &&> done) {
  draining_ = true;
  drained_ = std::move(done);
  EndTurn();
}

}  // namespace postrider
