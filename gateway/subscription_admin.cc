#include "gateway/subscription_admin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/accept/validate_subscription.h"
#include "gateway/answers.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"
#include "gateway/model/secret.h"
#include "gateway/model/url.h"

namespace postrider {
namespace {

absl::Status EtagMismatch() {
  return WithReason(absl::AbortedError("etag: the subscription has been changed meanwhile; read it "
                                       "again and repeat the change"),
                    "ETAG_MISMATCH");
}

bool SameSecrets(const std::vector<Secret>& a, const std::vector<Secret>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Secret& x, const Secret& y) { return x.text == y.text; });
}

// Whether a repeated create asks for what exists already. Secrets count where the wish has any.
bool AsksForTheSame(const Subscription& wish, const Subscription& existing) {
  if (!wish.secrets.empty() && !SameSecrets(wish.secrets, existing.secrets)) {
    return false;
  }
  const auto same_header = [](const Header& a, const Header& b) {
    return a.name == b.name && a.value == b.value;
  };
  return wish.organization == existing.organization && wish.url == existing.url &&
         wish.event_types == existing.event_types && wish.scope == existing.scope &&
         wish.description == existing.description && wish.verification == existing.verification &&
         wish.policy.schedule == existing.policy.schedule &&
         wish.policy.timeout == existing.policy.timeout &&
         wish.policy.max_in_flight == existing.policy.max_in_flight &&
         std::equal(wish.headers.begin(), wish.headers.end(), existing.headers.begin(),
                    existing.headers.end(), same_header);
}

constexpr int kUpdateTries = 8;

// A subscription that was read has kHidden in the place of credentials; writing that back keeps
// them.
void SetUrl(const std::string& from, std::string& to) {
  const absl::StatusOr<Url> current = ParseUrl(to);
  if (!current.ok() || from != current->Redacted()) {
    to = from;
  }
}

void SetHeaders(std::vector<Header> from, std::vector<Header>& to) {
  for (Header& header : from) {
    const auto same_name = [&header](const Header& other) { return other.name == header.name; };
    const auto current = std::find_if(to.begin(), to.end(), same_name);
    if (header.value == kHidden && current != to.end()) {
      header.value = current->value;
    }
  }
  to = std::move(from);
}

void SetPath(absl::string_view path, const Subscription& from, Subscription& to) {
  if (path == "url") SetUrl(from.url, to.url);
  if (path == "event_types") to.event_types = from.event_types;
  if (path == "scope") to.scope = from.scope;
  if (path == "description") to.description = from.description;
  if (path == "headers") SetHeaders(from.headers, to.headers);
  if (path == "secrets") to.secrets = from.secrets;
  if (path == "policy.schedule") to.policy.schedule = from.policy.schedule;
  if (path == "policy.timeout") to.policy.timeout = from.policy.timeout;
  if (path == "policy.max_in_flight") to.policy.max_in_flight = from.policy.max_in_flight;
  if (path == "verification") to.verification = from.verification;
}

}  // namespace

std::string EtagOf(const Subscription& subscription) {
  return absl::StrCat("\"", subscription.version, "\"");
}

absl::Status SubscriptionAdmin::Complete(Subscription& subscription) const {
  const absl::Time now = parts_.clock->Now();
  if (subscription.secrets.empty()) {
    subscription.secrets.push_back(
        {.text = GenerateSecret(parts_.random), .create_time = now, .expire_time = {}});
  }
  subscription.update_time = now;
  RETURN_IF_ERROR(ValidateSubscription(subscription, parts_.allow_http));
  absl::StatusOr<Url> url = ParseUrl(subscription.url);
  RETURN_IF_ERROR(url.status());
  return parts_.guard->CheckUrl(*url);
}

