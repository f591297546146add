#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/model/rules.h"
#include "tests/model/state.h"

namespace postrider::model {

// One change of the configuration.
struct Change {
  enum Kind : uint8_t { kCreate, kCreatePaused, kDelete, kPause, kResume };
  Kind kind = kCreate;
  uint8_t subscription = 0;
};

// The bounds of a search, and what may happen within them.
struct Bounds {
  const char* name = "";
  int events = 2;
  int subscriptions = 1;  // Numbers below this may exist.
  int created = 1;        // Numbers below this exist at the start.
  bool start_paused = false;
  std::vector<Change> script = {};  // Happens in this order, at any time.
  int crashes = 1;
  int failures = 0;        // Attempts that fail.
  bool throttles = false;  // Whether a failed attempt may leave its pair owed.
  bool purge = false;
  Mask leavers = 0xff;       // Who may be made to leave by the shard or a full queue.
  bool gather = false;       // Outcomes wait a while before they are submitted.
  bool late_notices = true;  // A commit is heard of some time after it.
  bool lost_acks = false;    // A publisher may not hear of a commit, and publishes again.
  bool unloads = false;      // Whether a reader's pairs in memory may be forgotten.
  int wire = 2;              // In flight, per subscription.
  int window = 8;            // Bits in a reader's row.
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
  bool Wanted(int subscription, int seq) const { return Has(bounds_.wanted[subscription], seq); }
  void Add(const State& next, const char* name, int subscription, int seq,
           std::vector<Step>* steps) const;

  // environment_steps.cc
  void Publish(const State& state, std::vector<Step>* steps) const;
  void PublishWithLostAcks(const State& state, std::vector<Step>* steps) const;
  void Configure(const State& state, std::vector<Step>* steps) const;
  void Purge(const State& state, std::vector<Step>* steps) const;
  void Crash(const State& state, std::vector<Step>* steps) const;
  void Recover(State* state) const;

  // store_steps.cc
  void Commit(const State& state, std::vector<Step>* steps) const;
  bool Apply(const Batch& batch, State* state) const;
  void ApplyOutcomes(const Batch& batch, StoredSubscription* stored) const;

  // shard_steps.cc
  void ShardHears(const State& state, std::vector<Step>* steps) const;
  void HearFromStore(const Message& message, State* state) const;
  bool HearFromQueue(int subscription, const Message& message, State* state) const;
  void FanOut(const State& state, std::vector<Step>* steps) const;
  bool Owed(const State& state, int subscription, int seq) const;
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
  void Read(const State& state, int subscription, std::vector<Step>* steps) const;
  void Ask(const State& state, int subscription, std::vector<Step>* steps) const;
  void WantLeave(const State& state, int subscription, std::vector<Step>* steps) const;
  void Unload(const State& state, int subscription, std::vector<Step>* steps) const;
  bool SubmitLeave(int subscription, State* state) const;
  void SubmitErase(int subscription, State* state) const;
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

  const Rules rules_;
  const Bounds bounds_;
};

}  // namespace postrider::model
