#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/deliver/address_guard.h"
#include "gateway/deliver/name_health.h"

namespace postrider {

// What a name stands for.
struct Resolution {
  enum class Status {
    kOk,           // There is at least one address.
    kNotFound,     // An authority says that there is none.
    kFailed,       // Nobody could say, or not in time.
    kServerFault,  // Our own DNS server or machine is at fault (E7).
  };

  Status status = Status::kFailed;
  std::vector<IpAddress> addresses;                    // Best first.
  absl::Duration time_to_live = absl::ZeroDuration();  // As DNS says; bounded by the cache.
};

// Asks for the addresses of a name, without waiting. Calls `done` at most once, on the loop, maybe
// before returning.
using Lookup =
    absl::AnyInvocable<void(const std::string& name, absl::AnyInvocable<void(Resolution) &&> done)>;

// Remembers what names stand for, for a short while, and asks for one name once at a time.
//
// Lives on a loop. Holds at most kResolverNamesMax names.
class Resolver {
 public:
  using Done = absl::AnyInvocable<void(const Resolution&) &&>;

  // Someone who waits for an answer. Destroying it withdraws the question.
  struct Question {
    Done done;
  };

  // `loop` and `clock` outlive it.
  Resolver(Loop* loop, const Clock* clock, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // What is known of `name`, which is lower-case; null if it has to be asked for. Valid until the
  // next call.
  const Resolution* Cached(const std::string& name);

  // Calls `done` with the answer, at the latest after kResolveTimeout; never from within this call.
  [[nodiscard]] std::shared_ptr<Question> Resolve(const std::string& name, Done done);

 private:
  struct Entry {
    bool known = false;
    Resolution resolution;
    absl::Duration expire_time;
    uint64_t generation = 0;  // Of the look-up under way: later answers to older ones are dropped.
    std::vector<std::weak_ptr<Question>> waiting;
  };

  void Ask(const std::string& name, uint64_t generation);
  void Answer(const std::string& name, uint64_t generation, Resolution resolution);
  void Evict();

  Loop* const loop_;
  const Clock* const clock_;
  Lookup lookup_;
  absl::flat_hash_map<std::string, std::unique_ptr<Entry>> entries_;
  NameHealth health_;
  uint64_t next_generation_ = 1;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // What outlives us asks it.
};

}  // namespace postrider