void SubscriptionAdmin::Create(Subscription subscription, Done done) {
  const Subscription wish = subscription;
  if (subscription.id.empty()) {
    subscription.id =
        Uuid::Version7(parts_.clock->Now(), {parts_.random->Next(), parts_.random->Next()})
            .ToString();
  }
  subscription.create_time = parts_.clock->Now();
  subscription.verified = subscription.verification == Verification::kNone;
  if (absl::Status status = Complete(subscription); !status.ok()) {
    std::move(done)(std::move(status));
    return;
  }
  PutSubscription write;
  write.start_at_heads = subscription.verified;
  write.subscription = std::move(subscription);
  Put(std::move(write),
      [this, wish, done = std::move(done)](absl::StatusOr<Record> created) mutable {
        if (absl::IsAlreadyExists(created.status())) created = Repeated(wish, created.status());
        std::move(done)(std::move(created));
      });
}

absl::StatusOr<SubscriptionAdmin::Record> SubscriptionAdmin::Repeated(
    const Subscription& wish, const absl::Status& refusal) const {
  const Record existing = parts_.registry->Find(wish.id);
  if (existing == nullptr || !AsksForTheSame(wish, *existing)) {
    return refusal;
  }
  if (!wish.secrets.empty()) {
    return existing;
  }
  // A generated secret was shown once, to who created the subscription.
  auto without_secrets = std::make_shared<Subscription>(*existing);
  for (Secret& secret : without_secrets->secrets) {
    secret.text.clear();
  }
  return without_secrets;
}

void SubscriptionAdmin::Update(SubscriptionUpdate update, Done done) {
  TryUpdate(std::make_shared<const SubscriptionUpdate>(std::move(update)), kUpdateTries,
            std::move(done));
}

absl::StatusOr<PutSubscription> SubscriptionAdmin::Changed(const SubscriptionUpdate& update) const {
  const Record current = parts_.registry->Find(update.subscription.id);
  if (current == nullptr) {
    return SubscriptionNotFound(update.subscription.id);
  }
  if (!update.etag.empty() && update.etag != EtagOf(*current)) {
    return EtagMismatch();
  }
  Subscription changed = *current;
  for (const std::string& path : update.paths) {
    SetPath(path, update.subscription, changed);
  }
  if (changed.verification == Verification::kNone) {
    changed.verified = true;
  } else if (changed.url != current->url || current->verification == Verification::kNone) {
    changed.verified = false;
  }
  RETURN_IF_ERROR(Complete(changed));
  PutSubscription write;
  write.expected_version = current->version;
  write.start_at_heads = changed.verified && changed.start_seqs.empty();
  write.subscription = std::move(changed);
  return write;
}

void SubscriptionAdmin::TryUpdate(std::shared_ptr<const SubscriptionUpdate> update, int tries,
                                  Done done) {
  absl::StatusOr<PutSubscription> write = Changed(*update);
  if (!write.ok()) {
    std::move(done)(write.status());
    return;
  }
  Put(*std::move(write),
      [this, update, tries, done = std::move(done)](absl::StatusOr<Record> changed) mutable {
        // Who gave no etag does not mind that another change came first.
        if (absl::IsAborted(changed.status()) && update->etag.empty() && tries > 1) {
          TryUpdate(std::move(update), tries - 1, std::move(done));
        } else {
          std::move(done)(std::move(changed));
        }
      });
}

void SubscriptionAdmin::Put(PutSubscription write, Done done) {
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  auto answer = [this, done = std::move(done)](const BatchResult& result) mutable {
    if (result.configured.empty()) {
      std::move(done)(absl::UnavailableError("the gateway is stopping"));
    } else if (!result.configured[0].ok()) {
      std::move(done)(result.configured[0].status());
    } else {
      AfterPut(*result.configured[0], std::move(done));
    }
  };
  parts_.commits->Submit(std::move(batch), std::move(answer));
}

void SubscriptionAdmin::AfterPut(Record subscription, Done done) {
  if (subscription->state() == SubscriptionState::kUnverified) {
    Verify(std::move(subscription), std::move(done));
    return;
  }
  AnswerEverywhere(std::move(subscription), std::move(done));
}

