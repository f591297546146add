#include "gateway/store/subscription_record.h"

#include <algorithm>
#include <utility>

#include "absl/base/casts.h"
#include "gateway/store/codec.h"

namespace postrider {
namespace {

constexpr uint64_t kRecordVersion = 1;

void PutSecret(const Secret& secret, Encoder* encoder) {
  encoder->PutString(secret.text);
  encoder->PutTime(secret.create_time);
  encoder->PutBool(secret.expire_time.has_value());
  if (secret.expire_time.has_value()) {
    encoder->PutTime(*secret.expire_time);
  }
}

Secret GetSecret(Decoder* decoder) {
  Secret secret;
  secret.text = decoder->String();
  secret.create_time = decoder->Time();
  if (decoder->Bool()) {
    secret.expire_time = decoder->Time();
  }
  return secret;
}

void PutPolicy(const DeliveryPolicy& policy, Encoder* encoder) {
  encoder->PutUint(policy.schedule.size());
  for (const absl::Duration wait : policy.schedule) {
    encoder->PutDuration(wait);
  }
  encoder->PutDuration(policy.timeout);
  encoder->PutInt(policy.max_in_flight);
  encoder->PutUint(static_cast<uint64_t>(policy.order));
  encoder->PutUint(absl::bit_cast<uint64_t>(policy.rate));
  encoder->PutDuration(policy.max_age);
  encoder->PutUint(policy.max_body_bytes);
}

DeliveryPolicy GetPolicy(Decoder* decoder) {
  DeliveryPolicy policy;
  policy.schedule.resize(decoder->Count());
  for (absl::Duration& wait : policy.schedule) {
    wait = decoder->Duration();
  }
  policy.timeout = decoder->Duration();
  policy.max_in_flight = static_cast<int>(decoder->Int());
  policy.order = static_cast<OrderMode>(std::min<uint64_t>(decoder->Uint(), 2));
  policy.rate = absl::bit_cast<double>(decoder->Uint());
  policy.max_age = decoder->Duration();
  policy.max_body_bytes = decoder->Uint();
  return policy;
}

void PutMark(const PurgeMark& mark, Encoder* encoder) {
  encoder->PutUint(mark.through.size());
  for (const Seq seq : mark.through) {
    encoder->PutUint(seq);
  }
  encoder->PutStrings(mark.filter.event_types);
  encoder->PutBool(mark.filter.accepted_before.has_value());
  if (mark.filter.accepted_before.has_value()) {
    encoder->PutTime(*mark.filter.accepted_before);
  }
}

PurgeMark GetMark(Decoder* decoder) {
  PurgeMark mark;
  mark.through.resize(decoder->Count());
  for (Seq& seq : mark.through) {
    seq = decoder->Uint();
  }
  mark.filter.event_types = decoder->Strings();
  if (decoder->Bool()) {
    mark.filter.accepted_before = decoder->Time();
  }
  return mark;
}

void PutPause(const Pause& pause, Encoder* encoder) {
  encoder->PutTime(pause.begin);
  encoder->PutBool(pause.end.has_value());
  if (pause.end.has_value()) {
    encoder->PutTime(*pause.end);
  }
}

Pause GetPause(Decoder* decoder) {
  Pause pause{.begin = decoder->Time(), .end = std::nullopt};
  if (decoder->Bool()) {
    pause.end = decoder->Time();
  }
  return pause;
}

}  // namespace

std::string EncodeSubscription(const Subscription& subscription) {
  Encoder encoder;
  encoder.PutUint(kRecordVersion);
  encoder.PutBool(subscription.scope == Scope::kSelf);
  encoder.PutString(subscription.description);
  encoder.PutString(subscription.url);
  encoder.PutStrings(subscription.event_types);
  encoder.PutUint(subscription.secrets.size());
  for (const Secret& secret : subscription.secrets) {
    PutSecret(secret, &encoder);
  }
  encoder.PutUint(subscription.headers.size());
  for (const Header& header : subscription.headers) {
    encoder.PutString(header.name);
    encoder.PutString(header.value);
  }
  PutPolicy(subscription.policy, &encoder);
  encoder.PutBool(subscription.verification == Verification::kChallenge);
  encoder.PutBool(subscription.verified);
  encoder.PutBool(subscription.paused);
  encoder.PutString(subscription.disabled_reason);
  encoder.PutTime(subscription.create_time);
  encoder.PutTime(subscription.update_time);
  encoder.PutUint(subscription.purge_marks.size());
  for (const PurgeMark& mark : subscription.purge_marks) {
    PutMark(mark, &encoder);
  }
  encoder.PutBool(subscription.start_time.has_value());
  if (subscription.start_time.has_value()) {
    encoder.PutTime(*subscription.start_time);
  }
  encoder.PutUint(subscription.pauses.size());
  for (const Pause& pause : subscription.pauses) {
    PutPause(pause, &encoder);
  }
  return std::move(encoder).Take();
}

bool DecodeSubscription(absl::string_view record, Subscription* subscription) {
  Decoder decoder(record);
  if (decoder.Uint() != kRecordVersion) {
    return false;
  }
  subscription->scope = decoder.Bool() ? Scope::kSelf : Scope::kSubtree;
  subscription->description = decoder.String();
  subscription->url = decoder.String();
  subscription->event_types = decoder.Strings();
  subscription->secrets.resize(decoder.Count());
  for (Secret& secret : subscription->secrets) {
    secret = GetSecret(&decoder);
  }
  subscription->headers.resize(decoder.Count());
  for (Header& header : subscription->headers) {
    header.name = decoder.String();
    header.value = decoder.String();
  }
  subscription->policy = GetPolicy(&decoder);
  subscription->verification = decoder.Bool() ? Verification::kChallenge : Verification::kNone;
  subscription->verified = decoder.Bool();
  subscription->paused = decoder.Bool();
  subscription->disabled_reason = decoder.String();
  subscription->create_time = decoder.Time();
  subscription->update_time = decoder.Time();
  subscription->purge_marks.resize(decoder.Count());
  for (PurgeMark& mark : subscription->purge_marks) {
    mark = GetMark(&decoder);
  }
  if (decoder.Bool()) {
    subscription->start_time = decoder.Time();
  }
  subscription->pauses.resize(decoder.Count());
  for (Pause& pause : subscription->pauses) {
    pause = GetPause(&decoder);
  }
  return decoder.ok();
}

std::string EncodeSeqs(const std::vector<Seq>& seqs) {
  Encoder encoder;
  encoder.PutUint(seqs.size());
  for (const Seq seq : seqs) {
    encoder.PutUint(seq);
  }
  return std::move(encoder).Take();
}

std::optional<std::vector<Seq>> DecodeSeqs(absl::string_view bytes) {
  Decoder decoder(bytes);
  std::vector<Seq> seqs(decoder.Count());
  for (Seq& seq : seqs) {
    seq = decoder.Uint();
  }
  if (!decoder.ok()) {
    return std::nullopt;
  }
  return seqs;
}

}  // namespace postrider
