#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/dispatch/steady_time.h"
#include "gateway/model/attempt.h"
#include "gateway/model/event.h"
#include "gateway/model/purge.h"
#include "gateway/model/replay.h"
#include "gateway/model/subscription.h"
#include "tests/simulation/fake_subscriber.h"
#include "tests/simulation/process.h"
#include "tests/simulation/sim_services.h"

namespace postrider {

// What a publisher was told of an event.
enum class Answer { kNone, kAccepted, kDuplicate, kConflict, kRefused };

// The gateway's dispatch and store with scripted subscribers around them, in simulated time.
//
// Everything that is left to chance (which loop, read or commit goes next, which commit fails)
// follows from the seed. Each POST is checked when it is sent; what is wrong is collected in
// violations().
class World {
 public:
  struct Options {
    uint64_t seed = 1;
    uint32_t shards = 2;
    int loops = 2;
    size_t failing_commits = 0;  // One in so many; 0: none.
    bool stalls = false;         // Whether loops, reads and commits are now and then held up.
    SendTurns::Caps caps;
    size_t read_bytes_max = kReadBytesMax;
    absl::Duration retention = absl::InfiniteDuration();
  };
  struct SubscribeOptions {
    std::string organization = "acme";
    Scope scope = Scope::kSubtree;
    std::vector<absl::Duration> schedule;  // Empty: the built-in one.
    int max_in_flight = 10;
    bool paused = false;
    OrderMode order = OrderMode::kUnordered;
    absl::Duration max_age;               // Zero: twice the schedule.
    size_t max_body_bytes = 0;            // 0: no limit.
    std::string host;                     // Empty: one of its own.
    std::optional<absl::Duration> start;  // Since the world began; unset: with what comes.
  };
  struct Published {
    std::shared_ptr<const Event> event;
    Answer answer = Answer::kNone;
    ShardId shard = 0;
    Seq seq = 0;              // If it was accepted.
    absl::Time accept_time;   // Likewise, by the gateway.
    absl::Duration accepted;  // When its publisher was told.
  };

  explicit World(Options options);
  size_t read_bytes() const { return process_->read_bytes(); }
  absl::Duration throttled_age() const { return process_->throttled_age(); }
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Subscriptions. The calls return when the change is committed, but for …Soon() ---
  FakeSubscriber& Subscribe(std::string pattern, SubscribeOptions options);
  FakeSubscriber& Subscribe(std::string pattern) {
    return Subscribe(std::move(pattern), SubscribeOptions());
  }
  FakeSubscriber& SubscribeSoon(std::string pattern, SubscribeOptions options);
  void Pause(const FakeSubscriber& subscriber) { SetPaused(subscriber, true); }
  void Resume(const FakeSubscriber& subscriber) { SetPaused(subscriber, false); }
  // With an empty reason it is enabled again.
  void Disable(const FakeSubscriber& subscriber, std::string reason);
  void Delete(const FakeSubscriber& subscriber);
  bool Exists(const FakeSubscriber& subscriber) const;
  bool IsDisabled(const FakeSubscriber& subscriber) const;
  // A loop has said so, and the record does not.
  bool MustBeDisabled(const FakeSubscriber& subscriber) const;

  // --- Backlogs and dead letters. The calls return when every loop knows of it ---
  void Purge(const FakeSubscriber& subscriber, PurgeFilter filter);
  void PurgeDeadLetters(const FakeSubscriber& subscriber);
  // About half of the oldest dead letters. How many.
  size_t Redrive(const FakeSubscriber& subscriber);

  // --- Replays. The calls return when the change is committed ---
  // Of what was accepted since `since`, the beginning of the world. Its id; empty: there are too
  // many.
  std::string Replay(const FakeSubscriber& subscriber, absl::Duration since, double rate = 0);
  void CancelReplay(const std::string& id);
  ReplayRecord ReplayOf(const std::string& id);

  // --- Events ---
  // Submits a new event of an organization: `acme`, or one of those below it (`acme/shop`), or
  // another. Who does not wait for the answer looks at published() later.
  Uuid Publish(std::string type, std::string body, const std::string& organization,
               std::string ordering_key = "");
  Uuid Publish(std::string type, std::string body) {
    return Publish(std::move(type), std::move(body), "acme");
  }
  // The same event again, or another one under its id.
  void PublishAgain(const Uuid& id);
  Answer PublishOther(const Uuid& id, std::string body);
  const std::map<Uuid, Published>& published() const { return published_; }

  // --- The store, in this life ---
  // It takes nothing at all; and: it has no room for new events.
  void StoreFails(bool fails);
  void StoreIsFull(bool full) { process_->store_faults().set_full(full); }

  // --- Time ---
  // Jumps from one due moment to the next: an hour of retries costs microseconds.
  void RunFor(absl::Duration span);
  // Some steps, in which as much time passes as they take.
  void RunSteps(int steps);
  // The wall clock steps.
  void StepClock(absl::Duration step);
  // The process is killed at once and is started anew.
  void Crash();
  // How often it has died of its own fault: of what a subscriber is deadly for.
  int OwnDeaths() const { return own_deaths_; }

  // --- What came of it ---
  // `order.paid after 3 attempts, 503`, in the order of their deaths.
  std::vector<std::string> DeadLetters();
  // What the engine found out about subscriptions, in all lives.
  const RecordedEvents& news() const { return news_; }
  // Whether the event is not kept any more (C7).
  bool IsGone(const Published& published);
  size_t DeadLetterCount(const FakeSubscriber& subscriber);
  int LifeCount() const { return life_ + 1; }
  // Adds to violations() what has not arrived although it should have by now, and what the records
  // of the attempts say that did not happen.
  void CheckAllArrived();
  const std::vector<std::string>& violations() const { return violations_; }

