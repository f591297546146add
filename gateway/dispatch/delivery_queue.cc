#include "gateway/dispatch/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/dispatch/outcome_record.h"
#include "gateway/dispatch/retry_policy.h"

namespace postrider {
namespace {

// Of five exchanges one is a retry's when both wait (8 : 2, T4); the first retry waits for none.
constexpr uint64_t kRetryShare = 5;
constexpr absl::Duration kFaultDelayMin = absl::Seconds(1);
constexpr absl::Duration kFaultDelayMax = absl::Seconds(30);

}  // namespace

DeliveryQueue::DeliveryQueue(std::shared_ptr<const Subscription> subscription,
                             const Options* options, const SubscriptionDirectory* directory,
                             Outbox* outbox)
    : subscription_(std::move(subscription)),
      options_(options),
      directory_(directory),
      outbox_(outbox),
      order_(subscription_->policy.order) {}

void DeliveryQueue::Configure(std::shared_ptr<const Subscription> subscription) {
  subscription_ = std::move(subscription);
  if (!subscription_->may_send()) {
    UnloadAll();
  }
}

// --- Messages from shards ------------------------------------------------------------------------

void DeliveryQueue::OnPair(PairMessage message) {
  const ShardId shard = message.entry.shard;
  Lane& lane = lanes_[shard];
  lane.progress.Owe(message.entry.seq);
  Accept(std::move(message.entry));
  LeaveIfOverBudget();
}

void DeliveryQueue::Accept(LogEntry entry) {
  switch (order_.Arrive(entry)) {
    case DeliveryOrder::Place::kReady: return MakeReady(std::move(entry));
    case DeliveryOrder::Place::kParked: return to_park_.push_back(std::move(entry));
    case DeliveryOrder::Place::kHeld: return;
  }
}

void DeliveryQueue::MakeReady(std::optional<LogEntry> entry) {
  if (entry.has_value()) {
    ready_bytes_ += entry->bytes();
    ready_.push_back(*std::move(entry));
  }
}

void DeliveryQueue::LeaveIfOverBudget() {
  const bool over_budget = ready_.size() + order_.held() > 1 && waiting_bytes() > kQueueBytesMax;
  if (!over_budget && !ExceptionsFull() && !order_.AnyStopped()) {
    return;
  }
  for (auto& [shard, lane] : lanes_) {
    const bool must = over_budget || ExceptionsFull() || order_.Stopped(shard);
    if (must && lane.progress.mode() == ShardProgress::Mode::kTail && !lane.asked_to_leave) {
      lane.asked_to_leave = true;
      outbox_->ToShard(shard,
                       AskLeaveMessage{.subscription = subscription_->number, .shard = shard});
    }
  }
}

void DeliveryQueue::OnLeave(const LeaveMessage& message, uint64_t epoch) {
  Lane& lane = lanes_[message.shard];
  lane.epoch = epoch;
  lane.asked_to_leave = false;
  lane.caught_up = false;
  lane.refused_at = 0;
  lane.poll_delay = absl::ZeroDuration();
  lane.next_read = absl::ZeroDuration();
  lane.progress.set_mode(ShardProgress::Mode::kLeaving);
  lane.progress.StartReading(message.from, message.settled);
  UnloadReady(message.shard, lane, subscription_->may_send() ? kReaderPageEvents : 0);
}

void DeliveryQueue::OnRejoinAnswer(const RejoinAnswerMessage& message) {
  Lane& lane = lanes_[message.shard];
  lane.caught_up = false;
  if (message.granted) {
    lane.progress.set_mode(ShardProgress::Mode::kTail);
    return;
  }
  lane.progress.set_mode(ShardProgress::Mode::kReading);
  lane.refused_at = lane.progress.owed().empty() ? 0 : lane.progress.owed().front();
}

// --- Sending -------------------------------------------------------------------------------------

bool DeliveryQueue::MaySend(absl::Duration monotonic) const {
  return subscription_->may_send() && in_flight_ < InFlightMax() && monotonic >= fault_until_;
}

int DeliveryQueue::InFlightMax() const {
  const int own = subscription_->policy.max_in_flight;
  return own > 0 ? own : options_->max_in_flight_default;
}

bool DeliveryQueue::ExceptionsFull() const {
  return retries_.waiting() >= kExceptionsPerSubscriptionMax;
}

std::optional<Exchange> DeliveryQueue::Next(absl::Time now, absl::Duration monotonic) {
  if (!MaySend(monotonic)) {
    return std::nullopt;
  }
  const bool first_waits = !ready_.empty() && !ExceptionsFull() && FirstDue() <= now;
  const bool retry_waits = retries_.HasLoaded();
  if (!first_waits && !retry_waits) {
    return std::nullopt;
  }
  ++in_flight_;
  ++turns_;
  const bool retry_turn = retries_in_flight_ == 0 || turns_ % kRetryShare == 0;
  if (retry_waits && (retry_turn || !first_waits)) {
    return StartRetry(*retries_.Take(), now);
  }
  return StartFirst(now);
}

absl::Time DeliveryQueue::FirstDue() const {
  const absl::Duration wait = Schedule().front();
  // Without a wait the wall clock, which may step back, has no say.
  return wait > absl::ZeroDuration() ? ready_.front().accept_time + wait : absl::InfinitePast();
}

Exchange DeliveryQueue::StartFirst(absl::Time now) {
  Exchange exchange;
  exchange.entry = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= exchange.entry.bytes();
  exchange.ordering_key = order_.KeyOf(exchange.entry);
  return Started(std::move(exchange), now);
}

Exchange DeliveryQueue::StartRetry(DueException exception, absl::Time now) {
  ++retries_in_flight_;
  Exchange exchange;
  exchange.attempt_number = exception.row.attempts + exception.row.throttled + 1;
  exchange.ordering_key = exception.row.ordering_key;
  exchange.entry = std::move(exception.entry);
  exchange.retry = exception.row;
  return Started(std::move(exchange), now);
}

Exchange DeliveryQueue::Started(Exchange exchange, absl::Time now) const {
  exchange.start_time = now;
  exchange.expired = now >= ExpireTimeOf(exchange.entry, Schedule());
  return exchange;
}

const std::vector<absl::Duration>& DeliveryQueue::Schedule() const {
  return ScheduleOf(*subscription_, options_->default_schedule);
}

void DeliveryQueue::PutBack(Exchange exchange, absl::Duration monotonic) {
  // What was in flight together fails together: one incident, one wait.
  if (monotonic >= fault_until_) {
    fault_delay_ = std::clamp(2 * fault_delay_, kFaultDelayMin, kFaultDelayMax);
    fault_until_ = monotonic + fault_delay_;
  }
  if (exchange.retry.has_value()) {
    retries_.PutBack({.row = *exchange.retry, .entry = std::move(exchange.entry)});
    return;
  }
  ready_bytes_ += exchange.entry.bytes();
  ready_.push_front(std::move(exchange.entry));
}

std::optional<OutcomeRecord> DeliveryQueue::OnResult(Exchange exchange, const PostResult& result,
                                                     absl::Time now, absl::Duration monotonic,
                                                     double chance) {
  --in_flight_;
  retries_in_flight_ -= exchange.retry.has_value() ? 1 : 0;
  if (result.outcome == Outcome::kInternalError) {
    PutBack(std::move(exchange), monotonic);
    return std::nullopt;
  }
  fault_delay_ = absl::ZeroDuration();
  const std::vector<absl::Duration>& schedule = Schedule();
  NextStep step = DecideNextStep(result, exchange.attempt_number, now, schedule,
                                 ExpireTimeOf(exchange.entry, schedule), chance);
  if (exchange.expired) {
    step = {.disposition = Disposition::kDead, .due_time = {}, .dead_reason = DeadReason::kExpired};
  }
  const ShardId shard = exchange.entry.shard;
  if (!exchange.retry.has_value()) {
    lanes_[shard].progress.Settle(exchange.entry.seq);
    read_entries_.Drop(shard, exchange.entry.seq);
  }
  ++uncommitted_;
  OutcomeRecord record = MakeOutcomeRecord(subscription_->number, exchange, result, step);
  AdvanceOrder(exchange, step.disposition);
  return record;
}

void DeliveryQueue::AdvanceOrder(const Exchange& exchange, Disposition disposition) {
  const ShardId shard = exchange.entry.shard;
  const Seq seq = exchange.entry.seq;
  const OrderingKey key = exchange.ordering_key;
  const bool delivered = disposition == Disposition::kDelivered;
  const bool excepted = disposition == Disposition::kException;
  if (exchange.retry.has_value()) {
    const auto end = delivered ? DeliveryOrder::End::kDelivered : DeliveryOrder::End::kDead;
    MakeReady(excepted ? std::nullopt : order_.OnResolved(shard, key, seq, end));
  } else if (excepted) {
    order_.OnExcepted(shard, key, seq);
  } else if (delivered) {
    MakeReady(order_.OnDelivered(shard, key));
  } else {
    order_.OnDead(shard, key, seq);
  }
}

std::optional<OutcomeRecord> DeliveryQueue::NextParked() {
  std::optional<LogEntry> entry;
  if (!to_park_.empty()) {
    entry = std::move(to_park_.front());
    to_park_.pop_front();
  } else {
    entry = order_.NextToPark();
  }
  if (!entry.has_value()) {
    return std::nullopt;
  }
  lanes_[entry->shard].progress.Settle(entry->seq);
  read_entries_.Drop(entry->shard, entry->seq);
  ++uncommitted_;
  return MakeParkedRecord(subscription_->number, *entry, order_.KeyOf(*entry));
}

void DeliveryQueue::OnCommitted(ShardId shard, const CommittedOutcome& outcome,
                                AttemptSeq attempt_head) {
  --uncommitted_;
  if (outcome.dead_key != 0) {
    MakeReady(order_.OnDeathCommitted(shard, outcome.dead_key, outcome.seq));
  }
  if (outcome.resolved.has_value()) {
    retries_.OnResolved(*outcome.resolved, outcome.due_time);
    return;
  }
  if (outcome.added.has_value()) {
    retries_.OnAdded(*outcome.added, *outcome.due_time);
    LeaveIfOverBudget();
  }
  const auto lane = lanes_.find(shard);
  if (lane == lanes_.end() || lane->second.progress.mode() == ShardProgress::Mode::kReading) {
    return;
  }
  outbox_->ToShard(shard, SettledMessage{.subscription = subscription_->number,
                                         .shard = shard,
                                         .seq = outcome.seq,
                                         .attempt_head = attempt_head});
}

// --- Retries -------------------------------------------------------------------------------------

std::optional<RetryLane::Load> DeliveryQueue::NextLoad(absl::Time now, size_t rows) {
  if (!subscription_->may_send()) {
    return std::nullopt;
  }
  return retries_.NextLoad(now, rows);
}

void DeliveryQueue::OnLoaded(const RetryLane::Load& load,
                             absl::StatusOr<std::vector<DueException>> rows, absl::Time now) {
  if (!rows.ok()) {
    retries_.OnLoadFailed(load, now + kFaultDelayMin);
    return;
  }
  retries_.OnLoaded(load, *std::move(rows), now);
}

absl::Time DeliveryQueue::next_due() const {
  return subscription_->may_send() ? retries_.next_due() : absl::InfiniteFuture();
}

bool DeliveryQueue::idle() const {
  const auto at_rest = [](const auto& lane) {
    return lane.second.progress.mode() == ShardProgress::Mode::kTail &&
           lane.second.progress.owed().empty() && !lane.second.asked_to_leave;
  };
  return ready_.empty() && order_.empty() && in_flight_ == 0 && uncommitted_ == 0 && !reading_ &&
         retries_.waiting() == 0 && !retries_.loading() &&
         std::all_of(lanes_.begin(), lanes_.end(), at_rest);
}

}  // namespace postrider
