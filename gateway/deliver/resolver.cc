#include "gateway/deliver/resolver.h"

#include <algorithm>
#include <utility>

#include "gateway/base/limits.h"

namespace postrider {
namespace {

constexpr absl::Duration kServerFaultKept = absl::Seconds(1);

absl::Duration KeptFor(const Resolution& resolution) {
  switch (resolution.status) {
    case Resolution::Status::kOk:
      return std::clamp(resolution.time_to_live, kResolutionKeptMin, kResolutionKeptMax);
    case Resolution::Status::kNotFound:
    case Resolution::Status::kFailed: return kResolutionFailureKept;
    case Resolution::Status::kServerFault: return kServerFaultKept;
  }
  return absl::ZeroDuration();
}

}  // namespace

Resolver::Resolver(Loop* loop, const Clock* clock, Lookup lookup)
    : loop_(loop), clock_(clock), lookup_(std::move(lookup)) {}

Resolver::~Resolver() = default;

const Resolution* Resolver::Cached(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second->known ||
      found->second->expire_time <= clock_->Monotonic()) {
    return nullptr;
  }
  return &found->second->resolution;
}

std::shared_ptr<Resolver::Question> Resolver::Resolve(const std::string& name, Done done) {
  auto question = std::make_shared<Question>(Question{std::move(done)});
  Evict();
  std::unique_ptr<Entry>& entry = entries_[name];
  if (entry == nullptr) {
    entry = std::make_unique<Entry>();
  }
  entry->waiting.push_back(question);
  if (entry->waiting.size() == 1) {
    entry->known = false;
    entry->generation = next_generation_++;
    // Not at once: a look-up may answer before it returns.
    loop_->Post(
        [this, alive = std::weak_ptr<char>(alive_), name, generation = entry->generation]() {
          if (!alive.expired()) {
            Ask(name, generation);
          }
        });
  }
  return question;
}

void Resolver::Ask(const std::string& name, uint64_t generation) {
  const std::weak_ptr<char> alive = alive_;
  loop_->After(kResolveTimeout, [this, alive, name, generation]() {
    if (!alive.expired()) {
      Answer(name, generation, Resolution());
    }
  });
  lookup_(name, [this, alive, name, generation](Resolution resolution) {
    if (!alive.expired()) {
      Answer(name, generation, std::move(resolution));
    }
  });
}

void Resolver::Answer(const std::string& name, uint64_t generation, Resolution resolution) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second->known || found->second->generation != generation) {
    return;  // Answered already, by an answer or by the clock.
  }
  Entry* const entry = found->second.get();
  const absl::Duration now = clock_->Monotonic();
  if (resolution.status == Resolution::Status::kOk && resolution.addresses.empty()) {
    resolution.status = Resolution::Status::kNotFound;
  }
  const bool failed = resolution.status == Resolution::Status::kFailed ||
                      resolution.status == Resolution::Status::kServerFault;
  health_.Note(now, name, failed);
  if (resolution.status == Resolution::Status::kFailed && health_.MostFail(now)) {
    resolution.status = Resolution::Status::kServerFault;
  }
  if (resolution.addresses.size() > kAddressesPerNameMax) {
    resolution.addresses.resize(kAddressesPerNameMax);
  }
  entry->known = true;
  entry->expire_time = now + KeptFor(resolution);
  entry->resolution = resolution;
  // Those who are told may ask for this name and any other again.
  const std::vector<std::weak_ptr<Question>> waiting = std::exchange(entry->waiting, {});
  for (const std::weak_ptr<Question>& one : waiting) {
    if (const std::shared_ptr<Question> question = one.lock(); question != nullptr) {
      std::move(question->done)(resolution);
    }
  }
}

void Resolver::Evict() {
  if (entries_.size() < kResolverNamesMax) {
    return;
  }
  const absl::Duration now = clock_->Monotonic();
  absl::erase_if(entries_, [now](const auto& entry) {
    return entry.second->known && entry.second->expire_time <= now;
  });
  // Still full of fresh names: any of them can be asked for again.
  absl::erase_if(entries_, [this](const auto& entry) {
    return entry.second->known && entries_.size() > kResolverNamesMax / 2;
  });
}

}  // namespace postrider
