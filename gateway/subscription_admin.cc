#include "gateway/subscription_admin.h"

#include <algorithm>
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

// Whether a repeated create asks for what exists already.
bool AsksForTheSame(const Subscription& wish, const Subscription& existing) {
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

void SetPath(absl::string_view path, Subscription& from, Subscription& to) {
  if (path == "url") to.url = std::move(from.url);
  if (path == "event_types") to.event_types = std::move(from.event_types);
  if (path == "scope") to.scope = from.scope;
  if (path == "description") to.description = std::move(from.description);
  if (path == "headers") to.headers = std::move(from.headers);
  if (path == "secrets") to.secrets = std::move(from.secrets);
  if (path == "policy.schedule") to.policy.schedule = std::move(from.policy.schedule);
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
  Subscription wish = subscription;
  PutSubscription write;
  write.start_at_heads = subscription.verified;
  write.subscription = std::move(subscription);
  Put(std::move(write), [this, wish = std::move(wish),
                         done = std::move(done)](absl::StatusOr<Record> created) mutable {
    if (absl::IsAlreadyExists(created.status())) {
      const Record existing = parts_.registry->Find(wish.id);
      if (existing != nullptr && AsksForTheSame(wish, *existing)) created = existing;
    }
    std::move(done)(std::move(created));
  });
}

void SubscriptionAdmin::Update(SubscriptionUpdate update, Done done) {
  const Record current = parts_.registry->Find(update.subscription.id);
  if (current == nullptr) {
    std::move(done)(SubscriptionNotFound(update.subscription.id));
    return;
  }
  if (!update.etag.empty() && update.etag != EtagOf(*current)) {
    std::move(done)(EtagMismatch());
    return;
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
  if (absl::Status status = Complete(changed); !status.ok()) {
    std::move(done)(std::move(status));
    return;
  }
  PutSubscription write;
  write.expected_version = current->version;
  write.start_at_heads = changed.verified && changed.start_seqs.empty();
  write.subscription = std::move(changed);
  Put(std::move(write), std::move(done));
}

void SubscriptionAdmin::Put(PutSubscription write, Done done) {
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  parts_.commits->Submit(std::move(batch),
                         [this, done = std::move(done)](const BatchResult& result) mutable {
                           if (result.configured.empty()) {
                             std::move(done)(absl::UnavailableError("the gateway is stopping"));
                           } else if (!result.configured[0].ok()) {
                             std::move(done)(result.configured[0].status());
                           } else {
                             AfterPut(*result.configured[0], std::move(done));
                           }
                         });
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
      [subscription = std::move(subscription), done = std::move(done)]() mutable {
        std::move(done)(std::move(subscription));
      });
}

void SubscriptionAdmin::Verify(Record subscription, Done done) {
  const Engine::LoopParts home = parts_.loops[parts_.engine->HomeOfUrl(subscription->url)];
  std::string challenge =
      absl::StrFormat("%016x%016x", parts_.random->Next(), parts_.random->Next());
  home.loop->Post([this, poster = home.poster, challenge = std::move(challenge),
                   subscription = std::move(subscription), done = std::move(done)]() mutable {
    std::shared_ptr<const Endpoint> endpoint = poster->Prepare(*subscription);
    SureDone<Record> sure_done(std::move(done));
    auto answer = [this, subscription,
                   done = std::move(sure_done)](const PostResult& result) mutable {
      OnChallenged(std::move(subscription), result, std::move(done));
    };
    poster->Challenge(std::move(endpoint), std::move(challenge), std::move(answer));
  });
}

void SubscriptionAdmin::OnChallenged(Record subscription, const PostResult& result, Done done) {
  if (!result.success()) {
    LogWarning(
        absl::StrCat("subscription ", subscription->id, " is not verified: ", result.error_text));
    AnswerEverywhere(std::move(subscription), std::move(done));
    return;
  }
  PutSubscription write;
  write.subscription = *subscription;
  write.subscription.verified = true;
  write.subscription.update_time = parts_.clock->Now();
  write.expected_version = subscription->version;
  write.start_at_heads = subscription->start_seqs.empty();
  Put(std::move(write), std::move(done));
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
