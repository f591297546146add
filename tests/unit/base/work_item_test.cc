// Goal: a death by the process's own fault says what was being worked on, and no other death does
// (E8).
// Method: children that die in each way.

#include "gateway/base/work_item.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class WorkItemTest : public testing::Test {
 protected:
  WorkItemTest() : path_(testing::TempDir() + "/deaths." + std::to_string(getpid())) {
    unlink(path_.c_str());
  }
  ~WorkItemTest() override { unlink(path_.c_str()); }

  // Runs `body` in a child that records its deaths. Returns the signal that ended it.
  int Die(const std::function<void()>& body) {
    const pid_t child = fork();
    if (child == 0) {
      // Not with a sanitizer's report, which ends it otherwise.
      for (const int own : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) signal(own, SIG_DFL);
      if (!RecordDeaths(path_, 77).ok()) _exit(3);
      body();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  std::vector<Death> Deaths() { return *ReadDeaths(path_); }

  const std::string path_;
};

TEST_F(WorkItemTest, EachSignalOfOurOwnSaysWhatWasBeingDone) {
  for (const int signal_number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    EXPECT_EQ(Die([signal_number] {
                const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
                raise(signal_number);
              }),
              signal_number);
  }
  ASSERT_THAT(Deaths(), SizeIs(5));
  EXPECT_EQ(Deaths()[4].item, (WorkItem{.shard = 3, .subscription = 5, .seq = 8}));
  EXPECT_EQ(Deaths()[4].boot, 77U);
}

TEST_F(WorkItemTest, BeingKilledDoesNotCount) {
  for (const int signal_number : {SIGKILL, SIGTERM, SIGHUP}) {
    EXPECT_EQ(Die([signal_number] {
                const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
                raise(signal_number);
              }),
              signal_number);
  }
  EXPECT_THAT(Deaths(), IsEmpty());
}

TEST_F(WorkItemTest, WhoWorksOnNothingBlamesNothing) {
  Die([] {
    { const WorkScope scope({.shard = 1, .subscription = 1, .seq = 1}); }
    raise(SIGSEGV);
  });
  EXPECT_THAT(Deaths(), IsEmpty());
}

TEST_F(WorkItemTest, AThreadBlamesItsOwnItem) {
  Die([] {
    const WorkScope scope({.shard = 1, .subscription = 1, .seq = 1});
    std::thread([] {
      const WorkScope inner({.shard = 2, .subscription = 2, .seq = 2});
      raise(SIGSEGV);
    }).join();
  });
  ASSERT_THAT(Deaths(), SizeIs(1));
  EXPECT_EQ(Deaths()[0].item.seq, 2U);
}

TEST_F(WorkItemTest, TheInnermostItemIsBlamed) {
  Die([] {
    const WorkScope outer({.shard = 1, .subscription = 1, .seq = 1});
    { const WorkScope inner({.shard = 1, .subscription = 1, .seq = 2}); }
    raise(SIGABRT);
  });
  EXPECT_EQ(Deaths().at(0).item.seq, 1U);
}

// Each frame takes a page.
int Overflow(int depth) {
  volatile char page[4096];
  page[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Overflow(depth + 1) + page[0];
}

TEST_F(WorkItemTest, AThreadWithASignalStackBlamesItsItemAlsoWhenItsOwnIsUsedUp) {
  const auto overflow = [] {
    const SignalStack stack;
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    Overflow(0);
  };
  EXPECT_EQ(Die([&] { std::thread(overflow).join(); }), SIGSEGV);
  EXPECT_THAT(Deaths(), SizeIs(1));
}

TEST_F(WorkItemTest, RunningOutOfMemoryDoesNotCount) {
  const auto take_all = [] {
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    const volatile size_t bytes = size_t{1} << 62;
    operator delete(operator new(bytes));
  };
  EXPECT_NE(Die([&] { std::thread(take_all).join(); }), SIGSEGV);
  EXPECT_THAT(Deaths(), IsEmpty());
}

TEST_F(WorkItemTest, ItDiesAsItWouldHave) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, [](int) { _exit(7); });
    if (!RecordDeaths(path_, 77).ok()) _exit(3);
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    raise(SIGABRT);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7) << "by the handler that was there";
  EXPECT_THAT(Deaths(), SizeIs(1));
}

TEST_F(WorkItemTest, ALaterCallChangesTheFileAndTheProcess) {
  Die([this] {
    if (!RecordDeaths(path_, 78).ok()) _exit(3);
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    raise(SIGSEGV);
  });
  ASSERT_THAT(Deaths(), SizeIs(1));
  EXPECT_EQ(Deaths()[0].boot, 78U);
}

TEST_F(WorkItemTest, AScopeOfNothingHidesTheOneAroundIt) {
  const WorkScope outer({.shard = 1, .subscription = 1, .seq = 1});
  EXPECT_EQ(CurrentWork().seq, 1U);
  {
    const WorkScope nothing({});
    EXPECT_EQ(CurrentWork(), WorkItem());
  }
  EXPECT_EQ(CurrentWork().seq, 1U);
}

TEST_F(WorkItemTest, ATornRecordIsLeftOut) {
  Die([] {
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    raise(SIGSEGV);
  });
  std::ofstream(path_, std::ios::app) << "torn";
  EXPECT_THAT(Deaths(), SizeIs(1));
}

TEST_F(WorkItemTest, ForgottenDeathsAreGone) {
  Die([] {
    const WorkScope scope({.shard = 3, .subscription = 5, .seq = 8});
    raise(SIGSEGV);
  });
  EXPECT_TRUE(ForgetDeaths(path_).ok());
  EXPECT_THAT(Deaths(), IsEmpty());
  unlink(path_.c_str());
  EXPECT_TRUE(ForgetDeaths(path_).ok());
  EXPECT_THAT(Deaths(), IsEmpty());
}

}  // namespace
}  // namespace postrider
