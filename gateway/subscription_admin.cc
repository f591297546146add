#include "gateway/subscription_admin.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/validate_subscription.h"
#include "gateway/answers.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"
#include "gateway/model/secret.h"
#include "gateway/model/url.h"
#include "gateway/sample_event.h"

namespace postrider {
namespace {

constexpr int kTries = 8;

absl::Status EtagMismatch() {
  return WithReason(absl::AbortedError("etag: the subscription has been changed meanwhile; read it "
                                       "again and repeat the change"),
                    "ETAG_MISMATCH");
}

absl::Status ChallengeFailed(const PostResult& result) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat("the challenge failed: ", result.error_text)),
      "CHALLENGE_FAILED");
}

}  // namespace

std::string EtagOf(const Subscription& subscription) {
  return absl::StrCat("\"", subscription.version, "\"");
}

SubscriptionAdmin::SubscriptionAdmin(Parts parts)
    : parts_(std::move(parts)),
      exchanges_(
          [this](const std::string& url) {
            return parts_.loops[static_cast<size_t>(parts_.engine->HomeOfUrl(url))];
          },
          parts_.random) {}

// --- Creating ------------------------------------------------------------------------------------

absl::Status SubscriptionAdmin::Complete(Subscription& subscription) const {
  if (subscription.secrets.empty()) {
    subscription.secrets.push_back({.text = GenerateSecret(parts_.random),
                                    .create_time = parts_.clock->Now(),
                                    .expire_time = {}});
  }
  RETURN_IF_ERROR(ValidateSubscription(subscription, parts_.allow_http));
  RETURN_IF_ERROR(ValidateForRetention(subscription.policy, parts_.retention));
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
  subscription.verified = subscription.verification == Verification::kNone;
  if (absl::Status status = Complete(subscription); !status.ok()) {
    std::move(done)(std::move(status));
    return;
  }
  PutSubscription write;
  write.start_at_heads = subscription.verified;
  write.subscription = std::move(subscription);
  auto answer = [this, wish, done = std::move(done)](absl::StatusOr<Record> created) mutable {
    if (absl::IsAlreadyExists(created.status())) created = Repeated(wish, created.status());
    std::move(done)(std::move(created));
  };
  Put(std::move(write), OnceChallenged(std::move(answer)));
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

// --- Changing ------------------------------------------------------------------------------------

absl::StatusOr<SubscriptionAdmin::Record> SubscriptionAdmin::Find(const std::string& id,
                                                                  const std::string& etag) const {
  Record current = parts_.registry->Find(id);
  if (current == nullptr) {
    return SubscriptionNotFound(id);
  }
  if (!etag.empty() && etag != EtagOf(*current)) {
    return EtagMismatch();
  }
  return current;
}

void SubscriptionAdmin::Apply(Wish wish, Done done) {
  TryApply(std::make_shared<const Wish>(std::move(wish)), kTries, std::move(done));
}

void SubscriptionAdmin::TryApply(std::shared_ptr<const Wish> wish, int tries, Done done) {
  absl::StatusOr<Record> current = Find(wish->id, wish->etag);
  if (!current.ok()) {
    std::move(done)(current.status());
    return;
  }
  Change change = wish->change(**current);
  if (!change.ok()) {
    std::move(done)(change.status());
  } else if (!change->has_value()) {
    std::move(done)(*std::move(current));
  } else {
    Put(**std::move(change), [this, wish = std::move(wish), tries,
                              done = std::move(done)](absl::StatusOr<Record> changed) mutable {
      // Who gave no etag does not mind that another change came first.
      if (absl::IsAborted(changed.status()) && wish->etag.empty() && tries > 1) {
        TryApply(std::move(wish), tries - 1, std::move(done));
      } else {
        std::move(done)(std::move(changed));
      }
    });
  }
}

void SubscriptionAdmin::Put(PutSubscription write, Done done) {
  Batch batch;
  batch.writes.emplace_back(std::move(write));
  auto answer = [done = std::move(done)](const BatchResult& result) mutable {
    if (result.state != CommitState::kCommitted) {
      std::move(done)(NotCommitted(result));
    } else {
      std::move(done)(result.configured[0]);
    }
  };
  parts_.commits->Submit(std::move(batch), std::move(answer));
}

void SubscriptionAdmin::Update(SubscriptionUpdate update, Done done) {
  Wish wish{.id = update.subscription.id, .etag = update.etag, .change = {}};
  wish.change = [this, update = std::move(update)](const Subscription& current) -> Change {
    PutSubscription write;
    ASSIGN_OR_RETURN(write.subscription, Updated(current, update));
    RETURN_IF_ERROR(Complete(write.subscription));
    write.expected_version = current.version;
    write.start_at_heads = write.subscription.verified && current.start_seqs.empty();
    return write;
  };
  Apply(std::move(wish), OnceChallenged(std::move(done)));
}

void SubscriptionAdmin::Pause(SubscriptionTarget target, Done done) {
  Apply({.id = std::move(target.id), .etag = std::move(target.etag), .change = Paused},
        OnceEverywhere(std::move(done)));
}

void SubscriptionAdmin::Resume(SubscriptionTarget target, Done done) {
  Apply({.id = std::move(target.id),
         .etag = std::move(target.etag),
         .change = [skip = target.skip_backlog](
                       const Subscription& current) { return Resumed(current, skip); }},
        OnceEverywhere(std::move(done)));
}

void SubscriptionAdmin::Enable(SubscriptionTarget target, Done done) {
  Apply({.id = std::move(target.id),
         .etag = std::move(target.etag),
         .change = [skip = target.skip_backlog](
                       const Subscription& current) { return Enabled(current, skip); }},
        OnceEverywhere(std::move(done)));
}

void SubscriptionAdmin::RotateSecret(SecretRotation rotation, Done done) {
  if (rotation.secret.empty()) {
    rotation.secret = GenerateSecret(parts_.random);
  }
  Wish wish{.id = rotation.id, .etag = rotation.etag, .change = {}};
  wish.change = [rotation = std::move(rotation), now = parts_.clock->Now()](
                    const Subscription& current) { return Rotated(current, rotation, now); };
  Apply(std::move(wish), OnceEverywhere(std::move(done)));
}

void SubscriptionAdmin::Delete(const std::string& id, const std::string& etag,
                               Gateway::Done<bool> done) {
  const absl::StatusOr<Record> current = Find(id, etag);
  if (!current.ok()) {
    std::move(done)(current.status());
    return;
  }
  Batch batch;
  batch.writes.emplace_back(DeleteSubscription{
      .number = (*current)->number, .expected_version = etag.empty() ? 0 : (*current)->version});
  parts_.commits->Submit(
      std::move(batch), [this, done = std::move(done)](const BatchResult& result) mutable {
        const bool committed = result.state == CommitState::kCommitted;
        if (!committed || !result.configured[0].ok()) {
          std::move(done)(committed ? result.configured[0].status() : NotCommitted(result));
          return;
        }
        parts_.engine->AfterAllLoops([done = std::move(done)]() mutable { std::move(done)(true); });
      });
}

// --- Answering -----------------------------------------------------------------------------------

SubscriptionAdmin::Done SubscriptionAdmin::OnceEverywhere(Done done) {
  return [this, done = std::move(done)](absl::StatusOr<Record> record) mutable {
    if (record.ok()) {
      AnswerEverywhere(*std::move(record), std::move(done));
    } else {
      std::move(done)(std::move(record));
    }
  };
}

SubscriptionAdmin::Done SubscriptionAdmin::OnceChallenged(Done done) {
  return [this, done = std::move(done)](absl::StatusOr<Record> record) mutable {
    if (!record.ok()) {
      std::move(done)(std::move(record));
    } else if ((*record)->state() == SubscriptionState::kUnverified) {
      Challenge(*std::move(record), std::move(done));
    } else {
      AnswerEverywhere(*std::move(record), std::move(done));
    }
  };
}

void SubscriptionAdmin::AnswerEverywhere(Record subscription, Done done) {
  parts_.engine->AfterAllLoops(
      [subscription = std::move(subscription), done = SureDone<Record>(std::move(done))]() mutable {
        done(std::move(subscription));
      });
}

// --- Exchanges with the subscriber ---------------------------------------------------------------

void SubscriptionAdmin::Challenge(Record subscription, Done done) {
  exchanges_.Challenge(subscription, [this, subscription, done = std::move(done)](
                                         const absl::StatusOr<PostResult>& result) mutable {
    if (absl::IsResourceExhausted(result.status())) {
      AnswerEverywhere(subscription, std::move(done));  // UNVERIFIED, until Verify is called.
    } else if (!result.ok()) {
      std::move(done)(result.status());
    } else {
      AfterChallenge(subscription, *result, std::move(done));
    }
  });
}

void SubscriptionAdmin::AfterChallenge(const Record& challenged, const PostResult& result,
                                       Done done) {
  if (result.success()) {
    MarkVerified(challenged, std::move(done));
    return;
  }
  LogWarning(
      absl::StrCat("subscription ", challenged->id, " is not verified: ", result.error_text));
  AnswerEverywhere(challenged, std::move(done));
}

void SubscriptionAdmin::Verify(const SubscriptionTarget& target, Done done) {
  absl::StatusOr<Record> current = Find(target.id, target.etag);
  if (!current.ok() || (*current)->verification == Verification::kNone) {
    OnceEverywhere(std::move(done))(std::move(current));
    return;
  }
  exchanges_.ChallengeNow(*current, [this, subscription = *current, done = std::move(done)](
                                        const absl::StatusOr<PostResult>& result) mutable {
    if (!result.ok() || !result->success()) {
      std::move(done)(result.ok() ? ChallengeFailed(*result) : result.status());
    } else {
      MarkVerified(subscription, std::move(done));
    }
  });
}

// Changed meanwhile to another URL, a subscription has a challenge of its own.
void SubscriptionAdmin::MarkVerified(const Record& challenged, Done done) {
  Apply({.id = challenged->id,
         .etag = "",
         .change = [url = challenged->url](
                       const Subscription& current) { return Verified(current, url); }},
        OnceEverywhere(std::move(done)));
}

void SubscriptionAdmin::Test(const SubscriptionTest& test, Gateway::Done<TestedSubscription> done) {
  const absl::StatusOr<Record> current = Find(test.id, test.etag);
  if (!current.ok()) {
    std::move(done)(current.status());
    return;
  }
  const absl::StatusOr<std::shared_ptr<const Event>> event =
      SampleEvent(**current, parts_.clock->Now(), {parts_.random->Next(), parts_.random->Next()});
  if (!event.ok()) {
    std::move(done)(event.status());
    return;
  }
  exchanges_.Test(*current, *event,
                  [this, tested = *current, enable = test.enable, event_id = (*event)->id,
                   done = std::move(done)](absl::StatusOr<PostResult> result) mutable {
                    if (!result.ok()) {
                      std::move(done)(result.status());
                      return;
                    }
                    AfterTest({tested, event_id, *std::move(result)}, enable, std::move(done));
                  });
}

// A success speaks for the URL that was tested, and for no other.
void SubscriptionAdmin::AfterTest(TestedSubscription answer, bool enable,
                                  Gateway::Done<TestedSubscription> done) {
  const bool may_enable = enable && answer.result.success();
  Wish wish{.id = answer.subscription->id, .etag = "", .change = {}};
  wish.change = [may_enable,
                 url = answer.subscription->url](const Subscription& current) -> Change {
    if (!may_enable || current.url != url) return std::nullopt;
    return Enabled(current, /*skip_backlog=*/false);
  };
  auto tell = [answer = std::move(answer),
               done = std::move(done)](absl::StatusOr<Record> record) mutable {
    if (!record.ok()) {
      std::move(done)(record.status());
      return;
    }
    answer.subscription = *std::move(record);
    std::move(done)(std::move(answer));
  };
  Apply(std::move(wish), OnceEverywhere(std::move(tell)));
}

}  // namespace postrider
