#include "gateway/delivery_admin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gateway/delivery_explanation.h"
#include "gateway/model/event_pattern.h"

namespace postrider {
namespace {

constexpr size_t kRedriveStep = 500;
constexpr int kMarkTries = 8;

absl::Status NotDead(DeliveryState state, absl::string_view event_id) {
  return WithResource(
      WithReason(absl::FailedPreconditionError(absl::StrCat(
                     "event `", event_id, "` is no dead letter of the subscription: it is ",
                     NameOf(state))),
                 "NOT_A_DEAD_LETTER"),
      "event", event_id);
}

absl::Status EventExpired(absl::string_view event_id) {
  return WithResource(WithReason(absl::FailedPreconditionError(
                                     absl::StrCat("event `", event_id,
                                                  "` has an expire_time that is over: it can't "
                                                  "be sent any more")),
                                 "EVENT_EXPIRED"),
                      "event", event_id);
}

absl::Status CheckFilter(const PurgeFilter& filter) {
  if (filter.event_types.size() > kPatternsMax) {
    return InvalidField("event_types", absl::StrCat("has ", filter.event_types.size(),
                                                    " patterns; the limit is ", kPatternsMax));
  }
  for (size_t i = 0; i < filter.event_types.size(); ++i) {
    RETURN_IF_ERROR(
        EventPattern::Parse(absl::StrCat("event_types[", i, "]"), filter.event_types[i]).status());
  }
  return absl::OkStatus();
}

// The event and what is known of it with the subscription.
absl::StatusOr<DeliveryRecord> FindDelivery(StoreReader& reader, const std::string& organization,
                                            const std::string& event_id,
                                            SubscriptionNumber subscription) {
  ASSIGN_OR_RETURN(const LogEntry entry, FindEvent(reader, organization, event_id));
  return reader.ReadDelivery(entry.event->id, organization, subscription);
}

// The redrives of what is dead in `record`.
absl::StatusOr<Batch> RedrivesOf(const DeliveryRecord& record, const Subscription& subscription,
                                 absl::Time now) {
  const std::string id = record.entry.event->id.ToString();
  Batch batch;
  batch.shard = record.entry.shard;
  for (const ExceptionRow& row : record.exceptions) {
    if (row.state == ExceptionState::kDead) {
      batch.writes.emplace_back(RedriveException{row.key});
    }
  }
  if (batch.writes.empty()) {
    return NotDead(Explain(record, subscription, nullptr).state, id);
  }
  if (record.entry.event->expire_time.value_or(absl::InfiniteFuture()) <= now) {
    return EventExpired(id);
  }
  return batch;
}

}  // namespace

void DeliveryAdmin::Commit(const std::shared_ptr<Work>& work, Batch batch, Next next) {
  const ShardId shard = *batch.shard;
  auto committed = [this, work, shard, next = std::move(next)](const BatchResult& result) {
    if (result.state != CommitState::kCommitted) {
      return work->Answer(NotCommitted(result));
    }
    work->so_far.rows += result.exceptions.rows;
    parts_.engine->OnExceptionsChanged(work->subscription->number, shard, result.exceptions);
    next(result.exceptions);
  };
  parts_.commits->Submit(std::move(batch), std::move(committed));
}

void DeliveryAdmin::Finish(const std::shared_ptr<Work>& work) {
  parts_.engine->AfterAllLoops([work] { work->Answer(work->so_far); });
}

// --- Reading -------------------------------------------------------------------------------------

void DeliveryAdmin::ListDeadLetters(const std::string& subscription_id, std::string page,
                                    size_t limit, Gateway::Done<DeadLetterPage> done) {
  const Record record = parts_.registry->Find(subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(subscription_id));
    return;
  }
  const DeadLetterQuery query{
      .subscription = record->number, .page = std::move(page), .limit = limit};
  ReadFor<DeadLetterPage>(
      *parts_.reads, [query](StoreReader& reader) { return reader.ListDeadLetters(query); },
      std::move(done));
}

