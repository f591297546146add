#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/model/rules.h"
#include "tests/model/state.h"

namespace postrider::model {

// Deaths of one event after which it is given up (E8). Two here, to keep the searches small.
inline constexpr int kDeathsMax = 2;

// One change of the configuration.
struct Change {
  enum Kind : uint8_t {
    kCreate,
    kCreatePaused,
    kCreateInThePast,
    kDelete,
    kPause,
    kResume,
    kPurge,
    kReplay,
    kCancel,
  };
  Kind kind = kCreate;
  uint8_t subscription = 0;
};

// The bounds of a search, and what may happen within them.
struct Bounds {
  const char* name = "";
  int events = 2;
  int subscriptions = 1;  // Numbers below this may exist.
  int created = 1;        // Numbers below this exist at the start.
  bool replay = false;    // Number 1 is no subscription but a replay of number 0's events.
  bool start_paused = false;
  std::vector<Change> script = {};  // Happens in this order, at any time.
  int crashes = 1;
  int failures = 0;           // Attempts that fail.
  bool throttles = false;     // Whether a failed attempt may leave its pair owed.
  bool retries_fail = false;  // Whether a failed retry may be followed by another.
  bool first_deaths = false;  // Whether a failed first attempt may be the last.
  bool purge = false;         // Whether exceptions may be deleted one by one.
  Mask deadly = 0;            // The event of which the process may die, when it is sent.
  bool retention = false;     // Whether old events are deleted.
  Mask covered = 0xff;        // By a purge mark, of the events in the log.
  Mask keys[kKeysMax] = {};   // The events of each ordering key.
  int parked_max = 8;         // Per key.
  Mask leavers = 0xff;        // Who may be made to leave by the shard or a full queue.
  bool gather = false;        // Outcomes wait a while before they are submitted.
  bool late_notices = true;   // A commit is heard of some time after it.
  bool lost_acks = false;     // A publisher may not hear of a commit, and publishes again.
  bool unloads = false;       // Whether a reader's pairs in memory may be forgotten.
  int wire = 2;               // In flight, per subscription.
  int window = 8;             // Bits in a reader's row.
  Mask wanted[kSubscriptionsMax] = {0xff, 0xff};
};

// One step from a state.
struct Step {
  State state;
  const char* name = "";
  uint8_t subscription = 0;
  uint8_t seq = 0;
  // Whether the engine takes it by itself, sooner or later. Steps of the environment (publishing,
  // crashes, configuration) are not needed for what is owed to arrive.
  bool driven = true;
  const char* violation = nullptr;  // What the step does that it must not.
};

// The engine's rules as a machine of small steps: one shard, its queues, and a store between them.
//
// The shard and the queues are on loops of their own: what they tell each other and hear from the
// store arrives in order per sender, after any delay. Each function adds the steps that are
// possible in a state.
class Machine {
 public:
  Machine(Rules rules, Bounds bounds) : rules_(rules), bounds_(std::move(bounds)) {}

  const Bounds& bounds() const { return bounds_; }
  State Initial() const;
  void Expand(const State& state, std::vector<Step>* steps) const;

  // What is wrong with a state, or null: the promise "if the process dies now, every acknowledged
  // event is delivered, dead or owed", and what the positions claim.
  const char* Wrong(const State& state) const;

  // Whether everything owed has arrived and nothing is under way.
  bool Done(const State& state) const;

 private:
  bool On(Rule rule) const { return rules_.On(rule); }
  bool IsReplay(int subscription) const { return bounds_.replay && subscription == 1; }
  bool Wanted(int subscription, int seq) const { return Has(bounds_.wanted[subscription], seq); }
  void Add(const State& next, const char* name, int subscription, int seq,
           std::vector<Step>* steps) const;

  // environment_steps.cc
  void Publish(const State& state, std::vector<Step>* steps) const;
  void PublishWithLostAcks(const State& state, std::vector<Step>* steps) const;
  void Configure(const State& state, std::vector<Step>* steps) const;
  void Purge(const State& state, std::vector<Step>* steps) const;
  void GiveUpMark(const State& state, std::vector<Step>* steps) const;
  bool PurgeRow(int subscription, int seq, State* state) const;
  void Crash(const State& state, std::vector<Step>* steps) const;
  void Recover(State* state) const;

