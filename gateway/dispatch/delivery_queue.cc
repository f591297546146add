#include "gateway/dispatch/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"
#include "gateway/dispatch/match.h"
#include "gateway/dispatch/outcome_record.h"
#include "gateway/dispatch/retry_policy.h"

namespace postrider {
namespace {

// Of eleven exchanges one is a replay's, and of the others one in five is a retry's, when all wait
// (8 : 2 : 1, T4); the first retry waits for none.
constexpr uint64_t kRetryShare = 5;
constexpr uint64_t kReplayShare = 11;
constexpr absl::Duration kFaultDelayMin = absl::Seconds(1);
constexpr absl::Duration kFaultDelayMax = absl::Seconds(30);

}  // namespace

DeliveryQueue::DeliveryQueue(std::shared_ptr<const Subscription> subscription,
                             const Options* options, const SubscriptionDirectory* directory,
                             const Suspects* suspects, Outbox* outbox)
    : subscription_(std::move(subscription)),
      options_(options),
      directory_(directory),
      suspects_(suspects),
      outbox_(outbox),
      order_(subscription_->policy.order),
      health_(*subscription_, options->max_in_flight_default) {}

void DeliveryQueue::Configure(std::shared_ptr<const Subscription> subscription, absl::Time now) {
  subscription_ = std::move(subscription);
  health_.Configure(*subscription_, now);
  DropNotOwed();
  if (!subscription_->may_send()) {
    UnloadAll();
  }
}

// --- Messages from shards ------------------------------------------------------------------------

void DeliveryQueue::OnPair(PairMessage message) {
  const ShardId shard = message.entry.shard;
  Lane& lane = lanes_[shard];
  lane.progress.Owe(message.entry.seq);
  if (MatchPosition(*subscription_, message.entry) != Match::kOwed) {
    lane.progress.Settle(message.entry.seq);  // Purged while the pair was on its way.
    TellSettled(shard, message.entry.seq, /*attempt_head=*/0);
    return;
  }
  Accept(std::move(message.entry));
  LeaveIfNeeded();
}

void DeliveryQueue::LeaveIfNeeded() {
  const bool over_budget = ready_.size() + order_.held() > 1 && waiting_bytes() > kQueueBytesMax;
  const bool from_all = over_budget || ExceptionsFull() || health_.away();
  if (!from_all && !order_.AnyStopped()) {
    return;
  }
  for (const auto& [shard, lane] : lanes_) {
    if (from_all || order_.Stopped(shard)) {
      AskLeave(shard);
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
  UnloadReady(message.shard, lane, Rests() ? 0 : kReaderPageEvents);
}

void DeliveryQueue::OnRejoinAnswer(const RejoinAnswerMessage& message) {
  Lane& lane = lanes_[message.shard];
  lane.caught_up = false;
  if (message.granted) {
    lane.progress.set_mode(ShardProgress::Mode::kTail);
    LeaveIfNeeded();  // It may have got worse since it asked.
    return;
  }
  lane.progress.set_mode(ShardProgress::Mode::kReading);
  lane.refused_at = lane.progress.owed().empty() ? 0 : lane.progress.owed().front();
}

// --- Sending -------------------------------------------------------------------------------------

bool DeliveryQueue::MaySend(absl::Duration monotonic) const {
  return subscription_->may_send() && monotonic >= fault_until_ &&
         health_.MayStart(in_flight_, monotonic);
}

bool DeliveryQueue::ExceptionsFull() const {
  return retries_.waiting() >= kExceptionsPerSubscriptionMax;
}

std::optional<DeliveryQueue::Kind> DeliveryQueue::NextKind(absl::Time now,
                                                           absl::Duration monotonic) const {
  if (!MaySend(monotonic)) {
    return std::nullopt;
  }
  const bool retry_waits = retries_.HasLoaded();
  const bool first_waits = !ready_.empty() && !ExceptionsFull() && FirstDue(now) <= now &&
                           (retry_waits || !RetryGoesFirst(now));
  const bool replay_waits = !ExceptionsFull() && replays_.Ready(monotonic) &&
                            !(health_.probing() && (retry_waits || RetryGoesFirst(now)));
  if (!first_waits && !retry_waits && !replay_waits) {
    return std::nullopt;
  }
  // One of several slots is a retry's; a single one is taken in turns, or by a probe.
  const uint64_t turn = turns_ + 1;
  const bool retry_turn = (retries_in_flight_ == 0 && (in_flight_ > 0 || waits_to_run_alone_)) ||
                          turn % kRetryShare == 0 || health_.probing();
  const bool replay_turn = turn % kReplayShare == 0 || (!first_waits && !retry_waits);
  if (replay_waits && replay_turn) {
    return Kind::kReplay;
  }
  return retry_waits && (retry_turn || !first_waits) ? Kind::kRetry : Kind::kFirst;
}

std::optional<Exchange> DeliveryQueue::Next(absl::Time now, absl::Duration monotonic,
                                            bool wire_is_empty) {
  OnTime(now);
  const std::optional<Kind> kind = NextKind(now, monotonic);
  waits_to_run_alone_ = kind.has_value() && !wire_is_empty && MustRunAlone(*kind, monotonic);
  if (!kind.has_value() || waits_to_run_alone_) {
    return std::nullopt;
  }
  ++in_flight_;
  ++turns_;
  Exchange exchange;
  switch (*kind) {
    case Kind::kReplay: exchange = StartReplayed(now, monotonic); break;
    case Kind::kRetry: exchange = StartRetry(*retries_.Take(), now); break;
    case Kind::kFirst: exchange = StartFirst(now); break;
  }
  if (exchange.dead_reason == DeadReason::kNone) {
    health_.OnStart(monotonic);
  }
  return exchange;
}

absl::Time DeliveryQueue::FirstDue(absl::Time now) const {
  const absl::Duration wait = Schedule().front();
  // Without a wait no clock has a say.
  if (wait <= absl::ZeroDuration()) {
    return absl::InfinitePast();
  }
  // By the slower of both clocks; if it has not reached the accept time, that is the other one's.
  const absl::Time accept_time = ready_.front().accept_time;
  const absl::Duration slower = std::min(wall_offset_, absl::ZeroDuration());
  const absl::Duration faster = std::max(wall_offset_, absl::ZeroDuration());
  if (accept_time > now + faster) {
    return absl::InfinitePast();  // Stamped by a clock that was ahead of both: nobody knows when.
  }
  return accept_time - (accept_time <= now + slower ? slower : faster) + wait;
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
  exchange.origin = exception.row.key.origin;
  return Started(std::move(exchange), now);
}

Exchange DeliveryQueue::Started(Exchange exchange, absl::Time now) const {
  exchange.start_time = now + wall_offset_;
  exchange.url_version = health_.url_version();
  exchange.dead_reason = DeadAtStart(exchange, now);
  return exchange;
}

DeadReason DeliveryQueue::DeadAtStart(const Exchange& exchange, absl::Time now) const {
  if (suspects_->Quarantined(ItemOf(exchange.entry))) {
    return DeadReason::kQuarantined;
  }
  if (now >= ExpireTime(exchange)) {
    return DeadReason::kExpired;
  }
  const size_t limit = subscription_->policy.max_body_bytes;
  const bool too_large = limit > 0 && exchange.entry.event->body.size() > limit;
  return too_large ? DeadReason::kTooLarge : DeadReason::kNone;
}

absl::Time DeliveryQueue::ExpireTime(const Exchange& exchange) const {
  // What is redriven or replayed may be old: its time begins anew with its first attempt.
  absl::Time since = exchange.entry.accept_time;
  if (subscription_->start_time.has_value()) {
    since = std::max(since, subscription_->create_time);  // The past is owed since then only.
  }
  const bool redriven = exchange.retry.has_value() && exchange.retry->redriven;
  if (redriven || exchange.origin != kOriginLog) {
    since = exchange.retry.has_value() ? exchange.retry->first_attempt_time : exchange.start_time;
  }
  // Over when both clocks say so.
  const absl::Duration behind = std::max(-wall_offset_, absl::ZeroDuration());
  return behind + ExpireTimeOf(*exchange.entry.event, since,
                               MaxAgeOf(subscription_->policy, Schedule(), options_->retention),
                               subscription_->pauses);
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
    retries_.PutBack(*exchange.retry);
    return;
  }
  if (exchange.origin != kOriginLog) {
    replays_.PutBack(exchange.origin, std::move(exchange.entry));
    return;
  }
  if (IsPurged(exchange)) {
    const ShardId shard = exchange.entry.shard;
    lanes_[shard].progress.Settle(exchange.entry.seq);
    read_entries_.Drop(shard, exchange.entry.seq);
    TellSettled(shard, exchange.entry.seq, /*attempt_head=*/0);
    MakeReady(order_.OnDelivered(shard, exchange.ordering_key));
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
    health_.OnOwnFault();
    PutBack(std::move(exchange), monotonic);
    return std::nullopt;
  }
  fault_delay_ = absl::ZeroDuration();
  NextStep step = Judge(exchange, result, {.wall = now, .monotonic = monotonic, .chance = chance});
  if (step.disposition != Disposition::kDelivered && IsPurged(exchange)) {
    step = {.disposition = Disposition::kDead, .due_time = {}, .dead_reason = {}, .purged = true};
  }
  const ShardId shard = exchange.entry.shard;
  if (exchange.retry.has_value()) {
    // Its exception says how far it is.
  } else if (exchange.origin != kOriginLog) {
    replays_.OnResult(exchange.origin, shard, exchange.entry.seq,
                      step.disposition == Disposition::kDelivered);
  } else {
    lanes_[shard].progress.Settle(exchange.entry.seq);
    read_entries_.Drop(shard, exchange.entry.seq);
  }
  ++uncommitted_;
  OutcomeRecord record = MakeOutcomeRecord(subscription_->number, exchange, result, step);
  AdvanceOrder(exchange, step);
  if (health_.waits()) {
    LeaveIfNeeded();
    UnloadAll();
  }
  return record;
}

NextStep DeliveryQueue::Judge(const Exchange& exchange, const PostResult& result,
                              const SubscriberHealth::Moment& now) {
  if (exchange.dead_reason != DeadReason::kNone) {
    return {.disposition = Disposition::kDead, .due_time = {}, .dead_reason = exchange.dead_reason};
  }
  const std::vector<absl::Duration>& schedule = Schedule();
  const absl::Time expire_time = ExpireTime(exchange);
  const bool is_its_answer = exchange.url_version == health_.url_version();
  if (AsksToWait(result, exchange.throttled())) {
    const absl::Time until = WaitEndOf(result, now.wall);
    if (is_its_answer) {
      health_.OnThrottled(result, until, now.monotonic);
    }
    return ThrottledStep(until, now.wall, expire_time);
  }
  if (!is_its_answer) {
    // Another URL's.
  } else if (result.success()) {
    health_.OnSuccess(result, in_flight_ + 1, now);
  } else {
    health_.OnFailure(result, now);
  }
  return DecideNextStep(result, exchange.charged() + 1, now.wall, schedule, expire_time,
                        now.chance);
}

void DeliveryQueue::OnCommitted(ShardId shard, const CommittedOutcome& outcome,
                                AttemptSeq attempt_head) {
  --uncommitted_;
  if (outcome.dead_key != 0) {
    MakeReady(order_.OnDeathCommitted(shard, outcome.dead_key, outcome.seq));
  }
  if (outcome.replay != kOriginLog && !replays_.OnCommitted(outcome.replay)) {
    return;  // Canceled meanwhile: its exception was not written, or goes.
  }
  if (outcome.stale) {
    retries_.OnStale(*outcome.resolved);
    return;
  }
  if (outcome.resolved.has_value()) {
    retries_.OnResolved(*outcome.resolved, outcome.due_time);
    return;
  }
  if (outcome.added.has_value()) {
    retries_.OnAdded(*outcome.added, *outcome.due_time);
    LeaveIfNeeded();
  }
  if (outcome.replay == kOriginLog) {
    TellSettled(shard, outcome.seq, attempt_head);
  }
}

void DeliveryQueue::TellSettled(ShardId shard, Seq seq, AttemptSeq attempt_head) {
  const auto lane = lanes_.find(shard);
  if (lane == lanes_.end() || lane->second.progress.mode() == ShardProgress::Mode::kReading) {
    return;
  }
  outbox_->ToShard(shard, SettledMessage{.subscription = subscription_->number,
                                         .shard = shard,
                                         .seq = seq,
                                         .attempt_head = attempt_head});
}

// --- Retries -------------------------------------------------------------------------------------

std::optional<RetryLane::Load> DeliveryQueue::NextLoad(absl::Time now, size_t rows) {
  if (Rests()) {
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
  if (Rests()) {
    retries_.Unload();  // It began to rest meanwhile.
  }
}

absl::Time DeliveryQueue::next_due() const {
  if (!subscription_->may_send()) {
    return absl::InfiniteFuture();
  }
  return health_.waits() ? health_.waits_until() : retries_.next_due();
}

bool DeliveryQueue::idle(absl::Duration monotonic) const {
  const auto at_rest = [](const auto& lane) {
    return lane.second.progress.mode() == ShardProgress::Mode::kTail &&
           lane.second.progress.owed().empty() && !lane.second.asked_to_leave;
  };
  return health_.good(monotonic) && ready_.empty() && order_.empty() && replays_.empty() &&
         in_flight_ == 0 && uncommitted_ == 0 && !reading_ && retries_.waiting() == 0 &&
         !retries_.loading() && std::all_of(lanes_.begin(), lanes_.end(), at_rest);
}

}  // namespace postrider