void DeliveryAdmin::Explain(std::string organization, std::string event_id,
                            const std::string& subscription_id,
                            Gateway::Done<DeliveryExplanation> done) {
  const Record record = parts_.registry->Find(subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(subscription_id));
    return;
  }
  ReadFor<DeliveryExplanation>(
      *parts_.reads,
      [this, record, organization = std::move(organization),
       event_id = std::move(event_id)](StoreReader& reader) -> absl::StatusOr<DeliveryExplanation> {
        ASSIGN_OR_RETURN(const DeliveryRecord delivery,
                         FindDelivery(reader, organization, event_id, record->number));
        const std::optional<SubscriptionHealth> health = parts_.health->Find(record->number);
        return postrider::Explain(delivery, *record, health.has_value() ? &*health : nullptr);
      },
      std::move(done));
}

// --- Redriving -----------------------------------------------------------------------------------

void DeliveryAdmin::Redrive(RedriveOrder order, Gateway::Done<RedriveResult> done) {
  const Record record = parts_.registry->Find(order.subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(order.subscription_id));
    return;
  }
  const auto work = std::make_shared<Work>(record, std::move(done));
  if (order.event_id.empty()) {
    RedriveAfter(/*page=*/"", work);
  } else {
    RedriveOne(order, work);
  }
}

void DeliveryAdmin::RedriveOne(const RedriveOrder& order, const std::shared_ptr<Work>& work) {
  auto finish = [this, work, id = order.event_id](const ExceptionChanges& changes) {
    // Somebody else was first: it is waiting by now, or purged.
    if (changes.rows == 0) return work->Answer(NotDead(DeliveryState::kWaitingRetry, id));
    Finish(work);
  };
  auto redrive = [this, work, finish](const absl::StatusOr<Batch>& batch) {
    if (!batch.ok()) return work->Answer(batch.status());
    Commit(work, *batch, finish);
  };
  ReadFor<Batch>(
      *parts_.reads,
      [this, work, order](StoreReader& reader) -> absl::StatusOr<Batch> {
        ASSIGN_OR_RETURN(
            const DeliveryRecord record,
            FindDelivery(reader, order.organization, order.event_id, work->subscription->number));
        return RedrivesOf(record, *work->subscription, parts_.clock->Now());
      },
      std::move(redrive));
}

void DeliveryAdmin::RedriveAfter(const std::string& page, const std::shared_ptr<Work>& work) {
  auto redrive = [this, work](const absl::StatusOr<DeadLetterPage>& letters) {
    if (!letters.ok()) {
      return work->Answer(letters.status());
    }
    RedrivePage(*letters, work);
  };
  const DeadLetterQuery query{
      .subscription = work->subscription->number, .page = page, .limit = kRedriveStep};
  ReadFor<DeadLetterPage>(
      *parts_.reads, [query](StoreReader& reader) { return reader.ListDeadLetters(query); },
      std::move(redrive));
}

void DeliveryAdmin::RedrivePage(const DeadLetterPage& page, const std::shared_ptr<Work>& work) {
  // Pages follow on each other by position: who dies again meanwhile is not redriven twice.
  const absl::Time now = parts_.clock->Now();
  std::vector<Batch> batches;
  for (const DeadLetter& letter : page.letters) {
    if (!letter.event_id.has_value() ||
        letter.expire_time.value_or(absl::InfiniteFuture()) <= now) {
      continue;  // There is nothing to send, or it may not be sent any more.
    }
    if (batches.empty() || batches.back().shard != letter.row.key.shard) {
      batches.emplace_back().shard = letter.row.key.shard;
    }
    batches.back().writes.emplace_back(RedriveException{letter.row.key});
  }
  auto go_on = [this, work, next_page = page.next_page] {
    work->so_far.more = !next_page.empty() && work->so_far.rows >= kRedriveMax;
    if (next_page.empty() || work->so_far.more) return Finish(work);
    RedriveAfter(next_page, work);
  };
  if (batches.empty()) {
    go_on();
    return;
  }
  // All callbacks run on the store thread.
  const auto missing = std::make_shared<size_t>(batches.size());
  for (Batch& batch : batches) {
    Commit(work, std::move(batch), [missing, go_on](const ExceptionChanges&) {
      if (--*missing == 0) go_on();
    });
  }
}

