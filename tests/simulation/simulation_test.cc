// Goal: the engine does what the model of its rules does, whatever happens in whatever order.
// Method: the real dispatch and store in simulated time under a random course of events, crashes
// and changes that follows from a seed; each POST and, in the end, each event is checked.
//
// POSTRIDER_SIMULATION_SEEDS=<n> runs that many seeds, POSTRIDER_SIMULATION_SEED=<n> just that one.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/simulation/course.h"

namespace postrider {
namespace {

#ifdef NDEBUG
constexpr uint64_t kSeedsDefault = 1000;
#else
constexpr uint64_t kSeedsDefault = 100;  // Under a sanitizer.
#endif

uint64_t Environment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

void RunSeed(uint64_t seed) {
  const std::vector<std::string> violations = Course(seed).Run();
  EXPECT_TRUE(violations.empty()) << "POSTRIDER_SIMULATION_SEED=" << seed << "\n"
                                  << absl::StrJoin(violations, "\n");
}

TEST(Simulation, KeepsTheRulesOnEverySeed) {
  if (const uint64_t seed = Environment("POSTRIDER_SIMULATION_SEED", 0); seed != 0) {
    return RunSeed(seed);
  }
  const uint64_t seeds = Environment("POSTRIDER_SIMULATION_SEEDS", kSeedsDefault);
  for (uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    RunSeed(seed);
  }
}

}  // namespace
}  // namespace postrider
