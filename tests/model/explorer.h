#pragma once

#include <cstddef>
#include <string>

#include "tests/model/machine.h"

namespace postrider::model {

// What a search has found.
struct Exploration {
  size_t states = 0;
  size_t steps = 0;
  bool complete = false;  // False: stopped at a violation, or at the limit.
  std::string violation;  // Empty: none.
  std::string trace;      // The shortest way to it.
};

// Visits every state that `machine` can reach, breadth first.
//
// Reports the first state that is wrong, the first step that must not be, and, if there is none of
// these, a state from which what is owed can never arrive although nothing more goes wrong: a lost
// wake-up. Gives up beyond `states_max`.
Exploration Explore(const Machine& machine, size_t states_max);

}  // namespace postrider::model