// --- Purging -------------------------------------------------------------------------------------

void DeliveryAdmin::Purge(const PurgeOrder& order, Gateway::Done<uint64_t> done) {
  const Record record = parts_.registry->Find(order.subscription_id);
  if (record == nullptr) {
    std::move(done)(SubscriptionNotFound(order.subscription_id));
    return;
  }
  if (absl::Status status = CheckFilter(order.filter); !status.ok()) {
    std::move(done)(std::move(status));
    return;
  }
  if (order.dead_letters_only || record->start_seqs.empty()) {
    OnMarked(order, record, std::move(done));  // What nothing is owed to needs no mark.
    return;
  }
  Mark(order, record, kMarkTries, std::move(done));
}

void DeliveryAdmin::Mark(const PurgeOrder& order, Record current, int tries,
                         Gateway::Done<uint64_t> done) {
  PutSubscription write;
  write.subscription = *current;
  write.expected_version = current->version;
  if (order.filter.empty()) {
    write.skip_backlog = true;
    write.subscription.purge_marks.clear();
  } else {
    write.purge = order.filter;
  }
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  auto tried = [this, order, tries, done = std::move(done)](const BatchResult& result) mutable {
    OnMarkTried(order, result, tries, std::move(done));
  };
  parts_.commits->Submit(std::move(batch), std::move(tried));
}

void DeliveryAdmin::OnMarkTried(const PurgeOrder& order, const BatchResult& result, int tries,
                                Gateway::Done<uint64_t> done) {
  if (result.state != CommitState::kCommitted) {
    std::move(done)(NotCommitted(result));
    return;
  }
  const ConfigResult& stored = result.configured[0];
  Record current = parts_.registry->Find(order.subscription_id);
  if (absl::IsAborted(stored.status()) && tries > 1 && current != nullptr) {
    Mark(order, std::move(current), tries - 1, std::move(done));  // It was changed meanwhile.
    return;
  }
  if (!stored.ok()) {
    std::move(done)(stored.status());
    return;
  }
  OnMarked(order, *stored, std::move(done));
}

void DeliveryAdmin::OnMarked(const PurgeOrder& order, Record marked, Gateway::Done<uint64_t> done) {
  auto answer = [done = std::move(done)](const absl::StatusOr<RedriveResult>& result) mutable {
    std::move(done)(result.ok() ? absl::StatusOr<uint64_t>(result->rows) : result.status());
  };
  auto work = std::make_shared<PurgeWork>(marked, std::move(answer));
  work->step.subscription = marked->number;
  work->step.filter = order.filter;
  work->step.dead_only = order.dead_letters_only;
  work->through = marked->start_seqs;
  if (order.dead_letters_only) {
    work->through.assign(work->through.size(), kSeqMax);
  } else if (!order.filter.empty() && !marked->purge_marks.empty()) {
    work->through = marked->purge_marks.back().through;
  }
  // Once every loop knows the mark, no exception is made any more that it covers.
  parts_.engine->AfterAllLoops([this, work] { PurgeNext(work); });
}

void DeliveryAdmin::PurgeNext(const std::shared_ptr<PurgeWork>& work) {
  if (work->shard >= work->through.size()) {
    Finish(work);
    return;
  }
  work->step.through = work->through[work->shard];
  Batch batch;
  batch.shard = work->shard;
  batch.writes.emplace_back(work->step);
  Commit(work, std::move(batch), [this, work](const ExceptionChanges& changes) {
    work->step.after = changes.purged_to.value_or(ExceptionPlace());
    work->shard += changes.purged_to.has_value() ? 0 : 1;
    PurgeNext(work);
  });
}

}  // namespace postrider