  SeededRandom& random() { return random_; }
  absl::Duration now() const { return clock_.elapsed(); }
  absl::Time wall_now() const { return clock_.Now(); }

 private:
  // What a replay is to send: by the store's own account up to where, in each shard.
  struct Replayed {
    std::string id;
    absl::Time since;
    std::vector<Seq> end_seqs;
    bool canceled = false;
  };
  struct Subscribed;
  // A change of the configuration that the store did not take.
  struct Refused {
    absl::Duration time;  // When its owner asks again, since the world began.
    Write write;
    Subscribed* subscribed = nullptr;
  };
  struct Subscribed {
    FakeSubscriber* subscriber = nullptr;
    std::shared_ptr<const Subscription> record;  // Null: creating it has not been answered.
    std::string pattern;
    bool deleted = false;  // Or about to be.
    bool refused = false;  // The last change of it was.
    bool purging = false;  // What a mark covers may still arrive.
    std::vector<PurgeMark> purged;
    std::vector<Replayed> replays;
    std::map<Uuid, int> redriven;  // How often.
    // Of each event: what the store says of the attempts that its log owed, as of the last crash.
    std::map<Uuid, std::vector<Attempt>> committed;
    std::map<Uuid, std::vector<size_t>> arrivals;  // Places in subscriber->arrivals().
    // Found delivered or dead in the store, which they stay.
    mutable absl::flat_hash_set<Uuid> recorded_over;
  };

  void StartProcess();
  absl::Time SteadyNow();
  absl::Duration SteadyError() const;
  bool StepOrWait(absl::Duration end);
  void RunUntil(const std::function<bool()>& reached);
  void SetPaused(const FakeSubscriber& subscriber, bool paused);
  void Change(Subscribed& subscribed, Subscription changed);
  absl::StatusOr<ReplayRecord> CommitReplay(const Write& write);
  void PutConfiguration(Write write, Subscribed* subscribed);
  void OnConfigured(Write write, Subscribed* subscribed, const BatchResult& result);
  void AskAgain();

  // --- What owners do (world_owners.cc) ---
  void PurgeRows(const Subscribed& subscribed, const PurgeMark& mark, bool dead_only);
  void CheckPurged(const Subscribed& subscribed, const PurgeMark& mark);
  ExceptionChanges ChangeExceptions(const Subscribed& subscribed, Batch batch);
  void RunThroughAllLoops();
  bool IsPurged(const Subscribed& subscribed, const Published& published) const;
  int TimesAgain(const Subscribed& subscribed, const Published& published) const;
  void CheckReplays(const Subscribed& subscribed);

  void Submit(const Uuid& id, std::shared_ptr<const Event> event, Answer* answer);
  // What a publisher knows after an answer, who knew `before`.
  Answer Answered(const Uuid& id, const absl::StatusOr<Appended>& appended, Answer before);
  Subscribed& Of(const FakeSubscriber& subscriber);

  void OnArrival(const FakeSubscriber& subscriber, const Arrival& arrival);
  void CheckHistory(const Subscribed& subscribed, const Arrival& arrival, const std::string& what);
  void CheckOrder(const Subscribed& subscribed, const Published& published,
                  const std::string& what);
  bool WaitsFor(const Subscribed& subscribed, const Published& later,
                const Published& earlier) const;
  bool IsOver(const Subscribed& subscribed, const Published& published);
  bool IsRecordedOver(const Subscribed& subscribed, const Published& published);
  void CheckExpired(const Subscribed& subscribed, const Published& published);
  void ReadCommitted();
  void ReadAttempts(Subscribed* subscribed);
  void CheckAttempts(const Subscribed& subscribed);
  int OnTheWire(const Subscribed& subscribed, const Uuid& id) const;
  void CheckNothingWaits();
  bool Covers(const Subscribed& subscribed, const Event& event) const;
  bool IsOwed(const Subscribed& subscribed, const Published& published) const;

  // --- What is due is attended to (world_attention.cc) ---
  void ExpectAttention();
  void OnQuiet();
  void CheckAttended();
  absl::Duration AttentionOf(const Subscribed& subscribed) const;
  bool MayBeSentTo(const Subscribed& subscribed);
  void CheckExceptionsAttended(const Subscribed& subscribed);
  void CheckFirstAttemptsAttended(const Subscribed& subscribed);
  bool WasTried(const Subscribed& subscribed, const Uuid& id) const;
  bool HasRecord(const Subscribed& subscribed, const Published& published);
  bool IsHeldUp(const Subscribed& subscribed, const Published& published);

  void Violation(std::string text);

  const Options options_;
  FakeClock clock_;
  SeededRandom random_;
  std::string data_dir_;
  FakePoster::Subscribers subscribers_;
  std::map<std::string, Subscribed> subscribed_;  // By URL.
  std::map<Uuid, Published> published_;
  std::vector<std::string> violations_;
  std::deque<Refused> asks_again_;
  RecordedEvents news_;
  absl::Duration attention_due_;
  absl::Duration attention_interval_;
  // What due times are measured by in this life (T5), up to SteadyError().
  SteadyTime steady_;
  absl::Duration steady_error_;
  std::optional<absl::Duration> step_time_;  // Of the last step in this life, as in now().
  bool clock_stepped_ = false;               // In any life.
  // How much earlier than due an attempt may come whose wait began in an earlier life.
  absl::Duration earlier_max_;
  absl::Duration store_well_ = -absl::InfiniteDuration();  // Since then.
  int life_ = 0;
  int own_deaths_ = 0;
  std::vector<Death> deaths_;  // The file: what was not emptied is counted again.
  std::unique_ptr<Process> process_;
};

}  // namespace postrider
