#include "tests/model/explorer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace postrider::model {
namespace {

// A state as 128 bits of hash. Two states of one hash among millions: about 1 in 10^24.
struct Fingerprint {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

Fingerprint FingerprintOf(const State& state) {
  constexpr size_t kWords = (sizeof(State) + 7) / 8;
  uint64_t words[kWords] = {};
  std::memcpy(words, &state, sizeof(State));
  Fingerprint print{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03};
  for (size_t i = 0; i < kWords; ++i) {
    print.low = Mix(print.low ^ words[i], 0xa0761d6478bd642f + i);
    print.high = Mix(print.high + words[i], 0xe7037ed1a0b428db ^ i << 32);
  }
  return {Mix(print.low, 0x8ebc6af09c88c6e3), Mix(print.high, 0x589965cc75374cc3)};
}

// Numbers the states in the order in which they are found.
class Seen {
 public:
  Seen() : slots_(1 << 16, kFree) {}

  size_t size() const { return prints_.size(); }

  // The state's number, and whether it is new.
  std::pair<uint32_t, bool> Insert(const Fingerprint& print) {
    if (prints_.size() * 2 > slots_.size()) Grow();
    size_t slot = print.low & (slots_.size() - 1);
    while (slots_[slot] != kFree) {
      if (prints_[slots_[slot]] == print) return {slots_[slot], false};
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = static_cast<uint32_t>(prints_.size());
    prints_.push_back(print);
    return {slots_[slot], true};
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;

  void Grow() {
    slots_.assign(slots_.size() * 4, kFree);
    for (uint32_t i = 0; i < prints_.size(); ++i) {
      size_t slot = prints_[i].low & (slots_.size() - 1);
      while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = i;
    }
  }

  std::vector<uint32_t> slots_;
  std::vector<Fingerprint> prints_;
};

class Search {
 public:
  Search(const Machine& machine, size_t states_max) : machine_(machine), states_max_(states_max) {}

  Exploration Run() {
    Visit(machine_.Initial(), 0, 0);
    while (!frontier_.empty() && result_.violation.empty()) {
      std::vector<std::pair<uint32_t, State>> level;
      level.swap(frontier_);
      for (const auto& [number, state] : level) {
        if (result_.violation.empty()) ExpandOne(number, state);
      }
      if (seen_.size() > states_max_) return Finish();
    }
    result_.complete = result_.violation.empty();
    if (result_.complete) FindLostWakeUp();
    return Finish();
  }

 private:
  struct Origin {
    uint32_t parent;
    uint32_t choice;  // Which of the parent's steps.
  };

  Exploration Finish() {
    result_.states = seen_.size();
    return std::move(result_);
  }

  uint32_t Visit(const State& state, uint32_t parent, uint32_t choice) {
    const auto [number, is_new] = seen_.Insert(FingerprintOf(state));
    if (!is_new) return number;
    origins_.push_back({parent, choice});
    done_.push_back(machine_.Done(state));
    frontier_.emplace_back(number, state);
    if (const char* wrong = machine_.Wrong(state)) Report(wrong, number, nullptr);
    return number;
  }

  void ExpandOne(uint32_t number, const State& state) {
    steps_.clear();
    machine_.Expand(state, &steps_);
    result_.steps += steps_.size();
    for (uint32_t i = 0; i < steps_.size() && result_.violation.empty(); ++i) {
      const Step& step = steps_[i];
      if (step.violation != nullptr) return Report(step.violation, number, &step);
      const uint32_t target = Visit(step.state, number, i);
      if (step.driven && target != number) edges_.emplace_back(target, number);
    }
  }

  // Goes back from the states in which all is done: who is not reached waits for ever.
  void FindLostWakeUp() {
    std::sort(edges_.begin(), edges_.end());
    std::vector<uint32_t> open;
    std::vector<bool> hopeful = done_;
    for (uint32_t i = 0; i < done_.size(); ++i) {
      if (done_[i]) open.push_back(i);
    }
    while (!open.empty()) {
      const uint32_t target = open.back();
      open.pop_back();
      auto edge = std::lower_bound(edges_.begin(), edges_.end(), std::make_pair(target, 0U));
      for (; edge != edges_.end() && edge->first == target; ++edge) {
        if (hopeful[edge->second]) continue;
        hopeful[edge->second] = true;
        open.push_back(edge->second);
      }
    }
    const auto lost = std::find(hopeful.begin(), hopeful.end(), false);
    if (lost == hopeful.end()) return;
    Report("what is owed can never arrive", static_cast<uint32_t>(lost - hopeful.begin()), nullptr);
  }

  void Report(const char* violation, uint32_t number, const Step* last) {
    result_.violation = violation;
    std::vector<uint32_t> choices;
    for (; number != 0; number = origins_[number].parent) {
      choices.push_back(origins_[number].choice);
    }
    State state = machine_.Initial();
    std::vector<Step> steps;
    for (auto choice = choices.rbegin(); choice != choices.rend(); ++choice) {
      steps.clear();
      machine_.Expand(state, &steps);
      AddToTrace(steps[*choice]);
      state = steps[*choice].state;
    }
    if (last != nullptr) AddToTrace(*last);
  }

  void AddToTrace(const Step& step) {
    result_.trace += std::string(step.name) + " (" + std::to_string(step.subscription) + ", " +
                     std::to_string(step.seq) + ")\n";
  }

  const Machine& machine_;
  const size_t states_max_;
  Exploration result_;
  Seen seen_;
  std::vector<Origin> origins_;
  std::vector<bool> done_;
  std::vector<std::pair<uint32_t, State>> frontier_;
  std::vector<std::pair<uint32_t, uint32_t>> edges_;  // Target, source.
  std::vector<Step> steps_;
};

}  // namespace

Exploration Explore(const Machine& machine, size_t states_max) {
  return Search(machine, states_max).Run();
}

}  // namespace postrider::model