  void Retain(const State& state, std::vector<Step>* steps) const;
  Mask Expire(int subscription, Store* store) const;
  Message Write(const Change& change, Store* store) const;
  void StartReplay(uint8_t head, StoredSubscription* stored, Message* message) const;
  State Restarted(const State& state) const;

  // store_steps.cc
  void Commit(const State& state, std::vector<Step>* steps) const;
  bool Apply(const Batch& batch, State* state) const;
  Mask ApplyOutcomes(const Batch& batch, Store* store) const;

  // shard_steps.cc
  void ShardHears(const State& state, std::vector<Step>* steps) const;
  void HearFromStore(const Message& message, State* state) const;
  bool HearFromQueue(int subscription, const Message& message, State* state) const;
  void FanOut(const State& state, std::vector<Step>* steps) const;
  bool Owed(const State& state, int subscription, int seq, Mask cleared) const;
  void Feed(int subscription, int seq, State* state) const;
  void StartLeaving(int subscription, int mark, State* state) const;
  void AnswerAsk(int subscription, const Message& ask, State* state) const;
  void ForceLeave(const State& state, std::vector<Step>* steps) const;
  void Advance(const State& state, std::vector<Step>* steps) const;
  void ComputeCursor(State* state) const;
  bool Held(const State& state, int seq) const;

  // queue_steps.cc
  void QueueHears(const State& state, int subscription, std::vector<Step>* steps) const;
  bool HearFromShard(int subscription, const Message& message, State* state) const;
  void HearCommit(int subscription, const Message& message, State* state) const;
  void HearConfiguration(int subscription, const Message& message, State* state) const;
  void TellDropped(Mask dropped, int subscription, State* state) const;
  void Read(const State& state, int subscription, std::vector<Step>* steps) const;
  void Ask(const State& state, int subscription, std::vector<Step>* steps) const;
  void WantLeave(const State& state, int subscription, std::vector<Step>* steps) const;
  void Unload(const State& state, int subscription, std::vector<Step>* steps) const;
  bool SubmitLeave(int subscription, State* state) const;
  void SubmitErase(int subscription, State* state) const;
  void End(const State& state, int subscription, std::vector<Step>* steps) const;
  void EraseLate(const State& state, int subscription, std::vector<Step>* steps) const;
  void FillRow(const Queue& queue, Batch* batch) const;

  // delivery_steps.cc
  void Send(const State& state, int subscription, std::vector<Step>* steps) const;
  void Answer(const State& state, int subscription, std::vector<Step>* steps) const;
  void AnswerRetry(const State& state, int subscription, std::vector<Step>* steps) const;
  void AddAnswer(State next, const char* name, int subscription, int seq,
                 std::vector<Step>* steps) const;
  void Flush(const State& state, int subscription, std::vector<Step>* steps) const;
  bool FlushInto(int subscription, State* state) const;
  void Load(const State& state, int subscription, std::vector<Step>* steps) const;

  // quarantine_steps.cc
  int OnTheWire(const State& state) const;
  void Die(const State& state, std::vector<Step>* steps) const;
  void Start(const State& state, std::vector<Step>* steps) const;
  void GiveUp(State* state) const;

  // order_steps.cc
  Mask KeyOf(int seq) const;
  void Arrive(int seq, Queue* queue) const;
  void Forget(int seq, Queue* queue) const;
  void ParkHeld(Mask key, Queue* queue) const;
  void Order(int seq, int subscription, State* state) const;
  void Promote(Queue* queue) const;
  bool Stopped(const Queue& queue) const;
  Mask Release(Mask touched, StoredSubscription* stored) const;
  void Observe(const State& before, int subscription, int seq, Step* step) const;

  const Rules rules_;
  const Bounds bounds_;
};

}  // namespace postrider::model