void SubscriptionAdmin::AnswerEverywhere(Record subscription, Done done) {
  parts_.engine->AfterAllLoops(
      [subscription = std::move(subscription), done = SureDone<Record>(std::move(done))]() mutable {
        done(std::move(subscription));
      });
}

// --- Challenges ----------------------------------------------------------------------------------

void SubscriptionAdmin::Verify(Record subscription, Done done) {
  Challenge challenge{.subscription = std::move(subscription),
                      .done = SureDone<Record>(std::move(done))};
  {
    const MutexLock lock(&mutex_);
    if (challenges_under_way_ >= kChallengesMax) {
      waiting_.push_back(std::move(challenge));
      return;
    }
    ++challenges_under_way_;
  }
  Send(std::move(challenge));
}

void SubscriptionAdmin::Send(Challenge challenge) {
  const Engine::LoopParts home =
      parts_.loops[parts_.engine->HomeOfUrl(challenge.subscription->url)];
  std::string token = absl::StrFormat("%016x%016x", parts_.random->Next(), parts_.random->Next());
  home.loop->Post([this, poster = home.poster, token = std::move(token),
                   challenge = std::move(challenge)]() mutable {
    std::shared_ptr<const Endpoint> endpoint = poster->Prepare(*challenge.subscription);
    auto answer = [this, challenge = std::move(challenge)](const PostResult& result) mutable {
      OnChallenged(std::move(challenge), result);
    };
    poster->Challenge(std::move(endpoint), std::move(token), std::move(answer));
  });
}

void SubscriptionAdmin::OnChallenged(Challenge challenge, const PostResult& result) {
  SendNext();
  const Record& subscription = challenge.subscription;
  auto answer = [done = std::move(challenge.done)](absl::StatusOr<Record> record) mutable {
    done(std::move(record));
  };
  if (!result.success()) {
    LogWarning(
        absl::StrCat("subscription ", subscription->id, " is not verified: ", result.error_text));
    AnswerEverywhere(subscription, std::move(answer));
    return;
  }
  PutSubscription write;
  write.subscription = *subscription;
  write.subscription.verified = true;
  write.subscription.update_time = parts_.clock->Now();
  write.expected_version = subscription->version;
  write.start_at_heads = subscription->start_seqs.empty();
  Put(std::move(write), [this, id = subscription->id,
                         answer = std::move(answer)](absl::StatusOr<Record> verified) mutable {
    if (!verified.ok()) {
      // Changed or deleted meanwhile: what it is now has its own challenge, or needs none.
      const Record now = parts_.registry->Find(id);
      verified = now != nullptr ? absl::StatusOr<Record>(now) : SubscriptionNotFound(id);
    }
    answer(std::move(verified));
  });
}

void SubscriptionAdmin::SendNext() {
  std::optional<Challenge> next;
  {
    const MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      --challenges_under_way_;
      return;
    }
    next.emplace(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  Send(*std::move(next));
}

void SubscriptionAdmin::Delete(const std::string& id, const std::string& etag,
                               Gateway::Done<bool> done) {
  const Record current = parts_.registry->Find(id);
  if (current == nullptr) {
    std::move(done)(SubscriptionNotFound(id));
    return;
  }
  if (!etag.empty() && etag != EtagOf(*current)) {
    std::move(done)(EtagMismatch());
    return;
  }
  Batch batch;
  batch.writes.emplace_back(DeleteSubscription{
      .number = current->number, .expected_version = etag.empty() ? 0 : current->version});
  parts_.commits->Submit(std::move(batch), [this, done = std::move(done)](
                                               const BatchResult& result) mutable {
    if (result.configured.empty() || !result.configured[0].ok()) {
      std::move(done)(result.configured.empty() ? absl::UnavailableError("the gateway is stopping")
                                                : result.configured[0].status());
      return;
    }
    parts_.engine->AfterAllLoops([done = std::move(done)]() mutable { std::move(done)(true); });
  });
}

}  // namespace postrider
