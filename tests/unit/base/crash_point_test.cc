#include "gateway/base/crash_point.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

namespace postrider {
namespace {

// Each statement runs in a process of its own, for the environment is read once a process.
class CrashPointDeathTest : public testing::Test {
 protected:
  CrashPointDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

// Passes `name` `times` times with the environment's crash point set to `target`.
void Pass(const char* target, const char* name, int times) {
  if (target != nullptr) {
    setenv("POSTRIDER_CRASH_POINT", target, 1);
  } else {
    unsetenv("POSTRIDER_CRASH_POINT");
  }
  for (int i = 0; i < times; ++i) {
    CrashPoint(name);
  }
}

TEST_F(CrashPointDeathTest, KillsAtTheNamedPassage) {
  EXPECT_EXIT(Pass("before_post:3", "before_post", 3), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(Pass("before_post:1", "before_post", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(Pass("before_post", "before_post", 1), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(CrashPointDeathTest, LetsEarlierPassagesAndOtherNamesPass) {
  EXPECT_EXIT((Pass("before_post:3", "before_post", 2), std::_Exit(7)), testing::ExitedWithCode(7),
              "");
  EXPECT_EXIT((Pass("before_post:1", "during_post", 9), std::_Exit(7)), testing::ExitedWithCode(7),
              "");
}

TEST_F(CrashPointDeathTest, DoesNothingUnlessAsked) {
  EXPECT_EXIT((Pass(nullptr, "before_post", 9), std::_Exit(7)), testing::ExitedWithCode(7), "");
  EXPECT_EXIT((Pass("before_post:x", "before_post", 9), std::_Exit(7)), testing::ExitedWithCode(7),
              "");
}

// Passes `name` with `what`, with the environment's fault point set to `target`.
void Fault(const char* target, const char* name, const char* what) {
  if (target != nullptr) {
    setenv("POSTRIDER_FAULT_POINT", target, 1);
  } else {
    unsetenv("POSTRIDER_FAULT_POINT");
  }
  FaultPoint(name, what);
}

TEST_F(CrashPointDeathTest, AFaultEndsTheProcessAtWhatItNamesAndNowhereElse) {
  EXPECT_EXIT(Fault("match:order.paid", "match", "order.paid"), testing::KilledBySignal(SIGABRT),
              "");
  for (const char* target : {"match:order.sent", "before_send:order.paid", "match"}) {
    EXPECT_EXIT((Fault(target, "match", "order.paid"), std::_Exit(7)), testing::ExitedWithCode(7),
                "");
  }
  EXPECT_EXIT((Fault(nullptr, "match", "order.paid"), std::_Exit(7)), testing::ExitedWithCode(7),
              "");
}

}  // namespace
}  // namespace postrider
